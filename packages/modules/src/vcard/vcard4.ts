import { clone, type XmlElement, xml } from '@tactus/xml'
import { NS_VCARD } from './wire.ts'

/** The format of XEP-0292 (RFC 6351), and the feature that says that it is known (§7). */
export const NS_VCARD4_FORMAT = 'urn:ietf:params:xml:ns:vcard-4.0'

/** How a property of vcard-temp, a path of names, is written in vCard4, and the other way round (XEP-0292 §11). */
interface Mapping {
  readonly old: readonly string[]
  readonly property: string
  readonly kind: 'text' | 'uri' | 'date'
  /** What stands before the value of a URI. */
  readonly scheme?: string
}

const mappings: readonly Mapping[] = [
  { old: ['FN'], property: 'fn', kind: 'text' },
  { old: ['NICKNAME'], property: 'nickname', kind: 'text' },
  { old: ['BDAY'], property: 'bday', kind: 'date' },
  { old: ['URL'], property: 'url', kind: 'uri' },
  { old: ['TITLE'], property: 'title', kind: 'text' },
  { old: ['ROLE'], property: 'role', kind: 'text' },
  { old: ['DESC'], property: 'note', kind: 'text' },
  { old: ['ORG', 'ORGNAME'], property: 'org', kind: 'text' },
  { old: ['EMAIL', 'USERID'], property: 'email', kind: 'text' },
  { old: ['TEL', 'NUMBER'], property: 'tel', kind: 'uri', scheme: 'tel:' },
  { old: ['JABBERID'], property: 'impp', kind: 'uri', scheme: 'xmpp:' },
]

/** Parts of a name by their names in both formats (XEP-0292 §11.4). */
const nameParts: readonly (readonly [string, string])[] = [
  ['FAMILY', 'surname'],
  ['GIVEN', 'given'],
  ['MIDDLE', 'additional'],
  ['PREFIX', 'prefix'],
  ['SUFFIX', 'suffix'],
]

/** Names of vcard-temp elements that a vCard4 says better. */
const mapped = new Set([...mappings.map(({ old }) => old[0]), 'N'])
const mappedNew = new Set([...mappings.map(({ property }) => property), 'n'])

/** A vcard-temp card that says what the vCard4 says, and keeps what that has no word for here. */
export function toVcardTemp(vcard4: XmlElement, before: XmlElement | undefined): XmlElement {
  const kept = before?.getChildElements().filter(({ name }) => !mapped.has(name)) ?? []
  const name = vcard4.getChild('n', NS_VCARD4_FORMAT)
  return xml(
    'vCard',
    { xmlns: NS_VCARD },
    mappings.flatMap((mapping) => oldOf(vcard4, mapping)),
    name &&
      xml(
        'N',
        null,
        nameParts.map(([old, part]) => textual(old, name.getChildText(part))),
      ),
    kept.map(clone),
  )
}

/** A vCard4 that says what the vcard-temp card says, and keeps what that has no word for. */
export function toVcard4(vcard: XmlElement, before: XmlElement | undefined): XmlElement {
  const kept = before?.getChildElements().filter(({ name }) => !mappedNew.has(name)) ?? []
  const name = vcard.getChild('N', NS_VCARD)
  return xml(
    'vcard',
    { xmlns: NS_VCARD4_FORMAT },
    mappings.flatMap((mapping) => newOf(vcard, mapping)),
    name &&
      xml(
        'n',
        null,
        nameParts.map(([old, part]) => textual(part, name.getChildText(old))),
      ),
    kept.map(clone),
  )
}

function oldOf(vcard4: XmlElement, { old, property, kind, scheme = '' }: Mapping): XmlElement[] {
  return vcard4.getChildren(property, NS_VCARD4_FORMAT).flatMap((element) => {
    const text = element.getChildText(kind)?.trim()
    if (!text) return []
    const value = text.startsWith(scheme) ? text.slice(scheme.length) : text
    return [nested(old, value)]
  })
}

function newOf(vcard: XmlElement, { old, property, kind, scheme = '' }: Mapping): XmlElement[] {
  const [name = '', inner] = old
  return vcard.getChildren(name, NS_VCARD).flatMap((element) => {
    const value = (inner === undefined ? element.text() : element.getChildText(inner))?.trim()
    return value ? [xml(property, null, xml(kind, null, `${scheme}${value}`))] : []
  })
}

function nested([name = '', inner]: readonly string[], value: string): XmlElement {
  return inner === undefined ? xml(name, null, value) : xml(name, null, xml(inner, null, value))
}

function textual(name: string, text: string | null | undefined): XmlElement | undefined {
  return text ? xml(name, null, text) : undefined
}
