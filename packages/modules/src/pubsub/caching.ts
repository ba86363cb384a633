import type { FormField } from '@tactus/stanza'
import { itemExpire, settingOf } from './fields.ts'
import { keepsItems, type Node } from './service.ts'

/** XEP-0460 */
export const NS_CACHING = 'urn:xmpp:pubsub-caching:0'

/** What a client may rely on that keeps a copy of a node (XEP-0460 §3). */
export function cachingHints(node: Node): readonly FormField[] {
  const hint = (name: string, value: string): FormField => ({
    ...{ var: `{${NS_CACHING}}${name}`, type: name === 'persistence' ? 'list-single' : 'boolean' },
    values: [value],
  })
  return [
    {
      var: itemExpire.name,
      type: 'text-single',
      values: [String(settingOf(node.config, itemExpire))],
    },
    hint('persistence', keepsItems(node) ? 'persistent' : 'transient'),
    // Everybody who gets anything gets the same, in the order in which it was published.
    hint('consistent-items', 'true'),
    hint('consistent-set', 'true'),
    hint('stable-items', 'true'),
    // What is over goes without a word, and what is taken back where its publisher wants none.
    hint('always-notify', 'false'),
    hint('allowed-for-suggestions', 'false'),
    hint('purge-keep-last-item', 'false'),
  ]
}
