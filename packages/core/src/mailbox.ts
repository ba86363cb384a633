import type { QueueMeta } from '@tactus/cluster'
import { mailboxStore } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import { heldOf } from './held.ts'
import type { Scope, Session } from './scope.ts'
import { sessionStore, settledStore } from './session-state.ts'

const mailboxTable = 'mailbox'

/*
 * The mailbox (design §3.6): a durable message has a row from the moment its recipient's half accepts it until a
 * session has acknowledged it. So what waits for an absent account and what is under way to a present one is one list.
 */

const rowKey = ['account', 'id'] as const

/**
 * Adds the row of an accepted message. `id` is its stanza-id: a replay after a loss may find the row there, before those
 * of later messages, and there it stays.
 */
export function putIntoMailbox(scope: Scope, id: string, stanza: Stanza, at: number): void {
  const row = { account: scope.entity, id, kind: 'message', at, stanza: stanza.bytes }
  if (scope.turn.replayed) scope.turn.upsert(mailboxStore, mailboxTable, rowKey, row)
  else scope.turn.insert(mailboxStore, mailboxTable, row)
}

/** Removes the row: somebody has the message. */
function takeFromMailbox(scope: Scope, id: string): void {
  scope.turn.remove(mailboxStore, mailboxTable, rowKey, { account: scope.entity, id })
}

/**
 * Ids of mailbox rows that are on their way right now: to any session, or out of an archive to the one that is asked for.
 * A copy out of an archive keeps the message from nobody else.
 */
export function mailboxIdsInFlight(scope: Scope, forSession?: Session): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const session of scope.all(sessionStore).keys())
    for (const { mailbox, copy } of metaOf(scope, session))
      if (mailbox !== undefined && (!copy || session === forSession?.id)) ids.add(mailbox)
  return ids
}

/** Those of one session: in its queue, and held back from it. */
function mailboxIdsOf(scope: Scope, session: string): readonly string[] {
  return metaOf(scope, session).flatMap(({ mailbox }) => mailbox ?? [])
}

function metaOf(scope: Scope, session: string): readonly QueueMeta[] {
  return [...scope.turn.queue(session), ...heldOf(scope, session)].map(({ meta }) => meta)
}

/** A session has these messages: their rows go, and the other sessions that were sent them owe them to nobody. */
export function settle(scope: Scope, session: string, ids: readonly string[]): void {
  const fresh = new Set(ids.filter((id) => !isSettled(scope, session, id)))
  for (const id of fresh) takeFromMailbox(scope, id)
  for (const id of ids)
    if (!fresh.has(id)) scope.set(settledStore, settledKey(session, id), undefined)
  if (fresh.size > 0) noteSettled(scope, session, fresh)
}

/** Whether somebody else has a message that waits in this session's queue. */
export function isSettled(scope: Scope, session: string, id: string): boolean {
  return scope.get(settledStore, settledKey(session, id)) === true
}

function noteSettled(scope: Scope, by: string, ids: ReadonlySet<string>): void {
  for (const session of scope.all(sessionStore).keys()) {
    if (session === by) continue
    for (const id of mailboxIdsOf(scope, session))
      if (ids.has(id)) scope.set(settledStore, settledKey(session, id), true)
  }
}

function settledKey(session: string, id: string): string {
  return `${session} ${id}`
}
