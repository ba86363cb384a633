import type { XmlElement } from '@tactus/xml'
import { NS_ORDER } from './namespaces.ts'
import { StanzaError } from './stanza-error.ts'

/** In which order the results of a request are wanted (XEP-0413). */
export interface Order {
  /** When an item was published first, or when it was last overwritten. */
  readonly by: 'creation' | 'modification'
  readonly descending: boolean
}

/** The disco features of orders in a protocol (XEP-0413, Discovering Support). */
export function orderFeatures(ns: string): readonly string[] {
  return [NS_ORDER, `${NS_ORDER}@${ns}`]
}

/**
 * Reads the `<order/>` of a request; undefined where it has none.
 *
 * The topmost decides: further ones are for results that are equal, and each has a number of its own.
 * @throws {StanzaError} `feature-not-implemented` for an order that is not known, `bad-request` for what is none
 */
export function readOrder(parent: XmlElement): Order | undefined {
  const [order] = parent.getChildren('order', NS_ORDER).map(({ attrs: { by, desc = 'false' } }) => {
    if (by === undefined || !/^(?:true|false|[01])$/.test(desc))
      throw new StanzaError('bad-request', 'An order says by what, and desc is a boolean.')
    if (by !== 'creation' && by !== 'modification')
      throw new StanzaError('feature-not-implemented', `There is no order by ${by}.`)
    return { by, descending: desc === 'true' || desc === '1' } satisfies Order
  })
  return order
}
