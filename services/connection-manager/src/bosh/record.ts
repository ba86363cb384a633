import type { BoshTerms } from './terms.ts'

/** An answer that may be asked for again: which out-numbers were in it, beside what has none. */
export interface KeptRange {
  readonly rid: number
  /** Its out-numbers: (from, to]. */
  readonly from: number
  readonly to: number
  /** What was said that is in no queue, such as the answer to the binding. */
  readonly extra: string
  /** The request's key, so that only who sent it gets this again; '' without keys. */
  readonly key: string
}

/**
 * What another instance needs to go on with a session (design §3.7): written before each answer, so that no client has an
 * answer that the next holder does not know of.
 */
export interface BoshRecord {
  readonly v: 1
  /** Instance that answers; '' for none, whoever is asked next. */
  readonly holder: string
  /** The XMPP session, and the full JID it is bound to. */
  readonly session: string
  readonly jid: string
  /** Out-number from which on the owner counts. */
  readonly base: number
  /** The last request that was answered, and how things stood behind it. */
  readonly answered: Answered
  /** Out-number of the last stanza in an answer, and of the last that the client is known to have. */
  readonly given: number
  readonly acknowledged: number
  readonly kept: readonly KeptRange[]
  readonly terms: BoshTerms
  /** Seconds for which the client announced to be silent. */
  readonly pause: number | undefined
  readonly info: Readonly<Record<string, string>>
  /** The session has ended, and this is what its client has to be told. */
  readonly over: string | undefined
}

/** How things stood behind a request. */
export interface Answered {
  readonly rid: number
  /** Stanzas of the client up to there, as its owner counts them. */
  readonly h: number
  /** What the next request's key has to hash to. */
  readonly key: string
}

/** Name of a session's record on the bus. */
export function recordName(sid: string): string {
  return `bosh:${sid}`
}

export function encodeBoshRecord(record: BoshRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record))
}

/** Undefined for one of another release, whose sessions cannot be taken over. */
export function decodeBoshRecord(bytes: Uint8Array): BoshRecord | undefined {
  const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<BoshRecord> | null
  return record?.v === 1 ? (record as BoshRecord) : undefined
}
