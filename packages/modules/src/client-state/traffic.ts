import {
  messageType,
  NS_CLIENT,
  NS_DELAY,
  NS_FORWARD,
  NS_HINTS,
  NS_STANZA_IDS,
  presenceType,
} from '@tactus/stanza'
import type { Stanza, XmlElement } from '@tactus/xml'

/** Whether a stanza may wait until somebody looks at the client, and what makes an older one of its kind useless. */
export type Traffic =
  | { readonly mayWait: false }
  | { readonly mayWait: true; readonly about: string | undefined }

const atOnce: Traffic = { mayWait: false }

const NS_CHAT_STATES = 'http://jabber.org/protocol/chatstates'
const NS_PUBSUB_EVENT = 'http://jabber.org/protocol/pubsub#event'
const NS_MUC_USER = 'http://jabber.org/protocol/muc#user'
const NS_CARBONS = 'urn:xmpp:carbons:2'

/**
 * Children of a message that nobody needs to be woken for. What is not here goes out at once: a payload that is unknown
 * today may be a call tomorrow.
 */
const unhurried = new Set([
  NS_CHAT_STATES,
  NS_PUBSUB_EVENT,
  'urn:xmpp:receipts',
  'urn:xmpp:chat-markers:0',
  'urn:xmpp:reactions:0',
])
/** Children that only say something about the others. */
const attendants = new Set([
  NS_HINTS,
  NS_STANZA_IDS,
  NS_DELAY,
  'jabber:x:delay',
  'urn:xmpp:occupant-id:0',
  'http://jabber.org/protocol/address',
  'http://jabber.org/protocol/shim',
])
/** Items named in one notification of which it is looked at what they are. */
const mostItems = 16

/**
 * Sorts what is on its way to an inactive client (XEP-0352 §3.2).
 *
 * May wait: presence of others, of which the newest of a full JID counts; chat states, receipts, markers, reactions;
 * notifications of pubsub, of which the newest of an item counts; copies of what the account itself said elsewhere. All
 * else is for now: requests and their answers, subscriptions, errors, and every message with something to read, to hear
 * or to decipher.
 */
export function classify(stanza: Stanza, self: string): Traffic {
  if (stanza.name === 'message') return classifyMessage(stanza)
  return stanza.name === 'presence' ? classifyPresence(stanza, self) : atOnce
}

function classifyPresence(presence: Stanza, self: string): Traffic {
  const type = presenceType(presence)
  if (type !== 'available' && type !== 'unavailable') return atOnce
  // What it said itself comes back as the answer (RFC 6121 §4.2.2); so does its own presence in a room (XEP-0045 §7.2.2).
  if (presence.from === self || isOwnInRoom(presence)) return atOnce
  return { mayWait: true, about: `presence ${presence.from}` }
}

function isOwnInRoom(presence: Stanza): boolean {
  const statuses = presence.child('x', NS_MUC_USER)?.getChildren('status') ?? []
  return statuses.some(({ attrs }) => attrs.code === '110')
}

function classifyMessage(message: Stanza): Traffic {
  // What was said on another device is on the screen of somebody who sits in front of that one.
  if (message.hasChild('sent', NS_CARBONS)) return { mayWait: true, about: undefined }
  const received = message.child('received', NS_CARBONS)
  if (received) return classifyCopy(received)
  const told = tellsOf(message.children)
  if (messageType(message) === 'error' || !told) return atOnce
  return { mayWait: true, about: subject(message, told) }
}

/** A copy is as urgent as what it is a copy of. */
function classifyCopy(received: XmlElement): Traffic {
  const message = received.getChild('forwarded', NS_FORWARD)?.getChild('message', NS_CLIENT)
  const children = message?.getChildElements() ?? []
  const told = tellsOf(children.map((child) => ({ name: child.name, ns: child.getNS() ?? '' })))
  if (message?.attrs.type === 'error' || !told) return atOnce
  return { mayWait: true, about: undefined }
}

/** Namespaces of what a message tells, when nobody needs to be woken for any of it; else undefined. */
function tellsOf(
  children: readonly { readonly name: string; readonly ns: string }[],
): ReadonlySet<string> | undefined {
  const told = new Set<string>()
  for (const { name, ns } of children) {
    if (attendants.has(ns) || (ns === NS_CLIENT && name === 'thread')) continue
    if (!unhurried.has(ns)) return undefined
    told.add(ns)
  }
  return told.size > 0 ? told : undefined
}

/** A newer one about the same leaves nothing that the older could tell. */
function subject(message: Stanza, told: ReadonlySet<string>): string | undefined {
  if (told.size !== 1) return undefined
  // XEP-0085 §5.1: one state at a time.
  if (told.has(NS_CHAT_STATES)) return `state ${message.from}`
  return told.has(NS_PUBSUB_EVENT) ? item(message) : undefined
}

/** Item by item, not node by node: of a node with several items the others are still to be told. */
function item(message: Stanza): string | undefined {
  const events = message.child('event', NS_PUBSUB_EVENT)?.getChildElements() ?? []
  const [items] = events
  if (!items || events.length > 1 || !items.is('items')) return undefined
  const told = items.getChildElements()
  if (told.length > mostItems) return undefined
  const ids = told.map(({ attrs }) => String(attrs.id ?? ''))
  return JSON.stringify(['item', message.from, items.attrs.node, ...ids])
}
