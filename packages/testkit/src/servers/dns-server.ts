import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** A server's place, as SRV records tell it. */
export interface ServiceRecord {
  readonly host: string
  readonly port: number
  readonly priority?: number
  readonly weight?: number
}

/** What a TLSA record says of a certificate (RFC 6698 §2.1). */
export interface CertificateRecord {
  readonly usage: number
  readonly selector: number
  readonly matching: number
  readonly data: Uint8Array
}

const types = { a: 1, srv: 33, tlsa: 52 } as const
/** RFC 4035 §3.2.3: all of this was verified. */
const authentic = 0x0020

/** A name server of a test: it knows what it was told, and says of everything else that there is no such name. */
export class DnsServer implements AsyncDisposable {
  /** SRV records by name, such as `_xmpp-server._tcp.verona.lit`. */
  readonly services: Map<string, readonly ServiceRecord[]> = new Map()
  /** IPv4 addresses by name. */
  readonly addresses: Map<string, readonly string[]> = new Map()
  /** TLSA records by name, such as `_5269._tcp.host.verona.lit`. */
  readonly certificates: Map<string, readonly CertificateRecord[]> = new Map()
  /** Whether it says that it has verified its answers by DNSSEC. */
  isAuthentic = false
  /** Seconds that answers hold. */
  ttl = 1
  /** Names that were asked for, in order. */
  readonly asked: string[] = []
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (query, { address, port }) =>
      socket.send(this.#answer(query), port, address),
    )
  }

  static async start(host = '127.0.0.1', port = 0): Promise<DnsServer> {
    const socket = createSocket('udp4')
    socket.bind(port, host)
    await once(socket, 'listening')
    return new DnsServer(socket)
  }

  /** Where it is to be asked. */
  get address(): string {
    const { address, port } = this.#socket.address()
    return `${address}:${port}`
  }

  /** A domain's server, at this address and port. */
  locate(domain: string, port: number, address = '127.0.0.1', service = '_xmpp-server'): void {
    const host = `host.${domain}`
    this.services.set(`${service}._tcp.${domain}`, [{ host, port }])
    this.addresses.set(host, [address])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  /** RFC 1035 §4.1: the question again, and what is known of it. */
  #answer(query: Buffer): Buffer {
    const { name, end } = readName(query, 12)
    this.asked.push(name)
    const type = query.readUInt16BE(end)
    const records = this.#records(name, type)
    const isKnown = [this.services, this.addresses, this.certificates].some((of) => of.has(name))
    const header = Buffer.alloc(12)
    query.copy(header, 0, 0, 2)
    header.writeUInt16BE(0x8580 | (this.isAuthentic ? authentic : 0) | (isKnown ? 0 : 3), 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(records.length, 6)
    return Buffer.concat([header, query.subarray(12, end + 4), ...records])
  }

  #records(name: string, type: number): Buffer[] {
    if (type === types.srv)
      return (this.services.get(name) ?? []).map(({ host, port, priority = 0, weight = 0 }) => {
        const numbers = Buffer.alloc(6)
        numbers.writeUInt16BE(priority, 0)
        numbers.writeUInt16BE(weight, 2)
        numbers.writeUInt16BE(port, 4)
        return record(type, Buffer.concat([numbers, writeName(host)]), this.ttl)
      })
    if (type === types.tlsa)
      return (this.certificates.get(name) ?? []).map(({ usage, selector, matching, data }) =>
        record(type, Buffer.from([usage, selector, matching, ...data]), this.ttl),
      )
    if (type !== types.a) return []
    return (this.addresses.get(name) ?? []).map((address) =>
      record(type, Buffer.from(address.split('.').map(Number)), this.ttl),
    )
  }
}

/** About the name of the question. */
function record(type: number, data: Buffer, ttl: number): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function readName(bytes: Buffer, from: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = from
  for (let size = bytes[at] ?? 0; size > 0; size = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + size).toLowerCase())
    at += size + 1
  }
  return { name: labels.join('.'), end: at + 1 }
}

function writeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]),
    Buffer.from([0]),
  ])
}
