import { tryParseJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

/** XEP-0016 §7.1. */
export const NS_PRIVACY = 'jabber:iq:privacy'

const kinds = ['message', 'iq', 'presence-in', 'presence-out'] as const
const subscriptions: readonly string[] = ['both', 'from', 'none', 'to']
const maxOrder = 0xff_ff_ff_ff
/** RFC 7622 lets a JID be of that size; names and groups need no more. */
const maxValueBytes = 3_071

/** A kind of stanzas that a rule may be limited to (XEP-0016 §2.1). */
export type Kind = (typeof kinds)[number]

/** One rule of a list. */
export interface Rule {
  /** What `value` is; undefined for the fall-through case, which is about everybody. */
  readonly type: 'group' | 'jid' | 'subscription' | undefined
  readonly value: string
  readonly allow: boolean
  readonly order: number
  /** None stands for all stanzas, in both directions. */
  readonly kinds: readonly Kind[]
}

/** Which list a client wants to have applied, to itself or to the account; undefined for none. */
export interface Choice {
  readonly what: 'active' | 'default'
  readonly name: string | undefined
}

/** How a client wants a list to be; without rules it is to be removed. */
export interface Edit {
  readonly what: 'list'
  readonly name: string
  readonly rules: readonly Rule[]
}

/**
 * The list that is asked for; undefined for the names of all (§2.3).
 *
 * @throws {StanzaError} `bad-request` for more than one
 */
export function readQuery(query: XmlElement): string | undefined {
  const [list, ...others] = query.getChildElements()
  if (!list) return undefined
  if (others.length > 0 || list.getName() !== 'list') refuse('ask for one list at a time')
  return nameOf(list) ?? refuse('a list has a name')
}

/**
 * What a request is to change (§2.4 to §2.8).
 *
 * @throws {StanzaError} `bad-request`
 */
export function readChange(query: XmlElement): Choice | Edit {
  const [child, ...others] = query.getChildElements()
  if (!child || others.length > 0) return refuse('change one thing at a time')
  const what = child.getName()
  const name = nameOf(child)
  if (what === 'active' || what === 'default') return { what, name }
  if (what !== 'list') return refuse('what is changed is active, default or a list')
  return { what, name: name ?? refuse('a list has a name'), rules: readRules(child) }
}

/** The names of all lists, preceded by those that apply (§2.3). */
export function namesElement(lists: {
  readonly active: string | undefined
  readonly byDefault: string | undefined
  readonly names: readonly string[]
}): XmlElement {
  const { active, byDefault, names } = lists
  return xml('query', { xmlns: NS_PRIVACY }, [
    ...(active === undefined ? [] : [xml('active', { name: active })]),
    ...(byDefault === undefined ? [] : [xml('default', { name: byDefault })]),
    ...names.map((name) => xml('list', { name })),
  ])
}

/** One list; without rules what a push says: that it changed. */
export function listElement(name: string, rules: readonly Rule[] = []): XmlElement {
  return xml('query', { xmlns: NS_PRIVACY }, xml('list', { name }, rules.map(ruleElement)))
}

function ruleElement({ type, value, allow, order, kinds: limits }: Rule): XmlElement {
  const about = type === undefined ? {} : { type, value }
  const attrs = { ...about, action: allow ? 'allow' : 'deny', order: String(order) }
  return xml(
    'item',
    attrs,
    limits.map((kind) => xml(kind)),
  )
}

function readRules(list: XmlElement): readonly Rule[] {
  const rules = list.getChildElements().map(readRule)
  const orders = new Set(rules.map(({ order }) => order))
  if (orders.size < rules.length) refuse('each rule has an order of its own')
  return rules.toSorted((one, other) => one.order - other.order)
}

function readRule(item: XmlElement): Rule {
  if (item.getName() !== 'item') refuse('a list has items')
  const { action, order = '' } = item.attrs
  if (action !== 'allow' && action !== 'deny') refuse('an action is allow or deny')
  if (!/^\d{1,10}$/.test(order) || Number(order) > maxOrder) refuse('an order is a whole number')
  const limits = item.getChildElements().map((child) => child.getName() as Kind)
  if (!limits.every((kind) => kinds.includes(kind)))
    refuse('a rule is about stanzas of other kinds')
  const base = { allow: action === 'allow', order: Number(order), kinds: [...new Set(limits)] }
  return { ...base, ...readSubject(item) }
}

function readSubject(item: XmlElement): Pick<Rule, 'type' | 'value'> {
  const { type, value = '' } = item.attrs
  switch (type) {
    case undefined:
      return { type, value: '' }
    case 'jid':
      return { type, value: tryParseJid(value) ?? refuse('the value is no JID') }
    case 'group':
      return { type, value: isShort(value) ? value : refuse('the value is no group') }
    case 'subscription':
      return { type, value: subscriptions.includes(value) ? value : refuse('no such subscription') }
    default:
      return refuse('a type is jid, group or subscription')
  }
}

function nameOf(element: XmlElement): string | undefined {
  const { name } = element.attrs
  return name === undefined || isShort(name) ? name : refuse('the name is too long')
}

function isShort(text: string): boolean {
  return Buffer.byteLength(text) <= maxValueBytes
}

function refuse(text: string): never {
  throw new StanzaError('bad-request', text)
}
