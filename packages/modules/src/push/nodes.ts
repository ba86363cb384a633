import type { Scope } from '@tactus/core'
import { type KeyValueStore, keyValueStore } from '@tactus/storage'
import type { PublishOptions, PushAddress } from './wire.ts'

/** Where an account wants to be notified, and for which of its devices. */
export interface PushNode {
  /** Made when it is enabled; names its timer and its state. */
  readonly id: string
  readonly service: string
  readonly node: string
  /** SECURITY: secrets are among them. They go to the service and nowhere else, logs least of all. */
  readonly options: PublishOptions
  /** The resource that enabled it: the device that is woken. */
  readonly resource: string
}

/** The nodes of an account, oldest first, as JSON; the key is `''`. */
export const nodeStore: KeyValueStore<{ readonly nodes: string }> = keyValueStore({
  name: 'push',
  table: 'push_account',
  columns: { nodes: 'text' },
})

export function nodesOf(scope: Scope): readonly PushNode[] {
  const stored = scope.get(nodeStore)
  return stored ? (JSON.parse(stored.nodes) as readonly PushNode[]) : []
}

function keep(scope: Scope, nodes: readonly PushNode[]): void {
  scope.set(nodeStore, '', nodes.length > 0 ? { nodes: JSON.stringify(nodes) } : undefined)
}

/** Adds a node, or replaces it (§5: the last request counts). Answers those that had to go, beyond `limit` the oldest. */
export function addNode(scope: Scope, node: PushNode, limit: number): readonly PushNode[] {
  const before = nodesOf(scope)
  const others = before.filter((other) => !isAt(other, node.service, node.node))
  const nodes = [...others, node].slice(-limit)
  keep(scope, nodes)
  return before.filter((other) => !nodes.includes(other))
}

/** Removes one node of a service, or all of them (§6). Answers those that went. */
export function removeNodes(scope: Scope, { service, node }: PushAddress): readonly PushNode[] {
  const before = nodesOf(scope)
  const gone = before.filter((other) => isAt(other, service, node))
  if (gone.length > 0)
    keep(
      scope,
      before.filter((other) => !gone.includes(other)),
    )
  return gone
}

function isAt(node: PushNode, service: string, name: string | undefined): boolean {
  return node.service === service && (name === undefined || node.node === name)
}
