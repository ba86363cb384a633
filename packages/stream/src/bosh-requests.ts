import { createHash } from 'node:crypto'

/** The largest number that a request may have (XEP-0124 §14.1). */
export const highestRid: number = Number.MAX_SAFE_INTEGER

/** A whole number as requests have them; undefined for what is none. */
export function boshNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined
  const number = Number(text)
  return number <= highestRid ? number : undefined
}

/** What a request is by its number. */
export type RidVerdict =
  /** The one after the last. */
  | 'next'
  /** Those before it are still to come. */
  | 'early'
  /** Seen, and not answered yet. */
  | 'unanswered'
  /** Seen and answered. */
  | 'answered'
  /** None that the client may send. */
  | 'outside'

/** How far a session's requests have come. */
export interface RidState {
  /** The one that is expected. */
  readonly next: number
  /** The last that was answered. */
  readonly answered: number
}

/**
 * Judges a request by its number (XEP-0124 §14.2).
 *
 * SECURITY: V16. `window` bounds what waits for those before it.
 */
export function judgeRid(rid: number, { next, answered }: RidState, window: number): RidVerdict {
  if (rid === next) return 'next'
  if (rid > next) return rid < next + window ? 'early' : 'outside'
  return rid > answered ? 'unanswered' : 'answered'
}

/**
 * The next expectation of a key sequence (XEP-0124 §15.4); undefined where the request's key is not the one before.
 *
 * `expected` is what its key has to hash to, '' for a session without keys.
 */
export function nextKey(
  expected: string,
  { key, newkey }: Readonly<Record<string, string>>,
): string | undefined {
  if (expected === '') return newkey ?? ''
  if (key === undefined) return undefined
  const hash = createHash('sha1').update(key).digest('hex')
  return hash === expected.toLowerCase() ? (newkey ?? key) : undefined
}
