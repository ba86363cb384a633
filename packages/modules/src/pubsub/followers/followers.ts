import type { NodeType } from '@tactus/core'
import { bare, type Jid } from '@tactus/jid'
import { NS_PUBLIC_SUBSCRIPTIONS } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import { mayAccess } from '../access.ts'
import { makeDerived } from '../attachments/derived.ts'
import { isDerived } from '../attachments/names.ts'
import { publishItem, retractItems } from '../publish.ts'
import { findNode, type Node, type Service } from '../service.ts'
import type { People } from '../store.ts'
import { followersName, followersPrefix, isPublic } from './names.ts'

/** Nodes that tell who publicly subscribed to others (XEP-0465 §4.4). They are the server's: nobody else publishes there. */
export const followersKind: NodeType = {
  node: followersPrefix,
  family: true,
  payload: NS_PUBLIC_SUBSCRIPTIONS,
  managed: true,
  forced: {
    'pubsub#persist_items': true,
    'pubsub#max_items': 'max',
    'pubsub#send_last_published_item': 'never',
    'pubsub#notify_retract': true,
    'pubsub#item_expire': 'max',
  },
}

/** Keeps such a node in step with the subscriptions, whatever changed these. */
export function followPublicly(node: Node, before: People, after: People): void {
  if (isDerived(node.name)) return
  const [former, current] = [followersIn(before), followersIn(after)]
  const gone = [...former].filter((person) => !current.has(person))
  const come = [...current].filter((person) => !former.has(person))
  if (gone.length + come.length === 0) return
  const { service, name } = node
  const known = findNode(service, followersName(name))
  if (known) retractItems(known, gone, true)
  if (come.length === 0) return
  const list = known ?? makeDerived(node, followersName(name))
  for (const id of come) {
    const payload = xml('subscriber', { xmlns: NS_PUBLIC_SUBSCRIPTIONS, jid: id })
    publishItem(list, { id, payload, publisher: service.address })
  }
}

/** The node of a request. One that tells who follows is there without having been made: nobody does yet, but may. */
export function findAsked(service: Service, name: string, from: Jid): Node | undefined {
  const node = findNode(service, name)
  if (node || !name.startsWith(followersPrefix)) return node
  const base = findNode(service, name.slice(followersPrefix.length))
  if (!base || isDerived(base.name) || !mayAccess(base, from)) return undefined
  return makeDerived(base, name)
}

/** SECURITY: accounts only; what resource somebody uses is nobody's business. */
function followersIn({ subscriptions }: People): ReadonlySet<Jid> {
  const all = [...subscriptions.values()].filter(
    ({ state, options }) => state === 'subscribed' && isPublic(options),
  )
  return new Set(all.map(({ jid }) => bare(jid as Jid)))
}
