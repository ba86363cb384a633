import { EventEmitter } from 'node:events'
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { clientLimits, NS_FRAMING, type StreamEvent, StreamReader } from '@tactus/xml'

const NS_STREAMS = 'http://etherx.jabber.org/streams'
const noBytes = Buffer.alloc(0)

/** What a test client needs of a socket. */
export interface Link {
  write(text: string | Uint8Array): unknown
  pause(): unknown
  resume(): unknown
  destroy(): unknown
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'close' | 'error', listener: () => void): unknown
  once(event: 'close', listener: () => void): unknown
}

/**
 * A WebSocket (RFC 7395) that looks like TCP to who uses it: what is written as one long document goes
 * out as a message an element, and what comes in is put together again. So every scene can be played on both.
 */
export class WebLink extends EventEmitter implements Link {
  readonly #socket: Socket
  #said = new StreamReader({ limits: clientLimits })
  readonly #heard = new StreamReader({ limits: clientLimits, framing: 'websocket' })
  #bytes: Buffer = noBytes
  #upgraded = false

  constructor(where: TcpNetConnectOpts) {
    super()
    this.#socket = connect(where)
    this.#socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      if (!this.#upgraded) this.#handshake()
      if (this.#upgraded) this.#read()
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.emit('close'))
    // What follows may be sent at once: no server of ours minds.
    const lines = [
      'GET /xmpp-websocket HTTP/1.1',
      `Host: ${where.host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: xmpp',
    ]
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  }

  write(text: string | Uint8Array): void {
    const bytes = Buffer.from(text as string)
    // A stream begins, the first or the next.
    if (bytes.subarray(0, 5).toString() === '<?xml')
      this.#said = new StreamReader({ limits: clientLimits })
    for (const event of this.#said.push(bytes)) this.#send(messageOf(event))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #send(payload: Uint8Array): void {
    const { length } = payload
    const long = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8)
    if (long.length === 2) long.writeUInt16BE(length)
    else if (long.length === 8) long.writeBigUInt64BE(BigInt(length))
    const short = long.length === 0 ? length : long.length === 2 ? 126 : 127
    // A mask of zeros changes nothing.
    const head = Buffer.from([0x81, 0x80 | short, ...long, 0, 0, 0, 0])
    this.#socket.write(Buffer.concat([head, payload]))
  }

  #handshake(): void {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end < 0) return
    this.#upgraded = this.#bytes.subarray(0, end).toString().startsWith('HTTP/1.1 101 ')
    this.#bytes = this.#bytes.subarray(end + 4)
    if (!this.#upgraded) this.#socket.destroy()
  }

  #read(): void {
    for (;;) {
      const bytes = this.#bytes
      const [from, length] = extentOf(bytes)
      if (bytes.length < from + length) return
      this.#bytes = bytes.subarray(from + length)
      // Pings and the closing frame are not for who looks at a stream.
      if (bytes[0] !== 0x81) continue
      for (const event of this.#heard.push(bytes.subarray(from, from + length)))
        this.emit('data', partOf(event))
    }
  }
}

/** Where the payload of a server's frame begins, and how long it is. */
function extentOf(bytes: Buffer): readonly [from: number, length: number] {
  const short = bytes[1] ?? 0
  if (short < 126) return [2, bytes.length < 2 ? 1 : short]
  const from = short === 127 ? 10 : 4
  if (bytes.length < from) return [from, 0]
  return [from, short === 127 ? Number(bytes.readBigUInt64BE(2)) : bytes.readUInt16BE(2)]
}

/** What belongs to a stream over TCP, as a message. */
function messageOf(event: StreamEvent): Uint8Array {
  if (event.kind === 'stanza') return event.stanza.wire()
  const to = event.kind === 'open' ? ` to='${event.header.attrs.to}' version='1.0'` : ''
  return Buffer.from(`<${event.kind} xmlns='${NS_FRAMING}'${to}/>`)
}

/** A message as a part of a stream over TCP. */
function partOf(event: StreamEvent): Buffer {
  if (event.kind === 'stanza') return Buffer.from(event.stanza.wire('jabber:client'))
  if (event.kind === 'close') return Buffer.from('</stream:stream>')
  return Buffer.from(
    `<stream:stream xmlns='jabber:client' xmlns:stream='${NS_STREAMS}' version='1.0'>`,
  )
}
