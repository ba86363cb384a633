import type { BoshBody, Opening } from '@tactus/stream'
import type { PendingRequest } from './request.ts'
import { type BoshTerms, isPolling } from './terms.ts'

/** The first word of a stream, where a body stands for one (XEP-0206 §3, §5). */
export function openingOf(
  { attrs, restart, version }: BoshBody,
  { to }: BoshTerms,
  isFirst: boolean,
): Opening | undefined {
  if (!isFirst && !restart) return undefined
  return { to: attrs.to ?? to, from: attrs.from, lang: attrs['xml:lang'], version }
}

/** What a request is judged by: those before it. */
export interface Before {
  readonly last: PendingRequest | undefined
  /** Accepted and not answered. */
  readonly unanswered: number
  /** Milliseconds between two empty ones. */
  readonly polling: number
}

/** `early`: no harm is done by a few. */
export type Pace = 'fine' | 'early' | 'overactive'

/** Whether a client sends more, or more often, than it may (XEP-0124 §11, §12). */
export function paceOf(request: PendingRequest, before: Before, terms: BoshTerms): Pace {
  const { last, unanswered, polling } = before
  if (request.isExtra) return 'fine'
  if (unanswered >= terms.requests) return 'overactive'
  if (!last?.isEmpty || !request.isEmpty) return 'fine'
  if (request.acceptedAt - last.acceptedAt >= polling) return 'fine'
  if (isPolling(terms)) return last.hadPayload ? 'fine' : 'overactive'
  return unanswered + 1 === terms.requests ? 'early' : 'fine'
}
