import type { Jid } from '@tactus/jid'
import { delayElement, NS_CLIENT } from '@tactus/stanza'
import { Stanza, type XmlElement, xml } from '@tactus/xml'

/** Asks contacts for their presence (RFC 6121 §4.3.1). */
export function probe(from: Jid): XmlElement {
  return xml('presence', { xmlns: NS_CLIENT, type: 'probe', from })
}

/** A resource is there, and has said nothing of itself. */
export function available(from: Jid): Stanza {
  return Stanza.from(xml('presence', { xmlns: NS_CLIENT, from }))
}

/** A resource is gone without a word of its own (RFC 6121 §4.5.2). */
export function unavailable(from: Jid): Stanza {
  return Stanza.from(xml('presence', { xmlns: NS_CLIENT, type: 'unavailable', from }))
}

/**
 * A subscription request as it is kept until it is answered (RFC 6121 §3.1.3), with the time it came (XEP-0203).
 *
 * What a stranger attached is kept with it up to `limit` bytes; beyond, only the request itself.
 */
export function storedRequest(request: Stanza, at: number, limit: number): Uint8Array {
  const kept = request.bytes.length > limit ? request.without(() => true) : request
  return kept.append(delayElement({ stamp: at })).bytes
}
