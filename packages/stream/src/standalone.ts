import { NS_STREAMS } from '@tactus/stanza'
import { clone, serialize, type XmlElement } from '@tactus/xml'

/**
 * An element as a document of its own, for transports on which nothing stands around it; what belongs to the stream
 * itself has the prefix that clients look for.
 */
export function standalone(element: XmlElement, contentNs: string): string {
  const { xmlns = contentNs } = element.attrs
  if (xmlns !== NS_STREAMS) {
    if (element.attrs.xmlns !== undefined) return serialize(element)
    const whole = clone(element)
    whole.attrs.xmlns = contentNs
    return serialize(whole)
  }
  const inner = element.children
    .map((child) => (typeof child === 'string' ? child : serialize(child)))
    .join('')
  return `<stream:${element.name} xmlns:stream='${NS_STREAMS}'>${inner}</stream:${element.name}>`
}
