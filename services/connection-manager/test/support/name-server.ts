import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readName } from '../../src/s2s/dns/message.ts'

/** Data of an SRV record of priority 0 and weight 0 (RFC 2782). */
export function srvData(port: number, target: string): Buffer {
  const labels = target
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([
    Buffer.from([0, 0, 0, 0, port >> 8, port & 255]),
    ...labels,
    Buffer.from([0]),
  ])
}

/** A name server that says what it is told, for testing who asks; it has no notion of types. */
export class NameServer implements AsyncDisposable {
  /** Data of the records by name. */
  readonly records: Map<string, readonly Buffer[]> = new Map()
  ttl = 60
  /** How often it was asked. */
  asked = 0
  readonly port: number
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    this.port = socket.address().port
    socket.on('message', (query, { port, address }) => {
      this.asked += 1
      for (const reply of this.answers(query)) socket.send(reply, port, address)
    })
  }

  static async start(): Promise<NameServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new NameServer(socket)
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** What is sent when this is asked. */
  answers: (query: Buffer) => readonly Buffer[] = (query) => [
    this.answer(query, this.records.get(readName(query, 12).name) ?? []),
  ]

  /** RFC 1035 §4.1: the question again, and records of its type. */
  answer(query: Buffer, records: readonly Buffer[], flags = 0x8180): Buffer {
    const { end } = readName(query, 12)
    const head = Buffer.from(query.subarray(0, 12))
    head.writeUInt16BE(flags, 2)
    head.writeUInt16BE(records.length, 6)
    head.writeUInt32BE(0, 8)
    const written = records.map((data) => {
      const record = Buffer.alloc(12)
      record.writeUInt16BE(0xc00c, 0)
      query.copy(record, 2, end, end + 4)
      record.writeUInt32BE(this.ttl, 6)
      record.writeUInt16BE(data.length, 10)
      return Buffer.concat([record, data])
    })
    return Buffer.concat([head, query.subarray(12, end + 4), ...written])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }
}
