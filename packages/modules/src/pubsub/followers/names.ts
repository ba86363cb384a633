import { NS_PUBLIC_SUBSCRIPTIONS } from '@tactus/stanza'
import type { ConfigTexts } from '../fields.ts'

/** What the names of nodes begin with that tell who subscribed to another one for all to see (XEP-0465 §4.4). */
export const followersPrefix = 'urn:xmpp:pps:subscribers:0/'

/** Name of the node that tells who publicly subscribed to a node. */
export function followersName(node: string): string {
  return followersPrefix + node
}

const publicOption = `{${NS_PUBLIC_SUBSCRIPTIONS}}public`

/** Whether the options of a subscription make it public. SECURITY: nothing but the subscriber's own word does. */
export function isPublic(options: ConfigTexts): boolean {
  return Object.hasOwn(options, publicOption)
}

/** Options of a subscription that is public from now on, or is not. */
export function withPublicity(options: ConfigTexts, wanted: boolean): ConfigTexts {
  const { [publicOption]: _, ...others } = options
  return wanted ? { ...others, [publicOption]: ['1'] } : others
}
