import { formatDateTime } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

/** XEP-0202 §4. */
export const NS_TIME = 'urn:xmpp:time'

/** The answer of XEP-0202 §3, in UTC: where a server stands is nobody's business. `now` in ms since 1970. */
export function timeElement(now: number): XmlElement {
  return xml(
    'time',
    { xmlns: NS_TIME },
    xml('tzo', null, '+00:00'),
    xml('utc', null, formatDateTime(now)),
  )
}
