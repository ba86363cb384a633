import { bare, tryParseJid } from '@tactus/jid'
import {
  childrenOf,
  messageBody,
  messageType,
  NS_CLIENT,
  NS_FORWARD,
  NS_HINTS,
} from '@tactus/stanza'
import { Stanza } from '@tactus/xml'

/** What a message is to somebody who is not there. */
export interface Importance {
  /** A call rings now or never (XEP-0353). */
  readonly isCall: boolean
  /** What may be read of it; undefined where it is encrypted. */
  readonly body: string | undefined
  /** Who says it. */
  readonly sender: string | undefined
}

const NS_CARBONS = 'urn:xmpp:carbons:2'
const NS_CALLS = 'urn:xmpp:jingle-message:0'
/** XEP-0452, and what rooms here tell members who are away. */
const roomNotices = [
  ['mentions', 'urn:xmpp:mmn:0'],
  ['absent', 'urn:tactus:room:absent'],
] as const
/** XEP-0384 in both versions, XEP-0373, XEP-0027, and XEP-0380 for whatever else. */
const encryptions = [
  ['encrypted', 'eu.siacs.conversations.axolotl'],
  ['encrypted', 'urn:xmpp:omemo:2'],
  ['openpgp', 'urn:xmpp:openpgp:0'],
  ['x', 'jabber:x:encrypted'],
  ['encryption', 'urn:xmpp:eme:0'],
] as const

/**
 * What of a message is worth to wake somebody: something to read or to decipher, or a call. Undefined for all else:
 * chat states, receipts, headlines, errors, copies (XEP-0280) and what is not to be kept (XEP-0334 §4.2). A line that a
 * room forwards to a member who is not there is worth what it is worth itself.
 */
export function importanceOf(message: Stanza): Importance | undefined {
  const line = forwardedLine(message)
  if (line) return importanceOf(line)
  const type = messageType(message)
  if (type === 'error' || type === 'headline') return undefined
  if (message.hasChild('received', NS_CARBONS) || message.hasChild('sent', NS_CARBONS))
    return undefined
  if (message.hasChild('propose', NS_CALLS))
    return { isCall: true, body: undefined, sender: message.from }
  if (message.hasChild('no-store', NS_HINTS)) return undefined
  if (encryptions.some(([name, ns]) => message.hasChild(name, ns)))
    return { isCall: false, body: undefined, sender: message.from }
  const body = messageBody(message)
  return body ? { isCall: false, body, sender: message.from } : undefined
}

/** SECURITY: only a line of the room that forwards it (XEP-0452 §4). */
function forwardedLine(message: Stanza): Stanza | undefined {
  const type = messageType(message)
  if (type === 'error' || type === 'groupchat') return undefined
  for (const [name, ns] of roomNotices) {
    const forwarded = message.child(name, ns)?.getChild('forwarded', NS_FORWARD)
    const line = forwarded?.getChild('message', NS_CLIENT)
    if (line?.attrs.type !== 'groupchat') continue
    const from = tryParseJid(line.attrs.from ?? '')
    if (from && bare(from) === message.from) return Stanza.from(line)
  }
  return undefined
}

/** Whether an account is mentioned by its address (XEP-0372 §3.2), which is to be known to it whatever room it is in. */
export function mentions(message: Stanza, account: string): boolean {
  const references = childrenOf(message, 'reference', 'urn:xmpp:reference:0')
  return references.some(({ attrs }) => attrs.type === 'mention' && attrs.uri === `xmpp:${account}`)
}
