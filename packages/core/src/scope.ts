import type { LiveStore, Turn } from '@tactus/cluster'
import type { BareJid, FullJid, Jid } from '@tactus/jid'
import type { DurableStore } from '@tactus/storage'
import type { Stanza, XmlElement } from '@tactus/xml'
import type { Facts } from './hook-points.ts'
import type { Host } from './hosts.ts'
import type { Service } from './services.ts'

/** A bound resource of the account, as it is within this turn. Immutable: look it up again after a change. */
export interface Session {
  /** Session id, the source of its inputs; 128 random bits. Secret: whoever knows it may resume. */
  readonly id: string
  readonly jid: FullJid
  readonly resource: string
  /** The last available presence; undefined until initial presence and after unavailable (RFC 6121 §4.2). */
  readonly presence: SessionPresence | undefined
  /** It asked for the roster, so it gets roster pushes (RFC 6121 §2.2). */
  readonly interested: boolean
  /** The mailbox is being handed over, so what may be stored comes with its next portion and not before it. */
  readonly catchingUp: boolean
  /** False while it waits to be resumed. */
  readonly attached: boolean
  /** Its socket takes no more at the moment. */
  readonly stalled: boolean
  /** False after its client said that nobody looks at it (XEP-0352). SECURITY: nobody else's business (§7). */
  readonly active: boolean
  /** Only those know of it that it sends presence to by name (XEP-0186); `probing` asks for that of others all the same. */
  readonly invisible: 'probing' | 'silent' | undefined
  /** Wall clock, ms. */
  readonly since: number
  readonly info: Readonly<Record<string, string>>
}

/** Availability of a bound resource. */
export interface SessionPresence {
  readonly stanza: Stanza
  /** −128…127; a negative one gets no messages for the bare JID (RFC 6121 §8.5.2.1.1). */
  readonly priority: number
  readonly since: number
}

/** How a stanza is delivered to a bound resource. */
export interface DeliverOptions {
  /** Mailbox row that the client's acknowledgement settles. */
  readonly mailbox?: string
  /** A copy of that message out of an archive: when the session ends, the message itself still waits. */
  readonly copy?: boolean
  /** Fills in `to` when the payload is shared by many (default: the stanza's own). */
  readonly to?: string
}

/** How a stanza leaves this entity. */
export interface SendOptions {
  /** May not be lost once acknowledged (default: by the stanza's kind, RFC 6121 §8). */
  readonly durable?: boolean
  /** Stable id carried along; default: made from this input's source and number. */
  readonly id?: string
}

/**
 * What a handler may see and do: one entity, one turn (design §7). Synchronous; everything is dropped when it throws.
 *
 * Never keep it: it is void when the handler returns.
 */
export interface Scope {
  readonly turn: Turn
  /** The bare JID whose state this is and in whose name stanzas leave. */
  readonly entity: BareJid
  /** The host the entity belongs to. */
  readonly host: Host
  /** The service whose domain it is on; undefined for accounts. */
  readonly service: Service | undefined
  /** Wall clock of this turn, ms. */
  readonly now: number
  random(length: number): Uint8Array

  get<T>(store: LiveStore<T> | DurableStore<T>, key?: string): T | undefined
  all<T>(store: LiveStore<T>): ReadonlyMap<string, T>
  set<T>(store: LiveStore<T> | DurableStore<T>, key: string, value: T | undefined): void

  /** True when there is an account of this name (anonymous ones included while they are bound). */
  accountExists(): boolean
  /** Bound resources, oldest first. */
  sessions(): readonly Session[]
  session(resource: string): Session | undefined
  /** Sets (or with undefined clears) a resource's availability; fires no hook. */
  setPresence(session: Session, presence: SessionPresence | undefined): Session
  setInterested(session: Session): Session
  /** Says whether the mailbox is being handed over to a resource: meanwhile messages for it wait there, behind the older ones. */
  setCatchingUp(session: Session, catchingUp: boolean): Session
  /** Says whom a resource is there for; tells nobody. */
  setInvisible(session: Session, invisible: Session['invisible']): Session
  /** State of a module for a bound resource, as declared with `session:`. */
  sessionState<S>(session: Session, module: string): Readonly<S>
  updateSessionState<S>(session: Session, module: string, patch: Partial<S>): void
  /** Ends a session with a stream error condition; runs what its end entails (unavailable presence and so on). */
  endSession(session: Session, condition?: string, text?: string): void

  /** To one bound resource of this account. */
  deliver(session: Session, stanza: Stanza | XmlElement, options?: DeliverOptions): void
  /** How many stanzas a session's queue takes before it is full and ends the session. */
  room(session: Session): number
  /**
   * Routes a stanza of this entity to its `to`: another entity's partition, a service, or a remote domain.
   *
   * The stanza needs `from` (this bare JID or one of its full JIDs) and `to`.
   */
  send(stanza: Stanza | XmlElement, options?: SendOptions): void
  /**
   * Hands a stanza that came to a service on to the entity below it that `placeOf` says takes it; it keeps its sender.
   */
  pass(stanza: Stanza): void
  /** The same stanza to many addresses; `to` is filled in for each. Costs by the number of partitions. */
  multicast(recipients: readonly Jid[], stanza: Stanza | XmlElement, options?: SendOptions): void
  /**
   * Charges the account whose stanza is being handled for work beyond one unit a stanza and one for each ten recipients
   * of a multicast; `limits.costPerSecond` is what it may spend.
   */
  charge(units: number): void
  /** Whether accounts, or what else there is, of this domain are served here. */
  serves(domain: string): boolean
  /** Whether `multicast` would send this to an address: asks `recipient.may-hear`. */
  mayHear(to: Jid, stanza: Stanza): boolean
  /** Whether a resource may get what came for the whole account: asks `resource.may-get`. */
  mayGet(session: Session, stanza: Stanza): boolean
  /** Text for `id` attributes of stanzas that this turn makes; unguessable, repeatable when the turn is run again. */
  makeId(): string

  /** Tells all observers of a fact that the caller just made true: a changed roster item, a deleted account. */
  emit<K extends keyof Facts>(fact: K, event: Omit<Facts[K], 'scope'>): void

  /** One timer per name and entity; comes back as the `entity.timer` hook of the module that set it. */
  timer(name: string, at: number | undefined, data?: string): void
  /**
   * Notes a job of this module; `jobs` of the module definition runs it, its result comes back there. One per id, which
   * begins with the name of the module.
   */
  job(module: string, id: string, spec: unknown): void
}
