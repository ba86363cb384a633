import { tryParseJid } from '@tactus/jid'
import { NS_CLIENT, NS_FORWARD, StanzaError } from '@tactus/stanza'
import { Stanza, type XmlElement, xml } from '@tactus/xml'

/** XEP-0356 §10. */
export const NS_PRIVILEGE = 'urn:xmpp:privilege:2'

/** The message that a privileged entity has forwarded (§5.3); undefined in any other message. */
export function forwardedMessage(message: Stanza): Stanza | undefined {
  const inner = message
    .child('privilege', NS_PRIVILEGE)
    ?.getChild('forwarded', NS_FORWARD)
    ?.getChild('message', NS_CLIENT)
  return inner && Stanza.from(inner)
}

/** A request that a privileged entity sends in an account's name (§6.3). */
export interface PrivilegedIq {
  readonly stanza: Stanza
  /** Namespace of what is asked. */
  readonly ns: string
}

/**
 * Reads `<privileged_iq/>` (§6.3).
 *
 * @throws {StanzaError} `forbidden` for what the server MUST refuse so, `bad-request` for what is none
 */
export function readPrivilegedIq(payload: XmlElement, account: string, type: string): PrivilegedIq {
  const inner = payload.getChild('iq', NS_CLIENT)
  if (!inner) throw new StanzaError('forbidden', 'the encapsulated iq is of jabber:client')
  const { from, id } = inner.attrs
  if (inner.attrs.type !== type) throw new StanzaError('forbidden', 'the types differ')
  if (from !== undefined && tryParseJid(from) !== account)
    throw new StanzaError('forbidden', 'the encapsulated iq is of somebody else')
  const [child, ...others] = inner.getChildElements()
  if (!id || !child || others.length > 0) throw new StanzaError('bad-request')
  return { stanza: Stanza.from(inner), ns: child.getNS() ?? '' }
}

/** What a privileged entity gets of the answer (§6.3, last example). */
export function answeredElement(answer: Stanza): XmlElement {
  return xml(
    'privilege',
    { xmlns: NS_PRIVILEGE },
    xml('forwarded', { xmlns: NS_FORWARD }, answer.element),
  )
}
