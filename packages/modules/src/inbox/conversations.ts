import type { Scope } from '@tactus/core'
import type { BareJid } from '@tactus/jid'
import { type InboxRow, inboxStore } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import { isInstantMessage } from './counting.ts'
import { addUnseen, readUpTo } from './unseen.ts'

/** What went into the archive, as the archive tells it. */
export interface Archived {
  readonly scope: Scope
  readonly message: Stanza
  readonly id: string
  readonly owner: string
  readonly peer: BareJid
  readonly incoming: boolean
}

/**
 * Notes in a conversation what was archived of it, in the same step. True where the conversation is a new one.
 *
 * XEP-0430 §4: who says something has read what was said before; what others say is unread until they did, or a marker
 * says so.
 */
export function noteArchived({ scope, message, id, owner, peer, incoming }: Archived): boolean {
  const before = scope.get(inboxStore, peer)
  if (!isInstantMessage(message)) {
    if (before) scope.set(inboxStore, peer, { ...before, last: id, owner })
    return false
  }
  const isUnread = incoming && peer !== scope.entity
  const after: InboxRow = {
    at: scope.now,
    last: id,
    message: id,
    owner,
    unread: isUnread ? (before?.unread ?? 0) + 1 : 0,
    unseen: isUnread ? addUnseen(before?.unseen ?? '', message.id, id) : '',
  }
  scope.set(inboxStore, peer, after)
  return before === undefined
}

/** Notes that somebody read a conversation up to a message: `origin` is its sender's id, `id` that of the archive. */
export function noteRead(scope: Scope, peer: BareJid, by: 'origin' | 'id', id: string): void {
  const before = scope.get(inboxStore, peer)
  if (!before || before.unread === 0) return
  const left = readUpTo(before.unseen, by, id)
  if (left) scope.set(inboxStore, peer, { ...before, unread: left.count, unseen: left.unseen })
}
