import type { InputFrame, OutputFrame, Remote, StreamName } from '@tactus/bus'
import type { DurableStore, Row } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'

/**
 * Live state of an entity: lives as long as its sessions or occupants do, in Redis, cached by the owner.
 *
 * All live state of an entity is loaded at once when it is first touched. Values are immutable, plain msgpack data.
 */
export interface LiveStore<T> {
  readonly kind: 'live'
  /** Unique, short: it is part of every field name. */
  readonly name: string
  /** Turns what was stored (maybe by an older release) into the present shape. */
  decode(stored: unknown): T
  encode(value: T): unknown
}

/** Something the owner runs for an entity. The first kinds come from the partition stream, the others arise in the owner. */
export type Input =
  | InputFrame
  /** A timer that this entity set has come due; `data` as it was set. */
  | {
      readonly kind: 'timer'
      readonly entity: string
      readonly name: string
      readonly data: string
    }
  /** A job that this entity noted is done (design §5). */
  | {
      readonly kind: 'job'
      readonly entity: string
      readonly id: string
      readonly spec: unknown
      readonly result: JobResult
    }
  /** An instance that has sessions of this entity attached is dead (design §3.8). Only sessions still attached to it are meant. */
  | { readonly kind: 'instance.dead'; readonly entity: string; readonly instance: string }
  /** The bus was lost with a stanza that waited for another server; this entity sent it, and sends it again (design §3.6). */
  | { readonly kind: 'remote.again'; readonly entity: string; readonly frame: Remote }

/** How a job ended; it enters the entity's partition as an input. */
export type JobResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string }

/**
 * What a handler may see and do while one input of one entity runs. Synchronous.
 *
 * Everything is an addition to the step; when the handler throws, all of this turn is dropped, nothing of it is seen
 * by anybody. Reading state that is not loaded yet throws `NeedState` (never catch it): the engine loads it, together
 * with what the other inputs need, and runs the same input again from the start.
 */
export interface Turn {
  readonly entity: string
  readonly partition: number
  readonly input: Input
  /** The bus was lost and the outbox runs this input again: rows that it writes may be there already (design §3.11). */
  readonly replayed: boolean
  /** Wall clock of this turn, milliseconds; the same on every read. */
  readonly now: number
  random(length: number): Uint8Array

  /** Reads one value; `undefined` where there is none. */
  get<T>(store: LiveStore<T> | DurableStore<T>, key?: string): T | undefined
  /** All values of a live store, by key: the owner's own map, not to be kept, nor added to while it is walked. */
  all<T>(store: LiveStore<T>): ReadonlyMap<string, T>
  /** Replaces (or with `undefined` removes) one value; the turn and all later ones see it at once. */
  set<T>(store: LiveStore<T> | DurableStore<T>, key: string, value: T | undefined): void
  /** Adds a row of an append-only table; `store` names the pair that becomes unreadable until committed. */
  insert(store: DurableStore<unknown>, table: string, row: Row): void
  /** The same where the row may be there already, by key columns: then it is replaced and keeps its place. */
  upsert(store: DurableStore<unknown>, table: string, key: readonly string[], row: Row): void
  /** Removes rows by key columns. */
  remove(store: DurableStore<unknown>, table: string, key: readonly string[], row: Row): void
  /** Removes all rows that match, of this entity. */
  clear(store: DurableStore<unknown>, table: string, where: Row): void

  /**
   * Hands an input to another entity (or to this one, after what already waits for it).
   *
   * `hops` of what a half or multicast sends on is lowered to one less than its own, so a handler may always say 16.
   */
  send(frame: InputFrame): void
  /** Hands a stanza to many entities: grouped by partition; each runs it with only its own JIDs as `recipients`. `recipients` are bare or full JIDs. */
  multicast(frame: Omit<Extract<InputFrame, { kind: 'multicast' }>, 'kind'>): void
  /** Sends to an instance's delivery stream. Adjacent deliveries of the same `Stanza` object become one frame. */
  output(instance: string, frame: OutputFrame): void
  /**
   * Hands a stanza to the shard of its pair of domains, for whoever holds that to write to the remote server; or to
   * another stream of that kind, a component's.
   */
  remote(frame: Omit<Remote, 'kind'>, stream?: StreamName): void
  /** Notes that an input of a session is done; becomes part of the `committed` frame of this step. */
  committed(instance: string, session: string, seq: number, h: number): void

  /** The unacknowledged entries of a session's queue, oldest first: number and meta. */
  queue(session: string): readonly { readonly n: number; readonly meta: QueueMeta }[]
  /** How much that is; costs the same however much it is, so it may be asked with every stanza. */
  backlog(session: string): Backlog
  enqueue(session: string, n: number, stanza: Stanza, meta: QueueMeta): void
  /** Removes entries up to and including `n`; `undefined` removes the queue. */
  trim(session: string, n: number | undefined): void
  /** Reads stanzas of the queue that are only in Redis (needed when a session ends); NeedState the first time. */
  queued(
    session: string,
  ): readonly { readonly n: number; readonly meta: QueueMeta; readonly stanza: Stanza }[]

  /** Arranges (or with `at` undefined cancels) a timer of this entity; one per name. `at` is wall clock, ms. */
  timer(name: string, at: number | undefined, data?: string): void
  /** Notes a job; `runJob` is called after the commit, again by a new owner, and its result comes back as an input. */
  job(id: string, spec: unknown): void

  /** Says that something of this entity hangs on an instance: it gets `instance.dead` when that instance dies. */
  attach(instance: string, id: string): void
  detach(instance: string, id: string): void
}

/** How much waits in a session's queue. */
export interface Backlog {
  readonly count: number
  /** Of those whose size is known. */
  readonly bytes: number
  /** Number of the oldest entry; undefined when there is none. */
  readonly oldest: number | undefined
}

/** What the owner remembers of a queued stanza without its bytes. Short field names: one per delivered stanza. */
export interface QueueMeta {
  /** Id of the mailbox row that this delivery settles, if any. */
  readonly mailbox?: string
  /** It is a copy of that message out of an archive: nobody else is given it when this session ends. */
  readonly copy?: true
  /** Kind of stanza, for what becomes of it when the session ends (XEP-0198; C15). */
  readonly kind: 'message' | 'presence' | 'iq'
  readonly at: number
  /** Bytes of the stanza; entries of older releases lack it. */
  readonly size?: number
}

/** Thrown by `Turn` reads; handlers let it pass. */
export class NeedState extends Error {}

/** The XMPP half of a router, as the engine sees it: everything here but `runJob` is synchronous and deterministic. */
export interface Machine {
  /** Processes one input. May throw: then `failed` runs in a fresh turn. */
  run(turn: Turn): void
  /** The input's handler threw or its rows were refused for good: tell the sender, count it, let its source go on. */
  failed(turn: Turn, error: unknown): void
  /** Reads that take long: archive pages, search, HTTP. Runs beside the steps. */
  runJob(spec: unknown): Promise<unknown>
  /** Every store in use, so that the engine can decode and route what it loads. */
  readonly stores: readonly (LiveStore<unknown> | DurableStore<unknown>)[]
}
