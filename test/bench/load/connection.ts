import { openBosh } from './bosh-wire.ts'
import { openTcp } from './tcp-wire.ts'
import { openWebSocket } from './websocket-wire.ts'

/** Ways to a server. */
export const transports = { tcp: openTcp, websocket: openWebSocket, bosh: openBosh } as const
export type Transport = keyof typeof transports

/** Where one connection goes. */
export interface Door {
  readonly transport: Transport
  readonly port: number
  readonly tls: boolean
}

/** What a stream is on. */
export interface Wire {
  /** Begins the stream, or begins it again. */
  open(domain: string): void
  /** One element of the first level. */
  write(element: string): void
  /** Ends the stream in order. */
  close(): void
  destroy(): void
}

/** Who hears what comes on a wire. */
export interface Listener {
  readonly take: (text: string) => void
  readonly end: (reason: Error) => void
}

/**
 * A stream of the load client. It looks for markers in what comes and parses nothing, so that the
 * server and not the client is what is measured.
 */
export class LoadConnection {
  readonly #wire: Wire
  readonly #domain: string
  #text = ''
  #error: Error | undefined
  readonly #closed = Promise.withResolvers<void>()
  #wake: (() => void) | undefined
  #follow: ((text: string) => void) | undefined
  /** Called once when the stream is over. */
  onEnd: (reason: Error) => void = () => {}

  constructor(door: Door, domain: string) {
    this.#domain = domain
    this.#wire = transports[door.transport](door, domain, {
      take: (text) => this.#take(text),
      end: (reason) => this.#end(reason),
    })
  }

  /** Begins the stream, or begins it again, and waits for what the server offers. */
  async open(): Promise<void> {
    this.#wire.open(this.#domain)
    await this.until('</stream:features>')
  }

  write(text: string): void {
    this.#wire.write(text)
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
    this.#wire.close()
    await this.#closed.promise
  }

  /** Drops the connection. */
  destroy(): void {
    this.#wire.destroy()
  }

  #take(text: string): void {
    if (this.#follow) return this.#follow(text)
    this.#text += text
    this.#wake?.()
  }

  #end(reason: Error): void {
    if (this.#error) return
    this.#error = reason
    this.#closed.resolve()
    this.#wake?.()
    this.onEnd(reason)
  }
}
