import { type PageRequest, type PageSummary, StanzaError } from '@tactus/stanza'
import type { ItemEntry } from './store.ts'

/** One page of a node's items, with what it says of itself. */
export interface ItemPage {
  readonly items: readonly ItemEntry[]
  readonly summary: PageSummary
}

/**
 * Cuts a page out of items (XEP-0059 §2), their ids being the places; `cut` shortens one that is too large.
 *
 * @throws {StanzaError} `item-not-found` for a place that is not in the list (§2.2)
 */
export function pageOf(
  all: readonly ItemEntry[],
  request: PageRequest,
  cut: (page: readonly ItemEntry[]) => readonly ItemEntry[],
): ItemPage {
  const { max, before } = request
  const [start, items] =
    before === undefined ? forwards(all, request, cut) : backwards(all, before, max, cut)
  const [first, last] = [items[0], items.at(-1)]
  const ends = first && last && { first: first.id, last: last.id }
  return { items, summary: { count: all.length, ...(ends && { ends, index: start }) } }
}

type Place = readonly [start: number, items: readonly ItemEntry[]]
type Cut = (page: readonly ItemEntry[]) => readonly ItemEntry[]

function forwards(
  all: readonly ItemEntry[],
  { max, after, index = 0 }: PageRequest,
  cut: Cut,
): Place {
  if (index > all.length) throw new StanzaError('item-not-found')
  const start = after === undefined ? index : placeOf(all, after) + 1
  return [start, cut(all.slice(start, start + max))]
}

/** §2.4: the page ends at a place, so what is too much goes from its beginning. */
function backwards(all: readonly ItemEntry[], before: string, max: number, cut: Cut): Place {
  const end = before === '' ? all.length : placeOf(all, before)
  const items = cut(all.slice(Math.max(0, end - max), end).toReversed()).toReversed()
  return [end - items.length, items]
}

function placeOf(all: readonly ItemEntry[], id: string): number {
  const place = all.findIndex((item) => item.id === id)
  if (place === -1) throw new StanzaError('item-not-found')
  return place
}
