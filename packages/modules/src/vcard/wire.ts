import { StanzaError } from '@tactus/stanza'
import { serialize, type XmlElement, xml } from '@tactus/xml'

/** XEP-0054 §2. */
export const NS_VCARD = 'vcard-temp'

/** What the owner of an account without a vCard gets (XEP-0054 §3.1). */
export function emptyVcard(): XmlElement {
  return xml('vCard', { xmlns: NS_VCARD })
}

/** What a server says of itself (XEP-0292 §6 has such a card of a server). */
export function serverVcard(domain: string): XmlElement {
  return xml('vCard', { xmlns: NS_VCARD }, xml('FN', null, domain), xml('JABBERID', null, domain))
}

/**
 * The vCard as it is to be stored.
 *
 * @throws {StanzaError} `policy-violation` when it is larger than `limit` bytes
 */
export function readVcard(vcard: XmlElement, limit: number): string {
  const text = serialize(vcard)
  if (Buffer.byteLength(text) > limit)
    throw new StanzaError('policy-violation', `A vCard may have ${limit} bytes.`)
  return text
}
