import { messageBody, messageType, NS_HINTS } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'

/** What a message is to somebody who is not there. */
export interface Importance {
  /** A call rings now or never (XEP-0353). */
  readonly isCall: boolean
  /** What may be read of it; undefined where it is encrypted. */
  readonly body: string | undefined
}

const NS_CARBONS = 'urn:xmpp:carbons:2'
const NS_CALLS = 'urn:xmpp:jingle-message:0'
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
 * chat states, receipts, headlines, errors, copies (XEP-0280) and what is not to be kept (XEP-0334 §4.2).
 */
export function importanceOf(message: Stanza): Importance | undefined {
  const type = messageType(message)
  if (type === 'error' || type === 'headline') return undefined
  if (message.hasChild('received', NS_CARBONS) || message.hasChild('sent', NS_CARBONS))
    return undefined
  if (message.hasChild('propose', NS_CALLS)) return { isCall: true, body: undefined }
  if (message.hasChild('no-store', NS_HINTS)) return undefined
  if (encryptions.some(([name, ns]) => message.hasChild(name, ns)))
    return { isCall: false, body: undefined }
  const body = messageBody(message)
  return body ? { isCall: false, body } : undefined
}
