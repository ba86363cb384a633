import type { Session } from '../session/session.ts'
import { KeptAnswers } from './kept-answers.ts'
import type { Answered, BoshRecord } from './record.ts'
import type { PendingRequest } from './request.ts'
import type { BoshTerms } from './terms.ts'

/** An answer that was sent this long ago, and the client does not have, is told to it (XEP-0124 §9.2). */
const reportAfter = 1_000

/** Who writes a record, and what it cannot know by itself. */
interface Writer {
  readonly holder: string
  readonly session: Session
  readonly given: number
  readonly over: string | undefined
}

/** What the next holder of a session has to know of it, and how far that is known to the client. */
export class Standing {
  readonly terms: BoshTerms
  readonly kept: KeptAnswers
  answered: Answered
  /** Out-number from which on the owner counts; undefined before there is a resource. */
  base: number | undefined
  /** Out-number of the last stanza that the client is known to have. */
  acknowledged = 0
  /** The same as it stands in the record: the owner may not know of more, or the next holder would claim less. */
  sealed = 0
  /** Seconds for which the client announced to be silent. */
  pause: number | undefined
  info: Readonly<Record<string, string>> = {}

  /** @param from the last holder's record; of a new session the number before its first request */
  constructor(terms: BoshTerms, from: BoshRecord | number) {
    this.terms = terms
    if (typeof from === 'number') {
      this.kept = new KeptAnswers()
      this.answered = { rid: from, h: 0, key: '' }
      return
    }
    this.kept = new KeptAnswers(from.kept)
    this.answered = from.answered
    this.base = from.base
    this.acknowledged = from.acknowledged
    this.sealed = from.acknowledged
    this.pause = from.pause
    this.info = from.info
  }

  /** §9.2: what a request says, by itself and by being sent at all, of the answers before it. */
  hear(request: PendingRequest): void {
    const { attrs } = request.body
    const { requests, acks } = this.terms
    const { rid: last } = this.answered
    const spare = request.isExtra ? 1 : 0
    // Who takes leave has what was answered, as far as anybody can know.
    const implied = request.isTermination ? last : request.rid - requests - spare
    const told = attrs.ack === undefined ? request.rid - 1 : Number(attrs.ack)
    const has = Math.min(last, acks && told > implied ? told : implied)
    this.acknowledged = Math.max(this.acknowledged, this.kept.acknowledge(has) ?? 0)
    const missed = acks && attrs.ack !== undefined ? this.kept.find(has + 1) : undefined
    const time = missed?.at === undefined ? 0 : request.acceptedAt - missed.at
    if (missed && time >= reportAfter) request.report = { rid: missed.rid, time: Math.round(time) }
  }

  /** Undefined while nobody else could go on with the session. */
  record({ holder, session, given, over }: Writer): BoshRecord | undefined {
    const { base, terms, answered, acknowledged, pause, info } = this
    if (base === undefined) return undefined
    const { id, jid } = session
    const kept = this.kept.ranges
    const who = { holder, session: id, jid, base, terms, info }
    return { v: 1, ...who, answered, given, acknowledged, kept, pause, over }
  }
}
