import type { Nodes, Scope } from '@tactus/core'
import { type KeyValueStore, keyValueStore } from '@tactus/storage'
import { tellFollowed } from './followed.ts'
import { type NodeNews, type NodeSubscription, notice } from './wire.ts'

/** The subscriptions of an account as JSON, oldest first, and the version of the list; the key is `''`. */
export const listStore: KeyValueStore<{ readonly list: string; readonly version: string }> =
  keyValueStore({
    name: 'node-subscriptions',
    table: 'node_subscription',
    columns: { list: 'text', version: 'text' },
  })

/** Bounds of the list of one account. */
export interface ListLimits {
  readonly subscriptions: number
  readonly bytes: number
}

export function subscriptionsOf(scope: Scope): readonly NodeSubscription[] {
  const stored = scope.get(listStore)
  return stored ? (JSON.parse(stored.list) as readonly NodeSubscription[]) : []
}

/** Which list it is (§3.3); undefined while there has never been one. */
export function versionOf(scope: Scope): string | undefined {
  return scope.get(listStore)?.version
}

/** Whether the list takes what is asked for, and what is asked for already, besides. */
export function hasRoom(
  scope: Scope,
  wanted: readonly { readonly service: string; readonly node: string }[],
  limits: ListLimits,
): boolean {
  const list = subscriptionsOf(scope)
  // Each with the rest of what is kept of it.
  const bytes = Buffer.byteLength(JSON.stringify([...list, ...wanted])) + wanted.length * 512
  return list.length + wanted.length <= limits.subscriptions && bytes <= limits.bytes
}

/**
 * Takes down what a service says of its node, and tells all devices that are there of whatever changed (§3.2): those that
 * come later ask for the list.
 */
export function takeDown(
  scope: Scope,
  service: string,
  { node, subid, state, isPublic }: NodeNews,
  nodes: Nodes | undefined,
): void {
  const list = subscriptionsOf(scope)
  const isMeant = (each: NodeSubscription): boolean =>
    each.service === service &&
    each.node === node &&
    (subid === undefined || each.subid === undefined || each.subid === subid)
  const before = list.filter(isMeant)
  const others = list.filter((each) => !isMeant(each))
  if (state === undefined) {
    const gone = before.map((each) => ({ ...each, state }))
    return keep(scope, { list: others, changes: gone, nodes })
  }
  const known =
    before.length > 0 ? before : [{ service, node, subid, state: undefined, isPublic: undefined }]
  const after = known.map((each) => ({
    ...each,
    subid: subid ?? each.subid,
    state,
    isPublic: isPublic ?? each.isPublic,
  }))
  const news = after.filter(
    (each, index) =>
      known[index]?.state !== each.state ||
      known[index]?.subid !== each.subid ||
      (known[index]?.isPublic ?? false) !== (each.isPublic ?? false),
  )
  keep(scope, { list: [...others, ...after], changes: news, nodes })
}

type Change = Parameters<typeof notice>[0]

function keep(
  scope: Scope,
  {
    list,
    changes,
    nodes,
  }: {
    readonly list: readonly NodeSubscription[]
    readonly changes: readonly Change[]
    readonly nodes: Nodes | undefined
  },
): void {
  if (changes.length === 0) return
  if (nodes) tellFollowed(nodes, scope, subscriptionsOf(scope), list)
  const version = scope.makeId()
  // An empty list stays, for its version: that one is another than those before.
  scope.set(listStore, '', { list: JSON.stringify(list), version })
  for (const change of changes) {
    const message = notice(change, scope.entity, { id: scope.makeId(), ver: version })
    for (const session of scope.sessions())
      if (session.presence) scope.deliver(session, message, { to: session.jid })
  }
}
