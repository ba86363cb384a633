import type { Jid } from '@tactus/jid'
import type { FieldDefinition } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'
import type { IqAnswer, IqRequest } from './module.ts'
import type { Scope } from './scope.ts'

/** One item of a node (XEP-0060 §4). */
export interface NodeItem {
  readonly id: string
  /** Undefined for a bare notification; its namespace is declared on it. */
  readonly payload: XmlElement | undefined
  /** Who published it. */
  readonly publisher: Jid
  /** Wall clock, ms. */
  readonly at: number
}

/** Values of a node's configuration, by field name as it stands in a form (`pubsub#access_model`). */
export type NodeConfig = Readonly<Record<string, unknown>>

/** Something that is asked of nodes in a module's name, or by whoever sent the request. */
export interface ItemEvent {
  readonly scope: Scope
  readonly node: string
  readonly item: NodeItem
}

/** Items that go. */
export interface RetractionEvent {
  readonly scope: Scope
  readonly node: string
  readonly ids: readonly string[]
}

/** Whose nodes: an account's own, or those of a pubsub service. */
export type NodePlace = 'account' | 'service'

/**
 * What a node of a certain name is: how it is made, what may be put into it, and what follows from that.
 *
 * A module of its own adds one for each kind of data that the server understands.
 */
export interface NodeType extends NodeKind {
  /** Node name (XEP-0060 §4.5: unique within the account). */
  readonly node: string
  /** Whether `node` is what the names of many such nodes begin with. */
  readonly family?: boolean
}

/** The same for whatever node its owner says is one, by the value of `pubsub#type`. */
export interface NodeProfile extends NodeKind {
  readonly profile: string
  /** Whether `profile` is what many such values begin with; one that is said whole goes before it. */
  readonly family?: boolean
}

/** What nodes are that hold one kind of data. */
export interface NodeKind {
  /** Where there are such nodes (default: those of one name in accounts, all others anywhere). */
  readonly at?: readonly NodePlace[]
  /** Namespace of its items’ payloads, where `pubsub#type` says something else of the node than this. */
  readonly payload?: string
  /** Its items hold payloads of any namespaces: `pubsub#type` says what the node is, not what is in it. */
  readonly mixed?: boolean
  /** What differs from the defaults of XEP-0163 when such a node is made without being asked otherwise. */
  readonly config?: NodeConfig
  /** Values that nobody may change: a request that says otherwise is refused, or met as if it said so. */
  readonly forced?: NodeConfig
  /** Only the server makes such a node, empties it and publishes there; whoever else tries is refused (XEP-0465 §5). */
  readonly managed?: boolean
  /** May this item be published? Refuse by throwing StanzaError. Runs before anything is stored. */
  check?(event: ItemEvent): void
  /** An item was published; runs in the same turn, after the notifications. One that throws refuses the publication. */
  published?(event: ItemEvent): void
  /** Items are about to be retracted: what they hold can still be read. The same event as `retracted` gets. */
  retracting?(event: RetractionEvent): void
  /** Items were retracted, purged, or went with their node. */
  retracted?(event: RetractionEvent): void
}

/** A configuration field that a node can have beyond those of XEP-0060 §16.4.3; what it does is its module's business. */
export interface NodeField {
  readonly name: string
  readonly definition: FieldDefinition<unknown>
  readonly value: unknown
}

/**
 * A fragment of private XML storage (XEP-0049) that is a view of nodes, for clients that know only the older place.
 *
 * `kept` is what is stored of it there.
 */
export interface PrivateFragment {
  readonly name: string
  readonly ns: string
  /** The fragment as it is shown. */
  read(scope: Scope, kept: XmlElement | undefined): XmlElement | undefined
  /** Takes a new fragment into the nodes; answers what is to be stored as it is. @throws {StanzaError} */
  write(scope: Scope, root: XmlElement): XmlElement
}

/** What an entity's nodes hold, for modules that read and write them in the entity's own name. */
export interface Nodes {
  /**
   * The ids at a node, the most recent first; empty also where there is no node.
   *
   * Reads before writes: an item that was published in this turn is listed, its payload is not readable.
   */
  ids(scope: Scope, node: string): readonly string[]
  /** All items of a node that is known to be small, the most recent first, with their payloads. */
  items(scope: Scope, node: string): readonly NodeItem[]
  /** The last published item, or the one of this id. */
  item(scope: Scope, node: string, id?: string): NodeItem | undefined
  /**
   * Publishes in the name of the entity, as if its owner had: makes the node where it is not there, notifies, evicts.
   *
   * @throws {StanzaError} what the owner would have been told
   */
  publish(
    scope: Scope,
    node: string,
    item: { readonly id: string; readonly payload: XmlElement },
    /** Of a node that is made by this. */
    config?: NodeConfig,
  ): void
  /** Takes items back and tells who had them; ids that are not there are no error. */
  retract(scope: Scope, node: string, ids: readonly string[]): void
  /** Deletes a node with all that belongs to it, and tells its subscribers; one that is not there is no error. */
  drop(scope: Scope, node: string): void
  /** Whether somebody may have the items of a node; false also where there is none. */
  mayRead(scope: Scope, node: string, reader: Jid): boolean
  /** Answers a request about the archive of the node that its payload names (XEP-0442). @throws {StanzaError} */
  askArchive(request: IqRequest): IqAnswer
  /** Who may have them in general: everybody, who shares the presence of the owner, or a choice of people. */
  audience(scope: Scope, node: string): 'everybody' | 'presence' | 'some' | undefined
}

/** What modules and the pubsub engine know of each other (none of them imports the other). */
export interface PubsubPort {
  /** Adds a type of node. @throws {Error} at boot when there is one for that name */
  type(definition: NodeType): void
  /** Adds a kind of node that goes by its `pubsub#type`. @throws {Error} at boot when there is one for that value */
  profile(definition: NodeProfile): void
  field(definition: NodeField): void
  fragment(definition: PrivateFragment): void
  fragmentOf(root: XmlElement): PrivateFragment | undefined
  /** The engine says that it is there. */
  provide(nodes: Nodes): void
  /** The engine; undefined where the pubsub module is not enabled. Ask in handlers, not in `setup`. */
  nodes(): Nodes | undefined
  /** What a node of that name is there, or else what its `pubsub#type` says. */
  typeOf(node: string, at: NodePlace, profile?: string): NodeKind | undefined
  fields(): readonly NodeField[]
}

const accounts: readonly NodePlace[] = ['account']
const anywhere: readonly NodePlace[] = ['account', 'service']

/** Keeps what modules say of nodes until the engine asks. */
export class PubsubRegistry implements PubsubPort {
  readonly #types = new Map<string, NodeType>()
  readonly #families: NodeType[] = []
  readonly #profiles = new Map<string, NodeProfile>()
  readonly #profileFamilies: NodeProfile[] = []
  readonly #fields: NodeField[] = []
  readonly #fragments: PrivateFragment[] = []
  #nodes: Nodes | undefined

  type(definition: NodeType): void {
    if (this.#types.has(definition.node))
      throw new Error(`two modules say what the node ${definition.node} is`)
    this.#types.set(definition.node, definition)
    if (definition.family) this.#families.push(definition)
  }

  profile(definition: NodeProfile): void {
    if (this.#profiles.has(definition.profile))
      throw new Error(`two modules say what nodes of the type ${definition.profile} are`)
    this.#profiles.set(definition.profile, definition)
    if (definition.family) this.#profileFamilies.push(definition)
  }

  field(definition: NodeField): void {
    if (this.#fields.some(({ name }) => name === definition.name))
      throw new Error(`two modules add the field ${definition.name} to nodes`)
    this.#fields.push(definition)
  }

  fragment(definition: PrivateFragment): void {
    this.#fragments.push(definition)
  }

  fragmentOf(root: XmlElement): PrivateFragment | undefined {
    return this.#fragments.find(({ name, ns }) => root.is(name, ns))
  }

  provide(nodes: Nodes): void {
    this.#nodes = nodes
  }

  nodes(): Nodes | undefined {
    return this.#nodes
  }

  typeOf(node: string, at: NodePlace, profile = ''): NodeKind | undefined {
    const named = this.#types.get(node)
    const kinds = [
      named && { at: named.family ? anywhere : accounts, ...named },
      this.#families.find((family) => node.startsWith(family.node)),
      this.#profiles.get(profile),
      this.#profileFamilies.find((family) => profile.startsWith(family.profile)),
    ]
    return kinds.find((kind) => kind && (kind.at ?? anywhere).includes(at))
  }

  fields(): readonly NodeField[] {
    return this.#fields
  }
}
