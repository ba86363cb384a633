import { Session } from '../session/session.ts'
import type { Connection } from '../stream/connection.ts'
import type { Carrier, Transport } from '../stream/transport.ts'

/** What was written and not answered yet. */
export interface Written {
  /** What no owner has numbered. */
  readonly extra: string
  readonly numbered: string
  /** Out-numbers of the latter: (from, to]. */
  readonly from: number
  readonly to: number
}

/** What a transport tells the session that it is of. */
export interface TransportChanges {
  /** Something was written, or the stream goes on or ends. */
  changed(): void
  /** It is of no use any more. */
  destroyed(): void
}

/** The requests of a session as what a stream is on: what is written waits for the next answer. */
export class BoshTransport implements Transport {
  readonly carrier: Carrier
  /** The connection wants nothing more for now. */
  isPaused = false
  /** The stream has ended, or was broken off. */
  isOver = false
  readonly #changes: TransportChanges
  #connection: Connection | undefined
  #extra: Uint8Array[] = []
  #numbered: Uint8Array[] = []
  #bytes = 0
  #given: number
  #to: number

  /** @param given the last out-number that is in an answer already */
  constructor(carrier: Carrier, changes: TransportChanges, given: number) {
    this.carrier = carrier
    this.#changes = changes
    this.#given = given
    this.#to = given
  }

  /** To be told as soon as there is one. */
  attach(connection: Connection): void {
    this.#connection = connection
  }

  get session(): Session | undefined {
    const handler = this.#connection?.handler
    return handler instanceof Session ? handler : undefined
  }

  get writableLength(): number {
    return this.#bytes
  }

  get given(): number {
    return this.#given
  }

  write(bytes: Uint8Array): void {
    const { session } = this
    if (bytes.length > 0) (session ? this.#numbered : this.#extra).push(bytes)
    this.#bytes += bytes.length
    // A connection writes all that it was given, so this is the last of it.
    if (session) this.#to = Math.max(this.#to, session.out)
    this.#changes.changed()
  }

  /** Takes what was written for an answer; nothing of it for one that may carry nothing. */
  take(isEmpty: boolean): Written {
    if (isEmpty) return { extra: '', numbered: '', from: this.#given, to: this.#given }
    const extra = Buffer.concat(this.#extra).toString('utf8')
    const numbered = Buffer.concat(this.#numbered).toString('utf8')
    const written = { extra, numbered, from: this.#given, to: this.#to }
    this.#extra = []
    this.#numbered = []
    this.#bytes = 0
    this.#given = this.#to
    this.#connection?.drained()
    return written
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.#changes.changed()
  }

  end(): void {
    this.isOver = true
    this.#changes.changed()
  }

  destroy(): void {
    this.isOver = true
    this.#changes.destroyed()
    this.#connection?.broken()
  }
}
