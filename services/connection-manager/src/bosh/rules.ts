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

/** Whether a client sends more, or more often, than it may (XEP-0124 §11, §12). */
export function isOveractive(request: PendingRequest, before: Before, terms: BoshTerms): boolean {
  const { last, unanswered, polling } = before
  if (request.isExtra) return false
  if (unanswered >= terms.requests) return true
  if (!last || !request.isEmpty || request.acceptedAt - last.acceptedAt >= polling) return false
  if (isPolling(terms)) return last.isEmpty && !last.hadPayload
  return unanswered + 1 === terms.requests && last.isEmpty
}
