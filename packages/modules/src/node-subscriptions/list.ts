import type { Scope } from '@tactus/core'
import { type KeyValueStore, keyValueStore } from '@tactus/storage'
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

/** Which list it is (§4.3); undefined while there has never been one. */
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
 * Takes down what a service says of its node, and tells all devices that are there of whatever changed (§4.2): those that
 * come later ask for the list.
 */
export function takeDown(scope: Scope, service: string, { node, subid, state }: NodeNews): void {
  const list = subscriptionsOf(scope)
  const isMeant = (each: NodeSubscription): boolean =>
    each.service === service &&
    each.node === node &&
    (subid === undefined || each.subid === undefined || each.subid === subid)
  const before = list.filter(isMeant)
  const others = list.filter((each) => !isMeant(each))
  if (state === undefined) {
    const gone = before.map((each) => ({ ...each, state }))
    return keep(scope, others, gone)
  }
  const known = before.length > 0 ? before : [{ service, node, subid, state: undefined }]
  const after = known.map((each) => ({ ...each, subid: subid ?? each.subid, state }))
  const news = after.filter(
    (each, index) => known[index]?.state !== each.state || known[index]?.subid !== each.subid,
  )
  keep(scope, [...others, ...after], news)
}

type Change = Parameters<typeof notice>[0]

function keep(scope: Scope, list: readonly NodeSubscription[], changes: readonly Change[]): void {
  if (changes.length === 0) return
  const version = scope.makeId()
  // An empty list stays, for its version: that one is another than those before.
  scope.set(listStore, '', { list: JSON.stringify(list), version })
  for (const change of changes) {
    const message = notice(change, scope.entity, { id: scope.makeId(), ver: version })
    for (const session of scope.sessions())
      if (session.presence) scope.deliver(session, message, { to: session.jid })
  }
}
