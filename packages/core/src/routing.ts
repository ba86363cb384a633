import {
  isSubscriptionType,
  type MessageType,
  messageType,
  NS_ARCHIVE,
  presenceType,
} from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import type { Session } from './scope.ts'

/** What becomes of a message that reached the recipient's account. */
export type MessageRoute =
  | { readonly to: readonly Session[] }
  /** Nobody is there: into the mailbox when it may be stored, else dropped. */
  | 'wait'
  | 'refuse'
  | 'drop'

const NS_CHAT_STATES = 'http://jabber.org/protocol/chatstates'
const NS_HINTS = 'urn:xmpp:hints'

/** Resources that get messages for the bare JID: available with a priority of 0 or more (RFC 6121 §8.5.2.1.1). */
export function reachable(sessions: readonly Session[]): readonly Session[] {
  return sessions.filter(({ presence }) => presence !== undefined && presence.priority >= 0)
}

/**
 * RFC 6121 §8.5: who gets a message, by its type and by who is there.
 *
 * Of the choices the RFC leaves, chat and normal messages for the bare JID go to all reachable resources, not to the
 * most available one: people carry several devices.
 */
export function routeMessage(
  type: MessageType,
  sessions: readonly Session[],
  resource: string | undefined,
): MessageRoute {
  if (resource === undefined) return toBare(type, sessions)
  const matching = sessions.find((session) => session.resource === resource)
  // §8.5.3.1: a matching resource gets it, whatever its availability.
  if (matching) return { to: [matching] }
  // §8.5.3.2.1
  if (type === 'chat') return toBare('chat', sessions)
  return type === 'headline' || type === 'error' ? 'drop' : 'refuse'
}

function toBare(type: MessageType, sessions: readonly Session[]): MessageRoute {
  if (type === 'groupchat') return 'refuse'
  if (type === 'error') return 'drop'
  const to = reachable(sessions)
  if (to.length > 0) return { to }
  return type === 'headline' ? 'drop' : 'wait'
}

/**
 * True for a message that is kept until somebody has it (design §3.6; XEP-0160 §3, XEP-0334).
 *
 * Chat states alone tell nothing later, so they are not kept; nor is what an archive was asked for (XEP-0313 §4.2), as it
 * is there.
 */
export function isStorable(stanza: Stanza): boolean {
  const type = messageType(stanza)
  if (type !== 'chat' && type !== 'normal') return false
  if (stanza.hasChild('no-store', NS_HINTS)) return false
  if (stanza.hasChild('body', stanza.ns) || stanza.hasChild('store', NS_HINTS)) return true
  if (stanza.hasChild('result', NS_ARCHIVE)) return false
  return stanza.children.some(
    ({ name, ns }) => ns !== NS_CHAT_STATES && ns !== NS_HINTS && name !== 'thread',
  )
}

/** True for what changes a subscription (RFC 6121 §3). */
export function isSubscription(stanza: Stanza): boolean {
  return stanza.name === 'presence' && isSubscriptionType(presenceType(stanza))
}

/** True for what may not be lost once it was acknowledged (design §3.6). */
export function isDurable(stanza: Stanza): boolean {
  return stanza.name === 'message' ? isStorable(stanza) : isSubscription(stanza)
}
