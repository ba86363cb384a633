import { type XmlElement, xml } from '@tactus/xml'
import { NS_RSM } from './namespaces.ts'
import { StanzaError } from './stanza-error.ts'

/** Which page of a result set is wanted (XEP-0059 §2). */
export interface PageRequest {
  /** Items at most; 0 asks only for the count (§2.7). Already cut to what the caller allows. */
  readonly max: number
  /** The id after which the page starts, not included (§2.2). */
  readonly after?: string
  /** The id before which the page ends, not included (§2.4); empty asks for the last page (§2.5). */
  readonly before?: string
  /** The position at which the page starts (§2.6). */
  readonly index?: number
}

/** What a page says of itself (XEP-0059 §2.2). */
export interface PageSummary {
  /** The ids of the first and the last item; absent for an empty page. */
  readonly ends?: { readonly first: string; readonly last: string }
  /** Position of the first item in the whole set. */
  readonly index?: number | undefined
  /** Size of the whole set; may be approximate. */
  readonly count?: number | undefined
}

/** How many items a page has when nothing is asked, and at most. */
export interface PageLimits {
  readonly default: number
  readonly max: number
}

const maxIdLength = 1024

/**
 * Reads the `<set/>` of a request; without one it is the first page of default size.
 *
 * @param parent the element that may hold a `<set/>`.
 * @throws {StanzaError} `bad-request` for numbers that are none, and for anything said twice.
 */
export function readPageRequest(parent: XmlElement, limits: PageLimits): PageRequest {
  const set = only(parent, 'set')
  if (!set) return { max: limits.default }
  const max = readNumber(only(set, 'max')) ?? limits.default
  const index = readNumber(only(set, 'index'))
  const after = readId(only(set, 'after'))
  const before = readId(only(set, 'before'))
  return {
    max: Math.min(max, limits.max),
    // An empty <after/> is what clients send that have seen no item yet: the first page.
    ...(after && { after }),
    ...(before !== undefined && { before }),
    ...(index !== undefined && { index }),
  }
}

/** The `<set/>` of an answer. */
export function pageElement({ ends, index, count }: PageSummary): XmlElement {
  return xml(
    'set',
    { xmlns: NS_RSM },
    ends && xml('first', { index: index?.toString() }, ends.first),
    ends && xml('last', {}, ends.last),
    count !== undefined && xml('count', {}, count.toString()),
  )
}

function only(parent: XmlElement, name: string): XmlElement | undefined {
  const [element, ...others] = parent.getChildren(name, NS_RSM)
  if (others.length > 0) throw new StanzaError('bad-request', `There is more than one ${name}.`)
  return element
}

function readNumber(element: XmlElement | undefined): number | undefined {
  if (!element) return undefined
  const text = element.text().trim()
  if (!/^\d{1,9}$/.test(text))
    throw new StanzaError('bad-request', `The ${element.name} is not a number.`)
  return Number(text)
}

function readId(element: XmlElement | undefined): string | undefined {
  const text = element?.text()
  if (text && text.length > maxIdLength) throw new StanzaError('item-not-found')
  return text
}
