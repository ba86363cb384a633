import { createHash } from 'node:crypto'
import type { Nodes, NodeType, Scope } from '@tactus/core'
import { NS_PUBLIC_SUBSCRIPTIONS } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import type { NodeSubscription } from './wire.ts'

const name = 'urn:xmpp:pps:subscriptions:0'

/** What an account follows for all to see (XEP-0465 §4.2). It is there while there is anything to tell. */
export const followedNode: NodeType = {
  node: name,
  payload: NS_PUBLIC_SUBSCRIPTIONS,
  managed: true,
  // Whoever made a subscription public said so of everybody; the account may say otherwise of the node.
  config: {
    'pubsub#access_model': 'open',
    'pubsub#max_items': 'max',
    'pubsub#send_last_published_item': 'never',
    'pubsub#notify_retract': true,
  },
  forced: { 'pubsub#persist_items': true, 'pubsub#item_expire': 'max' },
}

/**
 * Keeps it in step with the list of subscriptions.
 *
 * SECURITY: without any the node goes, so that nobody tells by it such an account from one that is not there (§7).
 */
export function tellFollowed(
  nodes: Nodes,
  scope: Scope,
  before: readonly NodeSubscription[],
  after: readonly NodeSubscription[],
): void {
  const [former, current] = [followedIn(before), followedIn(after)]
  const gone = [...former.keys()].filter((id) => !current.has(id))
  if (gone.length > 0 && current.size === 0) return nodes.drop(scope, name)
  if (gone.length > 0) nodes.retract(scope, name, gone)
  for (const [id, { service: jid, node }] of current) {
    if (former.has(id)) continue
    const payload = xml('subscription', { xmlns: NS_PUBLIC_SUBSCRIPTIONS, node, jid })
    nodes.publish(scope, name, { id, payload })
  }
}

/** By a name that says nothing, and is the same each time. */
function followedIn(list: readonly NodeSubscription[]): ReadonlyMap<string, NodeSubscription> {
  const all = list.filter(({ state, isPublic }) => state === 'subscribed' && isPublic)
  return new Map(all.map((each) => [idOf(each), each]))
}

function idOf({ service, node }: NodeSubscription): string {
  return createHash('sha256').update(`${service}\0${node}`).digest('base64url').slice(0, 22)
}
