import {
  booleanField,
  type FieldKind,
  findForm,
  formElement,
  integerField,
  listMultiField,
  offerForm,
  type PageRequest,
  pageElement,
  readForm,
  readPageRequest,
  readSubmission,
  type StanzaCondition,
  StanzaError,
  type StanzaErrorOptions,
  textField,
} from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { fold, type ListedRoom, type RoomQuery } from './directory.ts'

/** XEP-0433 §4.1. */
export const NS_SEARCH = 'urn:xmpp:channel-search:0:search'
const NS_PARAMS = 'urn:xmpp:channel-search:0:search-params'
const NS_ORDER = 'urn:xmpp:channel-search:0:order'
const NS_ERROR = 'urn:xmpp:channel-search:0:error'
const NS_ANONYMITY = 'urn:xmpp:channel-search:0:anonymity'

const byUsers = `{${NS_ORDER}}nusers`
const byAddress = `{${NS_ORDER}}address`
const rooms = 'xep-0045'
/** Terms of one search. */
const mostTerms = 8

/** A key that is not known has an error of its own (§4.2.2.2), so any text is read. */
const keyField: FieldKind<string> = {
  type: 'list-single',
  options: [
    { value: byUsers, label: 'Number of online users' },
    { value: byAddress, label: 'Address' },
  ],
  read: ([text = '']) => text,
  write: (value) => [value],
}

const flag = (label: string) => ({ kind: booleanField, label })

const definition = {
  q: { kind: textField(250), label: 'Search for' },
  all: flag('Return all entries (ignore search terms)'),
  sinname: flag('Search in name'),
  sindescription: flag('Search in description'),
  sinaddress: flag('Search in address'),
  min_users: { kind: integerField({ min: 0, max: 1_000_000 }), label: 'Minimum number of users' },
  types: {
    kind: listMultiField({
      'xep-0045': 'XEP-0045 Multi User Chats',
      'xep-0369': 'XEP-0369 MIX channels',
    }),
    label: 'Service types',
  },
  key: { kind: keyField, label: 'Sort results by' },
} as const

const defaults = {
  sinname: true,
  sindescription: true,
  sinaddress: true,
  min_users: 1,
  types: ['xep-0045'],
  key: byUsers,
} as const

/** The form to search with (§4.2.1). */
export function searchForm(): XmlElement {
  const form = formElement(offerForm(NS_PARAMS, definition, defaults))
  return xml('search', { xmlns: NS_SEARCH }, form)
}

/** What is searched for, and which page of it. */
export interface Question {
  readonly query: RoomQuery
  readonly page: PageRequest
}

/** Limits of searching. */
export interface SearchLimits {
  readonly page: number
  readonly letters: number
  /** Whether all rooms may be asked for. */
  readonly all: boolean
}

/**
 * Reads a search (§4.2.2); undefined where only the form is asked for.
 *
 * @throws {StanzaError} with the application conditions of §4.2.2
 */
export function readQuestion(search: XmlElement, limits: SearchLimits): Question | undefined {
  const element = findForm(search)
  if (!element) return undefined
  const form = readForm(element)
  // The table of §6.1 and the form of §4.2.1 do not spell it alike.
  const fields = form.fields.map((field) =>
    field.var === 'sinaddr' ? { ...field, var: 'sinaddress' } : field,
  )
  const values = { ...defaults, ...readSubmission({ ...form, fields }, NS_PARAMS, definition) }
  const text = values.q?.trim() ?? ''
  if (values.key !== byUsers && values.key !== byAddress)
    throw refusal('feature-not-implemented', 'invalid-sort-key', { type: 'modify' })
  const terms = values.all ? allOf(text, limits) : termsOf(text, limits)
  const page = readPageRequest(search, { default: limits.page, max: limits.page })
  if (page.before !== undefined || page.index !== undefined)
    throw new StanzaError('feature-not-implemented', 'Pages are asked for forwards.')
  return {
    page,
    query: {
      terms,
      inName: values.sinname,
      inDescription: values.sindescription,
      inAddress: values.sinaddress,
      leastUsers: values.min_users,
      none: !(values.types as readonly string[]).includes(rooms),
      byUsers: values.key === byUsers,
    },
  }
}

function allOf(text: string, { all }: SearchLimits): readonly string[] {
  if (text !== '') throw conflicting('all', 'q')
  if (!all) throw refusal('not-allowed', 'full-set-retrieval-rejected', { type: 'cancel' })
  return []
}

/** SECURITY: short terms are in every name, and so cost as much as all rooms. */
function termsOf(text: string, { letters }: SearchLimits): readonly string[] {
  if (text === '') throw refusal('bad-request', 'no-search-conditions')
  const terms = fold(text)
    .split(/\s+/)
    .filter((term) => Buffer.byteLength(term) >= letters)
  if (terms.length === 0)
    throw refusal('bad-request', 'invalid-search-terms', {
      type: 'modify',
      text: `Search for ${letters} letters or more.`,
    })
  return terms.slice(0, mostTerms)
}

function refusal(
  condition: StanzaCondition,
  application: string,
  { text, ...options }: StanzaErrorOptions & { readonly text?: string } = {},
): StanzaError {
  const element = xml(application, { xmlns: NS_ERROR })
  return new StanzaError(condition, text, { ...options, application: element })
}

function conflicting(...fields: readonly string[]): StanzaError {
  const element = xml(
    'conflicting-fields',
    { xmlns: NS_ERROR },
    fields.map((name) => xml('var', null, name)),
  )
  const text = 'Cannot both return all results and search by keywords.'
  return new StanzaError('bad-request', text, { type: 'modify', application: element })
}

/** §4.2.2.4: too many search at the moment. */
export function busy(seconds: number): StanzaError {
  const limit = xml('rate-limit', { xmlns: NS_ERROR, 'retry-after': String(seconds) })
  return new StanzaError('resource-constraint', undefined, { type: 'wait', application: limit })
}

/** §4.2.2.1: a page of what was found; `more`: it is not the last. */
export function resultElement(
  found: readonly ListedRoom[],
  ends: PageEnds | undefined,
): XmlElement {
  const items = found.map(itemElement)
  return xml('result', { xmlns: NS_SEARCH }, [...items, ...(ends ? [pageElement({ ends })] : [])])
}

/** Opaque names of the first and the last item of a page. */
export interface PageEnds {
  readonly first: string
  readonly last: string
}

/** §6.2 */
function itemElement(room: ListedRoom): XmlElement {
  const text = (name: string, value: string) => value !== '' && xml(name, null, value)
  return xml(
    'item',
    { address: room.address },
    text('name', room.name),
    text('description', room.description),
    text('language', room.language),
    xml('nusers', null, String(room.users)),
    xml('service-type', null, rooms),
    room.is_open === 1 && xml('is-open'),
    xml(
      'anonymity-mode',
      null,
      room.is_shown === 1 ? `{${NS_ANONYMITY}}none` : 'muc_semianonymous',
    ),
  )
}
