import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { bindRequest, password, plainAuth } from './client.ts'
import { host } from './scene.ts'

/** How a hand-shake is said; headers that are undefined are left out. */
export interface Handshake {
  readonly path?: string
  readonly tls?: boolean
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Bytes before everything else. */
  readonly before?: Uint8Array | string
  /** Bytes right behind the request. */
  readonly behind?: Uint8Array
}

/** A WebSocket client that sends exactly the frames it is told to. */
export class RawWebSocket {
  readonly socket: Socket
  /** Status line and headers of the answer. */
  readonly response: string
  /** What was said in text messages and was not waited for yet. */
  heard = ''
  /** Payloads of pings and pongs. */
  readonly pings: string[] = []
  readonly pongs: string[] = []
  /** Of the closing frame. */
  code: number | undefined
  closed = false
  #bytes: Buffer
  #waiting: (() => void)[] = []

  private constructor(socket: Socket, response: string, bytes: Buffer) {
    this.socket = socket
    this.response = response
    this.#bytes = bytes
    this.#read()
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#read()
      this.#wake()
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  static async connect(port: number, handshake: Handshake = {}): Promise<RawWebSocket> {
    const where = { port, host: '127.0.0.1', rejectUnauthorized: false }
    const socket = handshake.tls ? connectTls(where) : connect(where)
    socket.on('error', () => {})
    await new Promise((resolve) =>
      socket.once(handshake.tls ? 'secureConnect' : 'connect', resolve),
    )
    const lines = Object.entries({
      Host: host,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Protocol': 'xmpp',
      ...handshake.headers,
    }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
    const request = [`GET ${handshake.path ?? '/xmpp-websocket'} HTTP/1.1`, ...lines, '', '']
    const { before = '', behind = '' } = handshake
    socket.write(
      Buffer.concat([
        Buffer.from(before as string),
        Buffer.from(request.join('\r\n')),
        Buffer.from(behind as string),
      ]),
    )
    let bytes: Buffer = Buffer.alloc(0)
    for (;;) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end >= 0) {
        socket.pause()
        const client = new RawWebSocket(
          socket,
          bytes.toString('utf8', 0, end),
          bytes.subarray(end + 4),
        )
        socket.resume()
        return client
      }
      const chunk = await new Promise<Buffer>((resolve, reject) => {
        socket.once('data', resolve)
        socket.once('close', () => reject(new Error(`closed: ${bytes.toString()}`)))
      })
      bytes = Buffer.concat([bytes, chunk])
    }
  }

  /** Logged in and bound. */
  static async login(
    port: number,
    username: string,
    { resource = 'garden', ...handshake }: Handshake & { readonly resource?: string } = {},
  ): Promise<RawWebSocket> {
    const client = await RawWebSocket.connect(port, handshake)
    client.send(
      open,
      plainAuth(username, password),
      open,
      bindRequest(resource).replace('<iq', "<iq xmlns='jabber:client'"),
    )
    await client.until('</iq>')
    return client
  }

  /** Sends text messages. */
  send(...messages: readonly string[]): void {
    this.socket.write(Buffer.concat(messages.map((message) => frame(1, message))))
  }

  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.heard.indexOf(text)
      if (at >= 0) {
        const found = this.heard.slice(0, at + text.length)
        this.heard = this.heard.slice(at + text.length)
        return found
      }
      if (this.closed) throw new Error(`closed before ${text}; heard: ${this.heard}`)
      await this.change()
    }
  }

  async untilClosed(): Promise<string> {
    while (!this.closed) await this.change()
    return this.heard
  }

  /** Resolves when something has come. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  close(): void {
    this.socket.destroy()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  #read(): void {
    for (;;) {
      const bytes = this.#bytes
      const [from, length] = extentOf(bytes)
      if (bytes.length < from + length) return
      this.#take((bytes[0] as number) & 0x0f, bytes.subarray(from, from + length))
      this.#bytes = bytes.subarray(from + length)
    }
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === 1) this.heard += payload.toString()
    else if (opcode === 8) this.code = payload.readUInt16BE(0)
    else if (opcode === 9) this.pings.push(payload.toString())
    else if (opcode === 10) this.pongs.push(payload.toString())
  }
}

/** Where the payload of a frame begins, and how long it is. */
function extentOf(bytes: Buffer): readonly [from: number, length: number] {
  const short = bytes[1] ?? 0
  if (short < 126) return [2, bytes.length < 2 ? 1 : short]
  const from = short === 127 ? 10 : 4
  if (bytes.length < from) return [from, 0]
  return [from, short === 127 ? Number(bytes.readBigUInt64BE(2)) : bytes.readUInt16BE(2)]
}

/** A stream header as clients on WebSocket send it. */
export const open = `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='${host}' version='1.0'/>`
export const close = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"

/** A masked frame. */
export function frame(opcode: number, payload: string | Uint8Array, fin = true): Buffer {
  const bytes = Buffer.from(payload as string)
  const key = Buffer.from([9, 8, 7, 6])
  const head =
    bytes.length < 126
      ? Buffer.from([0, 0x80 | bytes.length])
      : bytes.length < 65_536
        ? Buffer.from([0, 0xfe, bytes.length >> 8, bytes.length & 0xff])
        : Buffer.from([0, 0xff, 0, 0, 0, 0, 0, ...be24(bytes.length)])
  head[0] = (fin ? 0x80 : 0) | opcode
  return Buffer.concat([head, key, bytes.map((byte, at) => byte ^ (key[at & 3] as number))])
}

function be24(value: number): number[] {
  return [(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]
}
