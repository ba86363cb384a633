import type { BoshBody } from '@tactus/stream'
import { boshNumber } from '@tactus/stream'
import type { BoshAnswer } from './answer.ts'

/** A request as it came in, here or at another instance. */
export interface BoshRequest {
  readonly rid: number
  readonly body: BoshBody
  /** It came a while ago, elsewhere, or its client has closed the connection: another copy of it is the later one. */
  readonly isLate?: boolean
}

/** A request of a session that has not been answered. */
export class PendingRequest {
  readonly rid: number
  readonly body: BoshBody
  readonly isLate: boolean
  respond: (answer: BoshAnswer) => void
  /** How often it was sent again meanwhile. */
  repeats = 0
  /** Monotonic milliseconds when its turn had come. */
  acceptedAt = 0
  /** Everything in it was given to the stream's handler. */
  isTaken = false
  /** The session's last input then, its stanzas then, and what the next key has to hash to. */
  seq = 0
  h = 0
  nextKey = ''
  /** The number of an answer that the client seems to have missed, and how long ago it was sent (XEP-0124 §9.2). */
  report: { readonly rid: number; readonly time: number } | undefined
  /** Its end has been brought to the stream. */
  isClosing = false
  /** Something came back to it. */
  hadPayload = false

  constructor({ rid, body, isLate = false }: BoshRequest, respond: (answer: BoshAnswer) => void) {
    this.rid = rid
    this.body = body
    this.isLate = isLate
    this.respond = respond
  }

  /** Whether the client begins a silence of at most `most` seconds (§10): for how long; a longer one is none. */
  pauseWithin(most: number): number | undefined {
    const pause = boshNumber(this.body.attrs.pause)
    return pause !== undefined && pause <= most ? pause : undefined
  }

  get isTermination(): boolean {
    return this.body.attrs.type === 'terminate'
  }

  /** Of these one may be sent beyond what is allowed at once (§11). */
  get isExtra(): boolean {
    return this.isTermination || this.body.attrs.pause !== undefined
  }

  /** Whether it asks for nothing but an answer. */
  get isEmpty(): boolean {
    const { payload, restart, attrs } = this.body
    return payload.length === 0 && !restart && attrs.sid !== undefined && !this.isExtra
  }
}
