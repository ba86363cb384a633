import { mailboxIdsInFlight, type Scope, type Session } from '@tactus/core'
import { type BareJid, bare } from '@tactus/jid'
import { delayElement, stripDelays } from '@tactus/stanza'
import { type MailboxRow, mailboxStore } from '@tactus/storage'
import { Stanza } from '@tactus/xml'

/**
 * Messages that are handed over at once. The rest follows when the client has acknowledged these: a session's queue is
 * bounded, and live messages have to fit in beside them.
 */
export const portion = 100

/**
 * Hands waiting messages to a resource, oldest first. True when there are more.
 *
 * A row stays in the mailbox until a session acknowledged it; what is on its way to another resource is not sent twice.
 */
export function deliverPortion(scope: Scope, session: Session): boolean {
  const mailbox = scope.get(mailboxStore)
  if (!mailbox) return false
  const inFlight = mailboxIdsInFlight(scope, session)
  const waiting = mailbox.rows.filter(({ id }) => !inFlight.has(id))
  for (const row of waiting.slice(0, portion))
    scope.deliver(session, delayed(row, scope.host.name as BareJid), { mailbox: row.id })
  // What follows is asked for when this was acknowledged: where nothing went out, nothing would follow.
  return waiting.length > portion || (mailbox.more && waiting.length > 0)
}

/** True for a resource that gets messages for the account (RFC 6121 §8.5.2.1.1). */
export function isReachable({ presence }: Pick<Session, 'presence'>): boolean {
  return presence !== undefined && presence.priority >= 0
}

/** XEP-0160 §3, XEP-0203 §2: since when it waits, in the server's name and nobody else's. */
function delayed({ stanza, at }: MailboxRow, server: BareJid): Stanza {
  const message = stripDelays(Stanza.parse(stanza), [server, bare(server)])
  return message.append(delayElement({ from: server, stamp: at, reason: 'Offline Storage' }))
}
