import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Opens a stream as a server does. */
export const header = (to: string, from: string): string =>
  `<?xml version='1.0'?><stream:stream to='${to}' from='${from}' version='1.0' xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>`

/** Another server's side of a connection, that says what the test wants. */
export class Peer {
  readonly #socket: Socket
  #text = ''

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString()
      socket.emit('text')
    })
    socket.on('error', () => {})
    socket.on('close', () => socket.emit('text'))
  }

  static async to(port: number): Promise<Peer> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Peer(socket)
  }

  say(text: string): void {
    this.#socket.write(text)
  }

  /** What came up to and with this; whatever came when the connection is over. */
  async hears(part: string): Promise<string> {
    while (!this.#text.includes(part) && !this.#socket.destroyed) await once(this.#socket, 'text')
    const text = this.#text
    this.#text = ''
    assert(text.includes(part), `${part} is not in ${text}`)
    return text
  }

  drop(): void {
    this.#socket.destroy()
  }
}
