import { type Order, type PageRequest, type PageSummary, StanzaError } from '@tactus/stanza'
import type { ItemEntry } from './store.ts'

/** One page of a node's items, with what it says of itself. */
export interface ItemPage {
  readonly items: readonly ItemEntry[]
  readonly summary: PageSummary
}

/** A list of items, and how places in it are called. */
export interface ItemList {
  readonly items: readonly ItemEntry[]
  nameOf(item: ItemEntry): string
  /** How many items are ahead of a place, and how many up to and including it. @throws {StanzaError} `item-not-found` */
  around(place: string): readonly [ahead: number, passed: number]
}

/** The most recent first, their ids being the places (XEP-0060 §6.5). */
export function mostRecentFirst(items: readonly ItemEntry[]): ItemList {
  const all = items.toReversed()
  return {
    items: all,
    nameOf: ({ id }) => id,
    around(place) {
      const index = all.findIndex(({ id }) => id === place)
      if (index === -1) throw new StanzaError('item-not-found')
      return [index, index + 1]
    },
  }
}

/**
 * In the order that was asked for (XEP-0413).
 *
 * Places are the numbers that the order goes by: a page goes on where the one before ended, whatever was overwritten or
 * retracted meanwhile.
 */
export function ordered(items: readonly ItemEntry[], { by, descending }: Order): ItemList {
  const keyOf = ({ born, seq }: ItemEntry): number => (by === 'creation' ? born : seq)
  const direction = descending ? -1 : 1
  const all = items.toSorted((one, other) => direction * (keyOf(one) - keyOf(other)))
  return {
    items: all,
    nameOf: (item) => String(keyOf(item)),
    around(place) {
      if (!/^\d{1,16}$/.test(place)) throw new StanzaError('item-not-found')
      const distance = (item: ItemEntry): number => direction * (keyOf(item) - Number(place))
      const ahead = all.filter((item) => distance(item) < 0).length
      return [ahead, ahead + (all[ahead] && distance(all[ahead]) === 0 ? 1 : 0)]
    },
  }
}

/** The first of a list. */
export function firstOf(list: ItemList, count: number): ItemList {
  return { ...list, items: list.items.slice(0, count) }
}

/**
 * Cuts a page out of items (XEP-0059 §2); `cut` shortens one that is too large.
 *
 * @throws {StanzaError} `item-not-found` for a place that is not in the list (§2.2)
 */
export function pageOf(
  list: ItemList,
  request: PageRequest,
  cut: (page: readonly ItemEntry[]) => readonly ItemEntry[],
): ItemPage {
  const { max, before } = request
  const [start, items] =
    before === undefined ? forwards(list, request, cut) : backwards(list, before, max, cut)
  const [first, last] = [items[0], items.at(-1)]
  const ends = first && last && { first: list.nameOf(first), last: list.nameOf(last) }
  return { items, summary: { count: list.items.length, ...(ends && { ends, index: start }) } }
}

/** Whether a page is the last in the direction in which it was asked for. */
export function atEndOf(
  { items }: ItemList,
  {
    start,
    length,
    fromEnd,
  }: { readonly start: number; readonly length: number; readonly fromEnd: boolean },
): boolean {
  // Who asked for none of them knows nothing of an end, unless there are none.
  if (length === 0 && items.length > 0 && start === 0) return false
  return fromEnd ? start === 0 : start + length >= items.length
}

/** As many as one answer may carry; one in any case. */
export function fitting(entries: readonly ItemEntry[], limit: number): readonly ItemEntry[] {
  let bytes = 0
  const end = entries.findIndex((entry) => {
    bytes += entry.bytes
    return bytes > limit
  })
  return end < 0 ? entries : entries.slice(0, Math.max(1, end))
}

type Place = readonly [start: number, items: readonly ItemEntry[]]
type Cut = (page: readonly ItemEntry[]) => readonly ItemEntry[]

function forwards(list: ItemList, { max, after, index = 0 }: PageRequest, cut: Cut): Place {
  const { items: all } = list
  if (index > all.length) throw new StanzaError('item-not-found')
  const start = after === undefined ? index : list.around(after)[1]
  return [start, cut(all.slice(start, start + max))]
}

/** §2.4: the page ends at a place, so what is too much goes from its beginning. */
function backwards(list: ItemList, before: string, max: number, cut: Cut): Place {
  const { items: all } = list
  const end = before === '' ? all.length : Math.min(all.length, list.around(before)[0])
  const items = cut(all.slice(Math.max(0, end - max), end).toReversed()).toReversed()
  return [end - items.length, items]
}
