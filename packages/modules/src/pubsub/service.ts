import type { NodeKind, PubsubPort, Scope, Session } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import type { Stanza, XmlElement } from '@tactus/xml'
import {
  type AnyField,
  type ConfigTexts,
  itemExpire,
  ownFields,
  payloadType,
  requireCount,
  settingOf,
  toTexts,
} from './fields.ts'
import {
  type ItemEntry,
  itemStore,
  type NodeRecord,
  nodeStore,
  type People,
  peopleStore,
} from './store.ts'
import { pubsubError } from './wire.ts'

/** Bounds of what an entity's nodes may hold. */
export interface Limits {
  readonly nodes: number
  /** Of a node. */
  readonly items: number
  readonly payloadBytes: number
  /** Of all payloads of an entity. */
  readonly bytes: number
  /** Of a node. */
  readonly subscribers: number
  /** Of a node. */
  readonly affiliations: number
  readonly pageItems: number
  readonly pageBytes: number
}

/**
 * An entity's nodes as one request or one event sees them.
 *
 * The engine knows no accounts: what is particular to them is said here.
 */
export interface Service {
  readonly scope: Scope
  readonly limits: Limits
  readonly port: PubsubPort
  /** Who owns every node: the account itself (XEP-0163 §3). Undefined for a service, whose nodes have owners. */
  readonly owner: string | undefined
  /** Whether publishing to a node that is not there makes it (XEP-0060 §7.1.4). */
  readonly autoCreate: boolean
  /** Who shares the owner's presence, for the access models `presence` and `roster`. */
  sharesPresence(jid: Jid): boolean
  /** Groups of the owner's roster in which somebody is. */
  groupsOf(jid: Jid): readonly string[]
  /** Tells those who hear of a node without having subscribed to it (XEP-0060 §9.1); the message lacks `to`. */
  announce(node: Node, message: XmlElement): void
}

/** One action of a `<pubsub/>` request. */
export interface PubsubRequest {
  readonly service: Service
  readonly scope: Scope
  readonly stanza: Stanza
  readonly from: Jid
  readonly session: Session | undefined
  /** The `<pubsub/>` element. */
  readonly pubsub: XmlElement
  /** Its first child, which says what is to be done. */
  readonly action: XmlElement
}

/** A node with its configuration, looked up. */
export interface Node extends NodeRecord {
  readonly service: Service
  readonly type: NodeKind | undefined
}

/** SECURITY: an index of Postgres takes some 2,700 bytes, and what it refuses costs a whole step. */
const longestName = 512
const noNodes: ReadonlyMap<string, NodeRecord> = new Map()
const noItems: readonly ItemEntry[] = []
const nobody: People = { affiliations: new Map(), subscriptions: new Map() }

/** All nodes of the entity. */
export function nodesOf(service: Service): readonly Node[] {
  const records = service.scope.get(nodeStore) ?? noNodes
  return [...records.values()].map((record) => toNode(service, record))
}

/** The node of that name; undefined where there is none. */
export function findNode(service: Service, name: string): Node | undefined {
  const record = (service.scope.get(nodeStore) ?? noNodes).get(name)
  return record && toNode(service, record)
}

function toNode(service: Service, record: NodeRecord): Node {
  return { ...record, service, type: kindOf(service, record.name, record.config) }
}

/** What a node of that name and configuration is. */
export function kindOf({ port }: Service, name: string, config: ConfigTexts): NodeKind | undefined {
  return port.typeOf(name, settingOf(config, payloadType))
}

/** The fields that a node of this service has. */
export function fieldsOf(service: Service): readonly AnyField[] {
  return [...ownFields, ...service.port.fields()]
}

/**
 * Makes a node; `config` goes over what its type asks for.
 *
 * @throws {StanzaError} `conflict` when it exists (XEP-0060 §8.1.1), `policy-violation` when there are too many
 */
export function createNode(
  service: Service,
  {
    name,
    creator,
    config,
  }: { readonly name: string; readonly creator: string; readonly config: ConfigTexts },
): Node {
  const { scope, limits } = service
  const nodes = scope.get(nodeStore) ?? noNodes
  if (nodes.has(name)) throw new StanzaError('conflict')
  if (Buffer.byteLength(name) > longestName || name.includes('\0'))
    throw new StanzaError('not-acceptable', `A node name may have ${longestName} bytes.`)
  if (nodes.size >= limits.nodes) throw pubsubError('policy-violation', 'max-nodes-exceeded')
  const type = kindOf(service, name, config)
  const fields = fieldsOf(service)
  const complete = {
    ...toTexts(type?.config ?? {}, fields),
    ...config,
    ...toTexts(type?.forced ?? {}, fields),
  }
  requireCount(complete, limits.items)
  const record = { name, creator, createdAt: scope.now, config: complete }
  scope.set(nodeStore, '', new Map(nodes).set(name, record))
  return toNode(service, record)
}

/** Stores a changed configuration. */
export function configureNode(node: Node, config: ConfigTexts): Node {
  const { scope } = node.service
  const { name, creator, createdAt } = node
  const record = { name, creator, createdAt, config }
  scope.set(nodeStore, '', new Map(scope.get(nodeStore) ?? noNodes).set(name, record))
  return toNode(node.service, record)
}

/** Takes a node out of the list; its items and people are the caller's to take. */
export function dropNode({ service: { scope }, name }: Node): void {
  const nodes = new Map(scope.get(nodeStore) ?? noNodes)
  nodes.delete(name)
  scope.set(nodeStore, '', nodes.size > 0 ? nodes : undefined)
}

/** The items of a node, the oldest first; none whose time is over. */
export function itemsOf(node: Node): readonly ItemEntry[] {
  const items = storedItemsOf(node)
  const lifetime = settingOf(node.config, itemExpire)
  if (lifetime === 'max') return items
  const since = node.service.scope.now - lifetime * 1_000
  return items.filter(({ at }) => at > since)
}

/** The same, with those that are over and not yet gone. */
export function storedItemsOf({ service, name }: Node): readonly ItemEntry[] {
  return service.scope.get(itemStore, name) ?? noItems
}

/** Who has an affiliation or a subscription with a node. */
export function peopleOf({ service, name }: Node): People {
  return service.scope.get(peopleStore, name) ?? nobody
}

/** Stores who has to do with a node. */
export function savePeople({ service: { scope }, name }: Node, people: People): void {
  const isEmpty = people.affiliations.size === 0 && people.subscriptions.size === 0
  scope.set(peopleStore, name, isEmpty ? undefined : people)
}
