import { messageType, NS_HINTS } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'

/** A kind of message, and whether archives keep it. */
export interface ArchiveRule {
  /** What kind, for people. */
  readonly messages: string
  readonly kept: boolean
  readonly because: string
  matches(message: Stanza): boolean
}

const type =
  (...types: readonly string[]) =>
  (message: Stanza): boolean =>
    types.includes(messageType(message))

/** Has a child of that namespace, and of one of these names where any are given. */
const has =
  (ns: string, ...names: readonly string[]) =>
  (message: Stanza): boolean =>
    message.children.some(
      (child) => child.ns === ns && (names.length === 0 || names.includes(child.name)),
    )

const either =
  (...matchers: readonly ((message: Stanza) => boolean)[]) =>
  (message: Stanza): boolean =>
    matchers.some((matches) => matches(message))

const errors: ArchiveRule = {
  messages: 'errors',
  kept: false,
  because: 'nobody said anything',
  matches: type('error'),
}

const groupchat: ArchiveRule = {
  messages: 'type `groupchat`',
  kept: false,
  because: 'rooms have archives of their own',
  matches: type('groupchat'),
}

const headlines: ArchiveRule = {
  messages: 'type `headline`',
  kept: false,
  because: 'it is for now (RFC 6121 §5.2.2)',
  matches: type('headline'),
}

const unwanted: ArchiveRule = {
  messages: 'with `no-store` or `no-permanent-store`',
  kept: false,
  because: 'the sender asks for it (XEP-0334 §4); with the latter it still waits for who is away',
  matches: has(NS_HINTS, 'no-store', 'no-permanent-store'),
}

const wanted: ArchiveRule = {
  messages: 'with `store`',
  kept: true,
  because: 'the sender asks for it (XEP-0334 §4)',
  matches: has(NS_HINTS, 'store'),
}

const bodies: ArchiveRule = {
  messages: 'with a body',
  kept: true,
  because: 'it is what archives are for; corrections (XEP-0308) and replies (XEP-0461) are such',
  matches: (message) => message.hasChild('body', message.ns),
}

const encrypted: ArchiveRule = {
  messages: 'encrypted (OMEMO, XEP-0373, XEP-0027, XEP-0380)',
  kept: true,
  because: 'there is a body inside, or a key without which later ones cannot be read',
  matches: either(
    has('eu.siacs.conversations.axolotl', 'encrypted'),
    has('urn:xmpp:omemo:2', 'encrypted'),
    has('urn:xmpp:openpgp:0', 'openpgp'),
    has('jabber:x:encrypted', 'x'),
    has('urn:xmpp:eme:0', 'encryption'),
  ),
}

const changes: ArchiveRule = {
  messages: 'reactions, retractions, attachments to earlier messages (XEP-0444, 0424, 0422)',
  kept: true,
  because: 'they change what is in the archive',
  matches: either(
    has('urn:xmpp:reactions:0', 'reactions'),
    has('urn:xmpp:message-retract:1', 'retract'),
    has('urn:xmpp:fasten:0', 'apply-to'),
  ),
}

const receipts: ArchiveRule = {
  messages: 'delivery receipts and chat markers (XEP-0184, XEP-0333 §7)',
  kept: true,
  because: 'other devices learn from them what was received and read',
  matches: either(
    has('urn:xmpp:receipts', 'received'),
    has('urn:xmpp:chat-markers:0', 'received', 'displayed', 'acknowledged'),
  ),
}

const invitations: ArchiveRule = {
  messages: 'invitations to rooms (XEP-0249, XEP-0045 §7.8)',
  kept: true,
  because: 'a room says them once',
  matches: either(
    has('jabber:x:conference', 'x'),
    (message) =>
      message
        .child('x', 'http://jabber.org/protocol/muc#user')
        ?.getChildElements()
        .some((child) => child.getName() === 'invite' || child.getName() === 'decline') ?? false,
  ),
}

const others: ArchiveRule = {
  messages: 'anything else: chat states (XEP-0085), receipt requests, notifications',
  kept: false,
  because: 'it tells nothing later',
  matches: () => true,
}

/**
 * What the archives of accounts keep (XEP-0313 §6.1): the first rule that matches a message decides.
 * docs/generated/archive.md shows them.
 */
export const archiveRules: readonly ArchiveRule[] = [
  errors,
  groupchat,
  headlines,
  unwanted,
  wanted,
  bodies,
  encrypted,
  changes,
  receipts,
  invitations,
  others,
]

const subjects: ArchiveRule = {
  messages: 'changes of the subject (XEP-0045 §8.1)',
  kept: true,
  because: 'they are part of what was said (XEP-0313 §6.1.2)',
  matches: (message) => message.hasChild('subject', message.ns),
}

/**
 * What the archives of rooms keep (XEP-0313 §6.1.2) of what was said to all. Who read what would be more than what was
 * said, and tells nothing to those who were not there.
 */
export const roomArchiveRules: readonly ArchiveRule[] = [
  unwanted,
  wanted,
  bodies,
  subjects,
  encrypted,
  changes,
  others,
]

/** Whether archives keep a message, whatever the account prefers. */
export function isArchivable(
  message: Stanza,
  rules: readonly ArchiveRule[] = archiveRules,
): boolean {
  return rules.find(({ matches }) => matches(message))?.kept ?? false
}
