import { createHash } from 'node:crypto'
import { NS_DATA_FORMS, NS_DISCO_INFO } from '@tactus/stanza'
import type { Stanza, XmlElement } from '@tactus/xml'
import type { Verdict } from './verification.ts'

/** XEP-0390 §9. */
export const NS_CAPS2 = 'urn:xmpp:caps'
const NS_HASHES = 'urn:xmpp:hashes:2'

/** Hash functions by their names in XEP-0300, with Node's names; the strongest first. */
const functions: Readonly<Record<string, string>> = {
  'sha3-512': 'sha3-512',
  'sha3-256': 'sha3-256',
  'sha-512': 'sha512',
  'sha-256': 'sha256',
}

/** One hash of a Capability Hash Set (XEP-0390 §2), by a function that is known here. */
export interface CapabilityHash {
  readonly algorithm: string
  /** Base64. */
  readonly value: string
}

const longest = 256

/** Reads the hash that is to be relied on; undefined where there is none by a known function. */
export function readCapabilityHash(presence: Stanza): CapabilityHash | undefined {
  const hashes = presence.child('c', NS_CAPS2)?.getChildren('hash', NS_HASHES) ?? []
  for (const algorithm of Object.keys(functions)) {
    const value = hashes
      .find(({ attrs }) => attrs.algo === algorithm)
      ?.text()
      .trim()
    if (value && value.length <= longest) return { algorithm, value }
  }
  return undefined
}

/** The node that is asked about a hash (XEP-0390 §4.3). */
export function capabilityHashNode({ algorithm, value }: CapabilityHash): string {
  return `${NS_CAPS2}#${algorithm}.${value}`
}

/** Checks a disco#info `<query/>` against the hash that was announced (XEP-0390 §4.4). */
export function verifyCapabilityHash(
  { algorithm, value }: CapabilityHash,
  query: XmlElement,
): Verdict {
  const name = Object.hasOwn(functions, algorithm) ? functions[algorithm] : undefined
  if (name === undefined) return 'unverifiable'
  const text = hashInput(query)
  if (text === undefined) return 'forged'
  return createHash(name).update(text).digest('base64') === value ? 'verified' : 'forged'
}

/** Separators of §4.1: they are no characters of XML, so nothing can be read in two ways. */
const [afterList, afterForm, afterGroup, afterText] = ['\x1c', '\x1d', '\x1e', '\x1f']

/**
 * What is hashed (XEP-0390 §4.1); undefined for an answer that it calls an error.
 *
 * `xml:lang` is taken as it stands on each element. What it inherits from the stream the stanza does not tell, and an
 * answer that lives on that is not believed.
 */
export function hashInput(query: XmlElement): string | undefined {
  const children = query.getChildElements()
  if (!children.every((child) => isFeature(child) || isIdentity(child) || isForm(child)))
    return undefined
  const features = children.filter(isFeature).map(({ attrs }) => ended(attrs.var))
  const identities = children.filter(isIdentity).map(({ attrs }) => {
    const parts = [attrs.category, attrs.type, attrs['xml:lang'], attrs.name]
    return `${parts.map(ended).join('')}${afterGroup}`
  })
  const forms = children.filter(isForm).map(formText)
  if (forms.includes(undefined)) return undefined
  return [features, identities, forms].map((list) => `${joined(list)}${afterList}`).join('')
}

function formText(form: XmlElement): string | undefined {
  const isList = form.getChild('reported', NS_DATA_FORMS) ?? form.getChild('item', NS_DATA_FORMS)
  const fields = form.getChildren('field', NS_DATA_FORMS)
  const type = fields.find(({ attrs }) => attrs.var === 'FORM_TYPE')
  if (isList || type?.attrs.type !== 'hidden') return undefined
  const texts = fields.map((field) => {
    const values = field.getChildren('value', NS_DATA_FORMS).map((value) => ended(value.text()))
    return `${ended(field.attrs.var)}${joined(values)}${afterGroup}`
  })
  return `${joined(texts)}${afterForm}`
}

function ended(text: string | undefined): string {
  return `${text ?? ''}${afterText}`
}

/** In the collation i;octet. */
function joined(texts: readonly (string | undefined)[]): string {
  return texts
    .map((text) => Buffer.from(text ?? ''))
    .sort(Buffer.compare)
    .join('')
}

const isFeature = (child: XmlElement): boolean => child.is('feature', NS_DISCO_INFO)
const isIdentity = (child: XmlElement): boolean => child.is('identity', NS_DISCO_INFO)
const isForm = (child: XmlElement): boolean => child.is('x', NS_DATA_FORMS)
