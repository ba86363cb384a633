import type { Clock } from '@tactus/env'
import { judgeRid, nextKey, type RidVerdict } from '@tactus/stream'
import type { BoshAnswer } from './answer.ts'
import type { Answered } from './record.ts'
import type { PendingRequest } from './request.ts'
import { paceOf } from './rules.ts'
import type { BoshTerms } from './terms.ts'

/** How often a request may be sent again before it has an answer. */
const mostRepeats = 20

/**
 * How often a client may ask anew before it had to; one is forgotten each time that it may ask by itself.
 *
 * XEP-0124 §11 lets the first end a session. But a page that is loaded again leaves its last request behind, which waits here
 * for an answer that nobody reads, and goes on with the next one at once, as whoever reads a page does now and then.
 */
const mostEarly = 5

/** A rule that was broken, for which the session ends (XEP-0124 §17.2). */
export type Violation = 'item-not-found' | 'policy-violation'

/** A session's requests from their arrival to their answers: in order, each once, and no more at once than may be. */
export class RequestLine {
  readonly #terms: BoshTerms
  readonly #clock: Clock
  /** Milliseconds between two empty ones. */
  readonly #polling: number
  /** Those whose turn has not come, by number. */
  readonly #early = new Map<number, PendingRequest>()
  /** Those that wait for their answers. */
  #held: PendingRequest[] = []
  #last: PendingRequest | undefined
  #next: number
  #key: string
  /** How many were early, less those forgotten until the last of them, and when that one came. */
  #haste = 0
  #hastyAt = 0

  constructor(
    terms: BoshTerms,
    { rid, key }: Answered,
    { clock, polling }: { readonly clock: Clock; readonly polling: number },
  ) {
    this.#terms = terms
    this.#clock = clock
    this.#polling = polling
    this.#next = rid + 1
    this.#key = key
  }

  /** Those that wait for their answers, oldest first. */
  get held(): readonly PendingRequest[] {
    return this.#held
  }

  /** The last whose turn has come. */
  get last(): PendingRequest | undefined {
    return this.#last
  }

  /** All that wait for anything, by number. */
  get all(): readonly PendingRequest[] {
    const early = [...this.#early.values()].sort((one, other) => one.rid - other.rid)
    return [...this.#held, ...early]
  }

  /** Judges a request by its number (§14.2). */
  judge({ rid, isExtra }: PendingRequest, answered: number): RidVerdict {
    const window = this.#terms.requests + (isExtra ? 1 : 0)
    return judgeRid(rid, { next: this.#next, answered }, window)
  }

  /**
   * Takes a request that is not answered yet. One that was there before is let go, with `again`: its client waits on
   * another connection now (§14.3), unless the one that comes is the older of the two. False where that happens too often.
   */
  join(request: PendingRequest, again: BoshAnswer): boolean {
    const { rid } = request
    const before = this.#held.find((held) => held.rid === rid) ?? this.#early.get(rid)
    if (!before) {
      this.#early.set(rid, request)
      return true
    }
    if (request.isLate) request.respond(again)
    else {
      before.respond(again)
      before.respond = request.respond
    }
    before.repeats += 1
    return before.repeats <= mostRepeats
  }

  /** The request whose turn has come, held from now on, or what is wrong with it; undefined where it is not there. */
  take(): { readonly request: PendingRequest; readonly violation?: Violation } | undefined {
    const request = this.#early.get(this.#next)
    if (!request) return undefined
    request.acceptedAt = this.#clock.monotonic()
    const key = nextKey(this.#key, request.body.attrs)
    if (key === undefined) return { request, violation: 'item-not-found' }
    if (this.#isOveractive(request)) return { request, violation: 'policy-violation' }
    this.#early.delete(this.#next)
    this.#next += 1
    this.#key = key
    request.nextKey = key
    this.#last = request
    this.#held.push(request)
    return { request }
  }

  #isOveractive(request: PendingRequest): boolean {
    const before = { last: this.#last, unanswered: this.#held.length, polling: this.#polling }
    const pace = paceOf(request, before, this.#terms)
    if (pace !== 'early') return pace === 'overactive'
    const now = request.acceptedAt
    const forgotten = (now - this.#hastyAt) / this.#polling
    this.#haste = Math.max(0, this.#haste - forgotten) + 1
    this.#hastyAt = now
    return this.#haste > mostEarly
  }

  /** It has its answer, or is about to. */
  remove(request: PendingRequest): void {
    this.#held = this.#held.filter((held) => held !== request)
    if (this.#early.get(request.rid) === request) this.#early.delete(request.rid)
  }

  clear(): void {
    this.#held = []
    this.#early.clear()
  }
}
