import { formElement, formTypeField } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'

const NS_SERVER_INFO = 'http://jabber.org/network/serverinfo'

/** What addresses are for (XEP-0157 §3). */
export const purposes = [
  'abuse',
  'admin',
  'feedback',
  'sales',
  'security',
  'status',
  'support',
] as const
/** One of the purposes. */
export type Purpose = (typeof purposes)[number]
/** URIs by purpose: `mailto:…`, `xmpp:…`, `https:…`. */
export type ContactAddresses = Readonly<Record<Purpose, readonly string[]>>

/** The form of XEP-0157 §3; undefined when there is no address at all. */
export function addressForm(addresses: ContactAddresses): XmlElement | undefined {
  const fields = purposes
    .filter((purpose) => addresses[purpose].length > 0)
    .map((purpose) => ({ var: `${purpose}-addresses`, values: addresses[purpose] }))
  if (fields.length === 0) return undefined
  return formElement({ type: 'result', fields: [formTypeField(NS_SERVER_INFO), ...fields] })
}
