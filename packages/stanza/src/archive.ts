import { type BareJid, bare, isFull, resourcepart, tryParseJid } from '@tactus/jid'
import { Stanza, type XmlElement, xml } from '@tactus/xml'
import { findForm, formElement, formTypeField, formTypeOf, readForm } from './data-form.ts'
import { formatDateTime, parseDateTime } from './date-time.ts'
import { delayElement } from './delay.ts'
import { NS_CLIENT, NS_FORWARD } from './namespaces.ts'
import { type PageSummary, pageElement } from './result-set.ts'
import { StanzaError } from './stanza-error.ts'

/** XEP-0313 §10.1. */
export const NS_ARCHIVE = 'urn:xmpp:mam:2'
/** XEP-0313 §7: ids, flipped pages, metadata. */
export const NS_ARCHIVE_EXTENDED = 'urn:xmpp:mam:2#extended'
/** XEP-0313 §7: the field is understood; there are no groupchat messages. */
export const NS_ARCHIVE_GROUPCHAT = 'urn:xmpp:mam:2#groupchat-field'
/** XEP-0431 §2. */
export const NS_FULL_TEXT = 'urn:xmpp:fulltext:0'

/** The field that searches for words (XEP-0431). */
export const fullTextField: string = `{${NS_FULL_TEXT}}fulltext`

/** What a query asks for (XEP-0313 §4.1). */
export interface ArchiveQuery {
  readonly peer?: BareJid
  readonly resource?: string
  readonly start?: number
  readonly end?: number
  readonly beforeId?: string
  readonly afterId?: string
  readonly ids?: readonly string[]
  readonly text?: string
}

/** One stanza of an archive. */
export interface ArchivedStanza {
  readonly id: string
  /** Wall clock, ms. */
  readonly at: number
  readonly stanza: Uint8Array
}

type ArchiveEnd = Pick<ArchivedStanza, 'id' | 'at'>
type Read = (values: readonly string[]) => ArchiveQuery

/** Every field that is understood, and how it is offered (§4.1.5). */
const fields: Readonly<Record<string, { readonly type: string; readonly read: Read }>> = {
  with: { type: 'jid-single', read: ([jid = '']) => readWith(jid) },
  start: { type: 'text-single', read: ([text = '']) => ({ start: readTime(text) }) },
  end: { type: 'text-single', read: ([text = '']) => ({ end: readTime(text) }) },
  'before-id': { type: 'text-single', read: ([id = '']) => ({ beforeId: id }) },
  'after-id': { type: 'text-single', read: ([id = '']) => ({ afterId: id }) },
  ids: { type: 'list-multi', read: (ids) => ({ ids: [...new Set(ids)] }) },
  // There are none, so whoever wants them left out and who wants them get the same.
  'include-groupchat': { type: 'boolean', read: () => ({}) },
  [fullTextField]: { type: 'text-single', read: ([text = '']) => ({ text }) },
}

/**
 * Reads the form of a query (XEP-0313 §4.1); `without` names fields that mean nothing in this archive.
 *
 * @throws {StanzaError} `feature-not-implemented` for a field that is not known (§4.1.5), `bad-request` for a bad value
 */
export function readArchiveQuery(query: XmlElement, ...without: readonly string[]): ArchiveQuery {
  const element = findForm(query)
  if (!element) return {}
  const form = readForm(element)
  if (formTypeOf(form) !== NS_ARCHIVE)
    throw new StanzaError('bad-request', `The FORM_TYPE has to be ${NS_ARCHIVE}.`)
  let found: ArchiveQuery = {}
  for (const { var: name = '', values } of form.fields) {
    if (name === 'FORM_TYPE') continue
    const isKnown = Object.hasOwn(fields, name) && !without.includes(name)
    const field = isKnown ? fields[name] : undefined
    if (!field) throw new StanzaError('feature-not-implemented', `There is no field ${name}.`)
    // An empty field is one that was not filled in.
    const given = values.filter((value) => value !== '')
    if (given.length > 0) found = { ...found, ...field.read(given) }
  }
  return found
}

/**
 * XEP-0313 §4.1.5: the form that says which fields there are, but for those that mean nothing here; `ids` is open, as no list of
 * them can be given.
 */
export function archiveQueryForm(...without: readonly string[]): XmlElement {
  const known = Object.entries(fields).filter(([name]) => !without.includes(name))
  const offered = known.map(([name, { type }]) =>
    xml(
      'field',
      { type, var: name },
      name === 'ids' &&
        xml(
          'validate',
          { xmlns: 'http://jabber.org/protocol/xdata-validate', datatype: 'xs:string' },
          xml('open'),
        ),
    ),
  )
  const form = formElement({ type: 'form', fields: [formTypeField(NS_ARCHIVE)] })
  for (const field of offered) form.append(field)
  return xml('query', { xmlns: NS_ARCHIVE }, form)
}

/** XEP-0313 §4.2: one message of a page, as the resource that asked gets it. */
export function archiveResult(
  row: ArchivedStanza,
  to: string,
  from: string,
  options: { readonly id: string; readonly queryId: string | undefined },
): Stanza {
  const message = Stanza.parse(row.stanza).inNamespace(NS_CLIENT).element
  const forwarded = xml(
    'forwarded',
    { xmlns: NS_FORWARD },
    delayElement({ stamp: row.at }),
    message,
  )
  const attrs = { xmlns: NS_ARCHIVE, queryid: options.queryId, id: row.id }
  const head = { xmlns: NS_CLIENT, id: options.id, to, from }
  return Stanza.from(xml('message', head, xml('result', attrs, forwarded)))
}

/**
 * XEP-0313 §4: the end of a page. What is committed does not change any more, so every answer is stable, which needs no saying
 * (§4.3.1).
 */
export function archiveFin(page: PageSummary & { readonly complete: boolean }): XmlElement {
  const complete = page.complete ? 'true' : undefined
  return xml('fin', { xmlns: NS_ARCHIVE, complete }, pageElement(page))
}

/** XEP-0313 §5: where an archive begins and ends. */
export function archiveMetadata(
  ends: { readonly first: ArchiveEnd; readonly last: ArchiveEnd } | undefined,
): XmlElement {
  const end = (name: string, { id, at }: ArchiveEnd): XmlElement =>
    xml(name, { id, timestamp: formatDateTime(at) })
  return xml(
    'metadata',
    { xmlns: NS_ARCHIVE },
    ends && [end('start', ends.first), end('end', ends.last)],
  )
}

function readWith(text: string): ArchiveQuery {
  const jid = tryParseJid(text)
  if (!jid) throw new StanzaError('jid-malformed', 'The address in with is no JID.')
  const resource = isFull(jid) ? resourcepart(jid) : undefined
  return { peer: bare(jid), ...(resource !== undefined && { resource }) }
}

function readTime(text: string): number {
  const time = parseDateTime(text)
  if (time === undefined)
    throw new StanzaError('bad-request', 'start and end are times as of XEP-0082.')
  return time
}
