import type { DiscoItem } from '@tactus/core'
import { type PageRequest, type PageSummary, StanzaError } from '@tactus/stanza'

/** One page of a list, with what it says of itself. */
export interface ItemPage {
  readonly items: readonly DiscoItem[]
  readonly summary: PageSummary
}

/** The id of an item within its list (XEP-0059 §2.1): unique, and the same on every page. */
export function itemId({ jid, node }: DiscoItem): string {
  return node === undefined ? jid : `${jid} ${node}`
}

/**
 * Cuts a page out of a list (XEP-0059 §2).
 *
 * @throws {StanzaError} `item-not-found` for a place that is not in the list (§2.2)
 */
export function pageOf(all: readonly DiscoItem[], request: PageRequest): ItemPage {
  const [start, end] = boundsOf(all, request)
  const items = all.slice(start, end)
  const [first, last] = [items[0], items.at(-1)]
  const ends = first && last && { first: itemId(first), last: itemId(last) }
  return { items, summary: { count: all.length, ...(ends && { ends, index: start }) } }
}

function boundsOf(all: readonly DiscoItem[], request: PageRequest): readonly [number, number] {
  const { max, after, before, index = 0 } = request
  if (before !== undefined) {
    const end = before === '' ? all.length : placeOf(all, before)
    return [Math.max(0, end - max), end]
  }
  if (index > all.length) throw new StanzaError('item-not-found')
  const start = after === undefined ? index : placeOf(all, after) + 1
  return [start, start + max]
}

function placeOf(all: readonly DiscoItem[], id: string): number {
  const place = all.findIndex((item) => itemId(item) === id)
  if (place === -1) throw new StanzaError('item-not-found')
  return place
}
