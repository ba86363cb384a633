import type { NodeConfig, NodeKind, PubsubPort, Scope, Session } from '@tactus/core'
import type { BareJid, Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import type { Stanza, XmlElement } from '@tactus/xml'
import { isDerived } from './attachments/names.ts'
import {
  type AnyField,
  type ConfigTexts,
  itemExpire,
  maxItems,
  ownFields,
  payloadType,
  persistItems,
  requireCount,
  serviceFields,
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

/** Bounds of what an entity's nodes may hold. */
export interface Limits {
  readonly nodes: number
  /** Of a node. */
  readonly items: number
  /** Of an account, or of a node of a service, that something is attached to. */
  readonly attachedItems: number
  readonly payloadBytes: number
  /** Of all payloads of an entity. */
  readonly bytes: number
  /** Of a node. */
  readonly subscribers: number
  /** Of a node. */
  readonly affiliations: number
  /** Whether items tell their versions (XEP-0395). */
  readonly versions: boolean
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
  /** In whose name its stanzas leave, and where it is asked. */
  readonly address: BareJid
  /** Who owns every node: the account itself (XEP-0163 §2.1). Undefined for a service, whose nodes have owners. */
  readonly owner: string | undefined
  /** Whether publishing to a node that is not there makes it (XEP-0060 §7.1.4). */
  readonly autoCreate: boolean
  /** What a node has that nobody configured, where it is not what the fields say. */
  readonly defaults: NodeConfig
  /** Who owns every node besides: administrators of a service. */
  administers(jid: Jid): boolean
  /** Refuses who may not make nodes here. @throws {StanzaError} */
  requireCreator(jid: Jid): void
  /** Refuses a node more than there may be. @throws {StanzaError} */
  requireRoom(creator: Jid, nodes: number): void
  /** Who shares the owner's presence, for the access models `presence` and `roster`. */
  sharesPresence(jid: Jid): boolean
  /** Groups of the owner's roster in which somebody is. */
  groupsOf(jid: Jid): readonly string[]
  /** Tells those who hear of a node without having subscribed to it (XEP-0060 §9.1); the message lacks `to`. */
  announce(node: Node, message: XmlElement, told: ReadonlySet<Jid>): void
  /** What follows from changed affiliations and subscriptions, whatever changed them. */
  peopleChanged(node: Node, before: People, after: People): void
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
export interface Node extends Omit<NodeRecord, 'service'> {
  readonly service: Service
  readonly type: NodeKind | undefined
}

/** SECURITY: an index of Postgres takes some 2,700 bytes, and what it refuses costs a whole step. */
const longestName = 512
const noNodes: ReadonlyMap<string, NodeRecord> = new Map()
const noItems: readonly ItemEntry[] = []
const nobody: People = { affiliations: new Map(), subscriptions: new Map() }

/** In whose name the nodes of an entity speak: an account, or the service that a node belongs to. */
export function addressOf({ entity, service }: Scope): BareJid {
  return service?.domain ?? entity
}

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
export function kindOf(
  { port, owner }: Service,
  name: string,
  config: ConfigTexts,
): NodeKind | undefined {
  const place = owner === undefined ? 'service' : 'account'
  return port.typeOf(name, place, settingOf(config, payloadType))
}

/** The fields that a node of this service has. */
export function fieldsOf(service: Service): readonly AnyField[] {
  return [...(service.owner === undefined ? serviceFields : ownFields), ...service.port.fields()]
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
  }: { readonly name: string; readonly creator: BareJid; readonly config: ConfigTexts },
): Node {
  const { scope, limits, address } = service
  const nodes = scope.get(nodeStore) ?? noNodes
  if (nodes.has(name)) throw new StanzaError('conflict')
  if (Buffer.byteLength(name) > longestName || name.includes('\0'))
    throw new StanzaError('not-acceptable', `A node name may have ${longestName} bytes.`)
  if (!isDerived(name))
    service.requireRoom(creator, [...nodes.keys()].filter((each) => !isDerived(each)).length)
  const type = kindOf(service, name, config)
  const fields = fieldsOf(service)
  const complete = {
    ...toTexts(service.defaults, fields),
    ...possible(toTexts(type?.config ?? {}, fields), fields),
    ...config,
    ...possible(toTexts(type?.forced ?? {}, fields), fields),
  }
  requireCount(complete, limits.items)
  const of = service.owner === undefined ? address : ''
  const record = { name, service: of, creator, createdAt: scope.now, config: complete }
  scope.set(nodeStore, '', new Map(nodes).set(name, record))
  const node = toNode(service, record)
  // §8.1.1
  if (service.owner === undefined)
    savePeople(node, { ...nobody, affiliations: new Map([[creator, 'owner']]) })
  return node
}

/** What a kind of node asks for, as far as there is such a thing here: a service knows nobody’s presence. */
function possible(config: ConfigTexts, fields: readonly AnyField[]): ConfigTexts {
  const known = fields.filter(({ name, definition }) => {
    const texts = config[name]
    return texts !== undefined && definition.kind.read(texts) !== undefined
  })
  return Object.fromEntries(known.map(({ name }) => [name, config[name] ?? []]))
}

/** Stores a changed configuration. */
export function configureNode(node: Node, config: ConfigTexts): Node {
  const { scope } = node.service
  const nodes = new Map(scope.get(nodeStore) ?? noNodes)
  const before = nodes.get(node.name)
  if (!before) throw new StanzaError('item-not-found')
  const record = { ...before, config }
  scope.set(nodeStore, '', nodes.set(node.name, record))
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

/** Whether published items can be retrieved later (XEP-0060 §4.3). */
export function keepsItems(node: Node): boolean {
  return settingOf(node.config, persistItems) && capacityOf(node) > 0
}

/** How many items the node keeps. */
export function capacityOf(node: Node): number {
  const { items } = node.service.limits
  const count = settingOf(node.config, maxItems)
  return count === 'max' ? items : Math.min(count, items)
}

/** Who has an affiliation or a subscription with a node. */
export function peopleOf({ service, name }: Node): People {
  return service.scope.get(peopleStore, name) ?? nobody
}

/** Stores who has to do with a node. */
export function savePeople(node: Node, people: People): void {
  const { service, name } = node
  const before = peopleOf(node)
  const isEmpty = people.affiliations.size === 0 && people.subscriptions.size === 0
  service.scope.set(peopleStore, name, isEmpty ? undefined : people)
  service.peopleChanged(node, before, people)
}
