import { type Affiliation, affiliations, type Role, roles } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { NS_CLIENT, NS_DELAY, NS_STANZA_IDS, readDelay } from '@tactus/stanza'
import { type ChildSpan, parseElement, type Stanza, type XmlElement, xml } from '@tactus/xml'

/** Joining, and the feature itself (XEP-0045 §16.1). */
export const NS_MUC = 'http://jabber.org/protocol/muc'
/** What the room says of its occupants. */
export const NS_MUC_USER = 'http://jabber.org/protocol/muc#user'
/** Lists of affiliations and roles. */
export const NS_MUC_ADMIN = 'http://jabber.org/protocol/muc#admin'
/** Configuration and destruction. */
export const NS_MUC_OWNER = 'http://jabber.org/protocol/muc#owner'
/** FORM_TYPE of the configuration (§16.5.3). */
export const NS_ROOM_CONFIG = 'http://jabber.org/protocol/muc#roomconfig'
/** FORM_TYPE of what disco says of a room (§16.5.4). */
export const NS_ROOM_INFO = 'http://jabber.org/protocol/muc#roominfo'
/** Anonymous and stable names of occupants (XEP-0421). */
export const NS_OCCUPANT_ID = 'urn:xmpp:occupant-id:0'
/** Messages that their senders or moderators take back (XEP-0424). */
export const NS_RETRACT = 'urn:xmpp:message-retract:1'
/** Versions of the lists of affiliations (XEP-0463). */
export const NS_AFFILIATION_VERSIONS = 'urn:xmpp:muc:affiliations:0'
/** Roles of a room's own making (XEP-0317). */
export const NS_HATS = 'urn:xmpp:hats:0'

/** What an `<item/>` says (XEP-0045 §17.2). */
export interface ItemFacts {
  readonly affiliation: Affiliation
  readonly role: Role
  /** Real address, for those who may know it. */
  readonly jid?: string | undefined
  /** The new nickname, when somebody changes it. */
  readonly nick?: string | undefined
  readonly reason?: string | undefined
  readonly actor?:
    | { readonly nick?: string | undefined; readonly jid?: string | undefined }
    | undefined
}

/** The `<item/>` of an `<x/>` or of a list; `xmlns` where it stands in one. */
export function itemElement({
  affiliation,
  role,
  jid,
  nick,
  reason,
  actor,
}: ItemFacts): XmlElement {
  return xml(
    'item',
    { affiliation, role, jid, nick },
    actor && xml('actor', { nick: actor.nick, jid: actor.jid }),
    reason !== undefined && reason !== '' && xml('reason', null, reason),
  )
}

/** `<x xmlns='…muc#user'/>` with an item, status codes and more. */
export function userElement(
  codes: readonly number[],
  ...children: readonly (XmlElement | undefined)[]
): XmlElement {
  return xml(
    'x',
    { xmlns: NS_MUC_USER },
    children,
    [...new Set(codes)]
      .sort((one, other) => one - other)
      .map((code) => xml('status', { code: String(code) })),
  )
}

/** A presence that only the room has a say in. */
export function bareUnavailable(from: Jid): XmlElement {
  return xml('presence', { xmlns: NS_CLIENT, type: 'unavailable', from })
}

/** A message of the room itself to all. */
export function roomNotice(from: Jid, id: string, codes: readonly number[]): XmlElement {
  return xml('message', { xmlns: NS_CLIENT, type: 'groupchat', from, id }, userElement(codes))
}

/** An affiliation by its name on the wire. */
export function readAffiliation(text: string | undefined): Affiliation | undefined {
  return affiliations.find((known) => known === text)
}

/** A role by its name on the wire. */
export function readRole(text: string | undefined): Role | undefined {
  return roles.find((known) => known === text)
}

/**
 * Takes out of a stanza what only the room says.
 *
 * SECURITY: V42, every instance, or a client believes the second one.
 */
export function withoutClaims(stanza: Stanza, room: Jid): Stanza {
  const claims = (child: ChildSpan): boolean =>
    (child.ns === NS_OCCUPANT_ID && child.name === 'occupant-id') ||
    (child.ns === NS_HATS && child.name === 'hats') ||
    (child.name === 'x' && (child.ns === NS_MUC_USER || child.ns === NS_MUC)) ||
    isOurs(stanza, child, room)
  return stanza.without(claims)
}

/** A stanza-id or a delay that claims to be the room's. */
function isOurs(stanza: Stanza, child: ChildSpan, room: Jid): boolean {
  if (child.name === 'stanza-id' && child.ns === NS_STANZA_IDS)
    return childAt(stanza, child).attrs.by === room
  if (child.name !== 'delay' || child.ns !== NS_DELAY) return false
  const from = readDelay(childAt(stanza, child))?.from
  return from === undefined || from === room || from.startsWith(`${room}/`)
}

function childAt(stanza: Stanza, { start, end }: ChildSpan): XmlElement {
  return parseElement(stanza.bytes.subarray(start, end), stanza.ns)
}

/** True for a message that changes the subject: a subject and no body (§8.1). */
export function isSubjectChange(message: Stanza): boolean {
  return message.hasChild('subject', message.ns) && !message.hasChild('body', message.ns)
}

/** The text of a direct child; undefined where there is no such child. */
export function textOf(parent: XmlElement | undefined, name: string): string | undefined {
  const child = parent?.getChildElements().find((element) => element.name === name)
  return child?.text()
}
