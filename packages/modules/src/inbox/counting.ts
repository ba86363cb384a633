import { messageType } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'

/** XEP-0333 §5: the markers that say that a message, and all before it, was read (XEP-0430 §4). */
const NS_MARKERS = 'urn:xmpp:chat-markers:0'

/** What changes or is about an earlier message; each may have a body for clients that do not know it (XEP-0428). */
const ancillary = [
  ['replace', 'urn:xmpp:message-correct:0'],
  ['retract', 'urn:xmpp:message-retract:1'],
  ['reactions', 'urn:xmpp:reactions:0'],
  ['apply-to', 'urn:xmpp:fasten:0'],
  ['received', 'urn:xmpp:receipts'],
  ['received', NS_MARKERS],
  ['displayed', NS_MARKERS],
  ['acknowledged', NS_MARKERS],
] as const

/** XEP-0384 in both versions, XEP-0373, XEP-0027: there is something to read inside. */
const encryptions = [
  ['encrypted', 'eu.siacs.conversations.axolotl'],
  ['encrypted', 'urn:xmpp:omemo:2'],
  ['openpgp', 'urn:xmpp:openpgp:0'],
  ['x', 'jabber:x:encrypted'],
] as const

const has = (message: Stanza, kinds: readonly (readonly [string, string])[]): boolean =>
  kinds.some(([name, ns]) => message.hasChild(name, ns))

/** Whether somebody says something that can be read or left unread (XEP-0430 §4: an instant message). */
export function isInstantMessage(message: Stanza): boolean {
  if (messageType(message) === 'error' || has(message, ancillary)) return false
  return message.hasChild('body', message.ns) || has(message, encryptions)
}

/** The id of the message up to which a marker says that all was read. */
export function markedAsRead(message: Stanza): string | undefined {
  if (messageType(message) === 'error') return undefined
  const marker = message.child('displayed', NS_MARKERS) ?? message.child('acknowledged', NS_MARKERS)
  return marker?.attrs.id
}
