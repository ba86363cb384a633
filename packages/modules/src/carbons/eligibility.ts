import { messageType, NS_HINTS } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { type Direction, NS_CARBONS } from './wire.ts'

const NS_MUC_USER = 'http://jabber.org/protocol/muc#user'
const NS_DIRECT_INVITATION = 'jabber:x:conference'
/** What is typically used in instant messaging: XEP-0085, XEP-0184, XEP-0333. */
const imPayloads = [
  'http://jabber.org/protocol/chatstates',
  'urn:xmpp:receipts',
  'urn:xmpp:chat-markers:0',
]

/**
 * Whether a message is copied to the account's other resources, by the rules of XEP-0280 §6.1.
 *
 * `answersEligible` tells of an error that it answers a message that was copied.
 */
export function isEligible(
  message: Stanza,
  direction: Direction,
  answersEligible: (error: Stanza) => boolean,
): boolean {
  // §9, XEP-0334 §4.3
  if (message.hasChild('private', NS_CARBONS) || message.hasChild('no-copy', NS_HINTS)) return false
  const type = messageType(message)
  if (type === 'groupchat') return false
  if (type === 'error') return answersEligible(message)
  if (isInvitation(message)) return true
  // The room sends private messages to every joined resource itself.
  if (direction === 'received' && message.hasChild('x', NS_MUC_USER)) return false
  if (type === 'chat') return true
  if (type === 'normal' && message.hasChild('body', message.ns)) return true
  return imPayloads.some((ns) => message.hasChild(null, ns))
}

function isInvitation(message: Stanza): boolean {
  if (message.hasChild('x', NS_DIRECT_INVITATION)) return true
  return message.child('x', NS_MUC_USER)?.getChild('invite') !== undefined
}
