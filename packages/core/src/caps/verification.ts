import { createHash } from 'node:crypto'
import { NS_DATA_FORMS } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'
import type { Caps } from './wire.ts'

/** Hash functions by IANA name, with Node's names; XEP-0115 §5.1 demands the first. */
const hashes: Readonly<Record<string, string>> = {
  'sha-1': 'sha1',
  'sha-224': 'sha224',
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
}

/**
 * Whether a disco#info answer is what the hash promised.
 *
 * `unverifiable` is no proof of anything: such an answer is good for the one resource that gave it, never for all that
 * announce the same (XEP-0115 §5.4, rules 2 and 3).
 */
export type Verdict = 'verified' | 'forged' | 'unverifiable'

/**
 * Checks a disco#info `<query/>` against what a presence stanza announced (XEP-0115 §5.4).
 *
 * SECURITY: whoever poisons a cache that all accounts share decides what everybody's contacts can do. So everything
 * that two readings are possible of is forged: things said twice, and text that holds the separators of §5.1.
 */
export function verifyCaps({ hash, ver }: Caps, query: XmlElement): Verdict {
  const algorithm = hash !== undefined && Object.hasOwn(hashes, hash) ? hashes[hash] : undefined
  if (algorithm === undefined) return 'unverifiable'
  const text = verificationText(query)
  if (text === undefined) return 'forged'
  return createHash(algorithm).update(text).digest('base64') === ver ? 'verified' : 'forged'
}

/** A piece of the string, and what it is sorted by. */
interface Part {
  readonly key: readonly string[]
  readonly text: string
}

/** The string S of XEP-0115 §5.1 that is hashed; undefined for an answer that §5.4 calls ill-formed. */
export function verificationText(query: XmlElement): string | undefined {
  const texts = [
    inOrder(query.getChildren('identity').map(identityPart)),
    inOrder(query.getChildren('feature').map(featurePart)),
    inOrder(query.getChildren('x', NS_DATA_FORMS).filter(isExtension).map(formPart)),
  ]
  return texts.includes(undefined) ? undefined : texts.join('')
}

function identityPart({ attrs }: XmlElement): Part | undefined {
  const { category, type, name = '', 'xml:lang': lang = '' } = attrs
  if (!category || !type || [category, type, lang].some((part) => part.includes('/')))
    return undefined
  const key = [category, type, lang, name]
  return isPlain(key) ? { key, text: `${key.join('/')}<` } : undefined
}

function featurePart({ attrs }: XmlElement): Part | undefined {
  const { var: name } = attrs
  return name && isPlain([name]) ? { key: [name], text: `${name}<` } : undefined
}

/** §5.4, rule 3.6: forms of another make do not count. */
function isExtension(form: XmlElement): boolean {
  return formTypeField(form)?.attrs.type === 'hidden'
}

function formPart(form: XmlElement): Part | undefined {
  const typeField = formTypeField(form)
  const [type, ...others] = new Set(typeField && valuesOf(typeField))
  const fields = form.getChildren('field').filter((field) => field !== typeField)
  const text = inOrder(fields.map(fieldPart))
  if (!type || others.length > 0 || !isPlain([type]) || text === undefined) return undefined
  return { key: [type], text: `${type}<${text}` }
}

function fieldPart(field: XmlElement): Part | undefined {
  const { var: name } = field.attrs
  const values = valuesOf(field).toSorted(byOctets)
  if (!name || !isPlain([name, ...values])) return undefined
  return { key: [name], text: [name, ...values].map((part) => `${part}<`).join('') }
}

function formTypeField(form: XmlElement): XmlElement | undefined {
  return form.getChildren('field').find(({ attrs }) => attrs.var === 'FORM_TYPE')
}

function valuesOf(field: XmlElement): string[] {
  return field.getChildren('value').map((value) => value.text())
}

/** The parts' texts, sorted; undefined when one is no part or two have the same key. */
function inOrder(parts: readonly (Part | undefined)[]): string | undefined {
  const known = parts.filter((part) => part !== undefined)
  const sorted = known.toSorted((one, other) => compareKeys(one.key, other.key))
  const isTwice = sorted.some((part, at) => {
    const next = sorted[at + 1]
    return next !== undefined && compareKeys(part.key, next.key) === 0
  })
  if (isTwice || known.length < parts.length) return undefined
  return sorted.map(({ text }) => text).join('')
}

function compareKeys(one: readonly string[], other: readonly string[]): number {
  for (const [at, part] of one.entries()) {
    const order = byOctets(part, other[at] ?? '')
    if (order !== 0) return order
  }
  return 0
}

/** Nothing in it can be mistaken for the end of it. */
function isPlain(texts: readonly string[]): boolean {
  return texts.every((text) => !text.includes('<'))
}

/** The collation i;octet of RFC 4790 §9.3. */
function byOctets(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}
