import { type LiveStore, liveStore, type Scope } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import { mailboxStore } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'

/** How much waits for an account; the key is `''`. */
interface Waiting {
  readonly messages: number
  readonly bytes: number
}

/** What may wait at most. */
export interface WaitingLimits {
  readonly messages: number
  readonly bytes: number
}

/**
 * What waits, counted as it comes, so that a flood costs no reading of the mailbox for each message of it. Without a
 * count (the first message, a lost Redis) the mailbox itself is asked once.
 */
export const waitingStore: LiveStore<Waiting> = liveStore('offline-waiting')

/**
 * Counts a message that is about to wait.
 *
 * @throws {StanzaError} `service-unavailable` when the account has as much as it may have (XEP-0160 §3)
 */
export function admit(scope: Scope, message: Stanza, limits: WaitingLimits): void {
  const waiting = scope.get(waitingStore) ?? counted(scope)
  const messages = waiting.messages + 1
  const bytes = waiting.bytes + message.bytes.length
  if (messages > limits.messages || bytes > limits.bytes)
    throw new StanzaError('service-unavailable')
  scope.set(waitingStore, '', { messages, bytes })
}

/** Begins to count anew: some of what waited is on its way. */
export function recount(scope: Scope): void {
  if (scope.get(waitingStore)) scope.set(waitingStore, '', undefined)
}

function counted(scope: Scope): Waiting {
  const rows = scope.get(mailboxStore)?.rows ?? []
  const bytes = rows.reduce((sum, { stanza }) => sum + stanza.length, 0)
  return { messages: rows.length, bytes }
}
