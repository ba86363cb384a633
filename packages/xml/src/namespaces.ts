import type { Element } from '@xmpp/xml'

/** Bound to the prefix `xml` in every document, and to no other (Namespaces in XML §3). */
export const NS_XML = 'http://www.w3.org/XML/1998/namespace'
/** Bound to the prefix `xmlns`; nobody may declare it. */
export const NS_XMLNS = 'http://www.w3.org/2000/xmlns/'
/** The namespace of a stream's header, features and errors (RFC 6120 §4.8.1). */
export const NS_STREAMS = 'http://etherx.jabber.org/streams'
/** The namespace of a WebSocket stream's `<open/>` and `<close/>` (RFC 7395 §3.3). */
export const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing'

/** What a prefix ('' for none) stands for at this element, or undefined when nothing declares it. */
export function namespaceOf(element: Element, prefix: string): string | undefined {
  if (prefix === 'xml') return NS_XML
  if (prefix === 'xmlns') return NS_XMLNS
  const key = prefix === '' ? 'xmlns' : `xmlns:${prefix}`
  for (let at: Element | null = element; at; at = at.parent) {
    const own = Object.hasOwn(at.attrs, key) ? at.attrs[key] : undefined
    if (own !== undefined && own !== null) return String(own)
  }
  return undefined
}
