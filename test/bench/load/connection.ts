import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Where one connection goes. */
export interface Door {
  readonly port: number
  readonly tls: boolean
}

/**
 * A stream of the load client. It looks for markers in what comes and parses nothing, so that the
 * server and not the client is what is measured.
 */
export class LoadConnection {
  readonly #socket: Socket
  #text = ''
  #error: Error | undefined
  #wake: (() => void) | undefined
  #follow: ((text: string) => void) | undefined
  /** Called once when the stream is over. */
  onEnd: (reason: Error) => void = () => {}

  constructor({ port, tls }: Door, domain: string) {
    const to = { host: '127.0.0.1', port }
    this.#socket = tls
      ? connectTls({ ...to, rejectUnauthorized: false, servername: domain })
      : connect(to)
    this.#socket.setNoDelay(true)
    // Latin-1 keeps the length of what comes; the markers are ASCII.
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => this.#take(text))
    this.#socket.on('error', (error) => this.#end(error))
    this.#socket.on('close', () => this.#end(new Error('the server closed the connection')))
  }

  write(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  /** What comes up to and with the marker. @throws {Error} when the stream ends or fails before */
  async until(marker: string): Promise<string> {
    while (true) {
      const at = this.#text.indexOf(marker)
      if (at >= 0) {
        const found = this.#text.slice(0, at + marker.length)
        this.#text = this.#text.slice(at + marker.length)
        return found
      }
      if (/<failure|<stream:error|type='error'/.test(this.#text))
        throw new Error(`the server answered ${this.#text}`)
      if (this.#error) throw this.#error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** From now on everything that comes goes there. */
  follow(take: (text: string) => void): void {
    this.#follow = take
    const before = this.#text
    this.#text = ''
    if (before !== '') take(before)
  }

  /** Ends the stream in order, and waits until the server has. */
  async close(): Promise<void> {
    if (this.#error) return
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#socket.end('</stream:stream>', 'latin1')
    await closed
  }

  /** Drops the connection. */
  destroy(): void {
    this.#socket.destroy()
  }

  #take(text: string): void {
    if (this.#follow) return this.#follow(text)
    this.#text += text
    this.#wake?.()
  }

  #end(reason: Error): void {
    if (this.#error) return
    this.#error = reason
    this.#wake?.()
    this.onEnd(reason)
  }
}
