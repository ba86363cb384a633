import type { DataForm, StanzaError } from '@tactus/stanza'
import { unsupported } from './wire.ts'

const fields: readonly string[] = ['pubsub#collection', 'pubsub#children']

/**
 * Refuses what only collections have (XEP-0248): all nodes are leaves. Were it passed over, somebody would have a leaf, and
 * believe that it is a collection, or is in one.
 *
 * @throws {StanzaError} `feature-not-implemented` with the feature `collections` (XEP-0248 §7.1.3.1)
 */
export function requireLeaf(form: DataForm): void {
  for (const { var: name = '', values } of form.fields) {
    const isCollection = name === 'pubsub#node_type' && values[0] === 'collection'
    // §7.2.1: an empty one is the root, where every node is.
    const isLinked = fields.includes(name) && values.some((value) => value !== '')
    if (isCollection || isLinked) throw noCollections()
  }
}

/** What is said of collections whatever is asked of them. */
export function noCollections(): StanzaError {
  return unsupported('collections')
}
