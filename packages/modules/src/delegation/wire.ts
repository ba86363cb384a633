import type { DiscoContribution, Identity } from '@tactus/core'
import { tryParseJid } from '@tactus/jid'
import { NS_CLIENT, NS_DISCO_INFO, NS_FORWARD } from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'

/** XEP-0355 §12.1. */
export const NS_DELEGATION = 'urn:xmpp:delegation:2'
/** §7.2.4: disco#info of nodes of accounts that the server does not know. */
export const anyInfo: string = `${NS_DELEGATION}:bare:disco#info:*`
/** §7.2.5: disco#items of accounts, and of nodes that the server does not know. */
export const anyItems: string = `${NS_DELEGATION}:bare:disco#items:*`

/** §7.2: where a managing entity says what is to be said of a namespace, for its host or for the accounts of it. */
export function nestedNode(target: 'account' | 'domain', namespace: string): string {
  return `${NS_DELEGATION}${target === 'account' ? ':bare:' : '::'}${namespace}`
}

/** §4.3: what the managing entity is sent. */
export function forwardElement(request: Stanza): XmlElement {
  const forwarded = xml('forwarded', { xmlns: NS_FORWARD }, request.element)
  return xml('delegation', { xmlns: NS_DELEGATION }, forwarded)
}

/** A request as it has to be answered. */
export interface Forwarded {
  readonly from: string
  readonly to: string | undefined
  readonly id: string
}

/**
 * The payload of the result that a managing entity answers with; false for an answer that is bad or none (§4.3). `from` may
 * be left out, as all examples do.
 */
export function readAnswer(
  answer: Stanza,
  { from, to, id }: Forwarded,
): XmlElement | undefined | false {
  if (answer.type !== 'result') return false
  const inner = answer
    .child('delegation', NS_DELEGATION)
    ?.getChild('forwarded', NS_FORWARD)
    ?.getChild('iq', NS_CLIENT)
  if (inner?.attrs.type !== 'result' || inner.attrs.id !== id) return false
  if (!isSame(inner.attrs.to, from)) return false
  if (inner.attrs.from !== undefined && !isSame(inner.attrs.from, to)) return false
  const [payload, ...others] = inner.getChildElements()
  return others.length === 0 && payload
}

function isSame(said: string | undefined, meant: string | undefined): boolean {
  return said !== undefined && meant !== undefined && tryParseJid(said) === tryParseJid(meant)
}

/** What disco#info tells, as plain data: a managing entity of a namespace, or the server of all others. */
export interface Nested {
  readonly identities: readonly Identity[]
  readonly features: readonly string[]
  /** The forms of XEP-0128, in one element; empty for none. */
  readonly forms: string
}

/** Most features, identities and forms of one namespace, and most characters of the forms; what is beyond is left out. */
const most = { entries: 256, forms: 16_384 }

/** §7.2.1: what was answered for a node; nothing where it was refused. */
export function readNested(answer: Stanza): Nested {
  const query = answer.type === 'result' ? answer.child('query', NS_DISCO_INFO) : undefined
  const all = (name: string): readonly XmlElement[] =>
    (query?.getChildren(name, NS_DISCO_INFO) ?? []).slice(0, most.entries)
  const nested = asNested({
    identities: all('identity').map(({ attrs: { category = '', type = '', name } }) => ({
      category,
      type,
      ...(name !== undefined && { name }),
    })),
    features: all('feature').flatMap(({ attrs }) => attrs.var ?? []),
    forms: query?.getChildren('x', 'jabber:x:data') ?? [],
  })
  return nested.forms.length > most.forms ? { ...nested, forms: '' } : nested
}

/** What disco#info tells, as plain data. */
export function asNested({
  identities = [],
  features = [],
  forms = [],
}: DiscoContribution): Nested {
  const text = forms.length > 0 ? xml('forms', { xmlns: NS_DELEGATION }, forms).toString() : ''
  return { identities, features, forms: text }
}

/** The answer to disco#info (XEP-0030 §3.1). */
export function infoElement({
  identities = [],
  features = [],
  forms = [],
}: DiscoContribution): XmlElement {
  return xml(
    'query',
    { xmlns: NS_DISCO_INFO },
    identities.map(({ category, type, name }) => xml('identity', { category, type, name })),
    [...new Set(features)].sort().map((feature) => xml('feature', { var: feature })),
    forms,
  )
}
