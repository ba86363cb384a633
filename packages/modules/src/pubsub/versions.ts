import type { FormField } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { itemsOf, type Node } from './service.ts'
import { pubsubError } from './wire.ts'

/** XEP-0395 §3 */
export const NS_VERSIONS = 'urn:xmpp:pubsub:cap:0'
/** The version that the last item of a node has to have, for a publication to happen (XEP-0395 §4). */
const previousField = 'pubsub#prev_item_cap_value'

/**
 * What tells the versions of items (XEP-0395 §4); undefined where there are none.
 *
 * A version is the number of the publication: no other content of the node, earlier or later, has it.
 */
export function versionMap(
  items: readonly { readonly id: string; readonly seq: number }[],
): XmlElement | undefined {
  if (items.length === 0) return undefined
  const entries = items.map(({ id, seq }) =>
    xml('cap-v-map-entry', { 'item-id': id, 'cap-value': String(seq) }),
  )
  return xml('cap-v-map', { xmlns: NS_VERSIONS }, entries)
}

/** Whether a field of `<publish-options/>` demands a version. */
export function isPrevious({ var: name }: FormField): boolean {
  return name === previousField
}

/** The version that it demands, empty for no item at all. */
export function previousIn({ values }: FormField): string {
  return values[0] ?? ''
}

/**
 * Refuses a publication after which something would be lost that its publisher has not seen.
 *
 * @throws {StanzaError} `conflict` with the version that there is
 */
export function requirePrevious(node: Node, previous: string): void {
  const last = itemsOf(node).at(-1)
  const version = last ? String(last.seq) : ''
  if (version === previous) return
  const detail = xml('compare-and-publish-failed', { xmlns: NS_VERSIONS, 'cap-id': version })
  throw pubsubError('conflict', 'precondition-not-met', { type: 'modify', detail })
}
