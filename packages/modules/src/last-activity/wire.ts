import { type XmlElement, xml } from '@tactus/xml'

/** XEP-0012 §8. */
export const NS_LAST = 'jabber:iq:last'

/** The answer of XEP-0012 §3; `elapsed` in ms. A clock that went backwards makes it 0, never less. */
export function lastElement(elapsed: number, status?: string): XmlElement {
  const seconds = Math.max(0, Math.floor(elapsed / 1_000))
  return xml('query', { xmlns: NS_LAST, seconds: String(seconds) }, status)
}
