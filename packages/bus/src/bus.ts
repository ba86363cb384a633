import type { InputFrame, OutputFrame } from './proto/frames.ts'

/** A stream of the bus: partition streams `p:<n>`, delivery streams `d:<instance>`; later shards `s:<n>`, components `c:<name>`. */
export type StreamName = string
/** Made by the bus, ordered by `comparePositions`; `'0'` is before everything. Never crosses an incarnation. */
export type Position = string

/** One entry of a stream: the frames that one producer put there at once, in order. */
export interface Entry<F = InputFrame | OutputFrame> {
  readonly stream: StreamName
  readonly position: Position
  readonly frames: readonly F[]
}

/**
 * One operation of a step's Redis half (design §3.3): generic data, no XMPP in it.
 *
 * The interpreter (Lua script and memory) is frozen after the first release: an old router's record
 * must be completable by a newer one.
 */
export type Operation =
  /** Takes processed entries out of a stream. */
  | { readonly op: 'remove'; readonly stream: StreamName; readonly positions: readonly Position[] }
  /** Appends one entry. */
  | {
      readonly op: 'append'
      readonly stream: StreamName
      readonly frames: readonly (InputFrame | OutputFrame)[]
    }
  | {
      readonly op: 'hset'
      readonly key: string
      readonly fields: readonly (readonly [field: string, value: Uint8Array])[]
    }
  | { readonly op: 'hdel'; readonly key: string; readonly fields: readonly string[] }
  /** Removes whole keys (hashes, sorted sets, payloads; never streams). */
  | { readonly op: 'unlink'; readonly keys: readonly string[] }
  | {
      readonly op: 'zadd'
      readonly key: string
      readonly members: readonly (readonly [member: string, score: number])[]
    }
  | { readonly op: 'zrem'; readonly key: string; readonly members: readonly string[] }
  /** Puts entries into a session's queue; their numbers rise. A `ref` names a payload stored once for several queues. */
  | { readonly op: 'enqueue'; readonly queue: string; readonly entries: readonly QueueEntry[] }
  /** Removes queue entries up to and including `n`, releasing shared payloads; `n` undefined removes the queue, so does the last entry. */
  | { readonly op: 'trim'; readonly queue: string; readonly n: number | undefined }
  /** Stores a payload with its count of references. */
  | {
      readonly op: 'payload'
      readonly key: string
      readonly bytes: Uint8Array
      readonly references: number
    }

/** One stanza waiting in a session's queue. */
export interface QueueEntry {
  readonly n: number
  /** What the owner needs to know to trim or return it; opaque to the bus. */
  readonly meta: Uint8Array
  readonly payload: { readonly bytes: Uint8Array } | { readonly ref: string }
}

/** The Redis half of one step of one router. */
export interface StepRecord {
  readonly router: string
  /** From 1, without holes. */
  readonly step: number
  readonly operations: readonly Operation[]
}

/**
 * What became of a commit. `applied` now, `done` by an earlier attempt of the same step, `gap` when an earlier step is
 * missing (Redis lost something: design §3.11), `fenced` when another router took over.
 */
export type CommitOutcome =
  | {
      readonly outcome:
        | 'applied'
        | 'done' /** Position of each `append`, in order; empty for `done`. */
      readonly positions: readonly Position[]
    }
  | { readonly outcome: 'gap' | 'fenced' }

/** What is written by compare and set. */
export interface BusRecord {
  /** From 1, one more with every write. */
  readonly version: number
  readonly value: Uint8Array
}

/** An instance that announced itself. */
export interface InstanceInfo {
  readonly id: string
  readonly role: 'connection-manager' | 'router' | 'control'
  readonly protocol: number
  /** For people and placement: host name, listeners, `draining`, counts. */
  readonly info: Readonly<Record<string, string>>
}

/** The bus cannot be reached or did not answer in time: whether it took the call is unknown. Repeat it. */
export class BusUnavailable extends Error {}
/** The bus refused an append over its limits (design §3.9): stop reading the socket, try again later. */
export class BusFull extends Error {}
/**
 * What this handle's incarnation held is gone, in whole (marker missing or another) or in part (`fence` finds a gap):
 * raise it in the store by compare and set, then reopen (design §3.11).
 */
export class IncarnationChanged extends Error {}
/** The instance that was asked answered with an error: its handler threw. */
export class RequestFailed extends Error {}

/**
 * The bus between instances (design §5): one interface, `RedisBus` and `MemoryBus`, one contract suite.
 *
 * Everything is bound to one incarnation, which is part of every key's name. Every call settles within the
 * command timeout.
 */
export interface Bus extends AsyncDisposable {
  readonly incarnation: number

  /**
   * Appends frames to a stream in order; resolves when accepted.
   *
   * What is published to one stream in the same tick is coalesced into one entry; order of calls is order in the
   * stream as long as none is refused.
   * When a call fails, calls for that stream that were not handed to the bus yet fail with it; those already on their
   * way may still be accepted, so a producer that needs an unbroken order numbers its frames (design §3.4).
   * @throws {BusFull} over the stream's or the memory's limit @throws {BusUnavailable} outcome unknown
   */
  publish(stream: StreamName, frames: readonly (InputFrame | OutputFrame)[]): Promise<void>

  /**
   * Waits up to `wait` ms for entries after the given positions; an empty list when none came.
   *
   * At most `count` entries a stream. Removed entries are never seen again, others are seen again when asked again.
   * A frame that cannot be decoded is reported to the handle's `onFault` with its bytes and left out of `frames`.
   */
  read(
    positions: ReadonlyMap<StreamName, Position>,
    options: { readonly count: number; readonly wait: number; readonly signal?: AbortSignal },
  ): Promise<Entry[]>
  /** Removes read entries of one's own delivery stream (partition entries leave through `commit`). */
  remove(stream: StreamName, upTo: Position): Promise<void>
  /** First and last position and length of each stream; `undefined` for an empty one. `last` never goes back, even when entries are removed. */
  extent(
    streams: readonly StreamName[],
  ): Promise<
    ReadonlyMap<
      StreamName,
      { readonly first: Position | undefined; readonly last: Position; readonly length: number }
    >
  >

  /** 3(b): applies a step's record exactly once. `allow-oom`: never refused for memory or length. */
  commit(record: StepRecord): Promise<CommitOutcome>
  /**
   * Marks a router fenced here and completes its last step, when `record` is the one after what was applied. Idempotent.
   * @throws {IncarnationChanged} when steps before `record` are missing; nothing is written then
   */
  fence(router: string, record: StepRecord | undefined): Promise<void>
  /** The last step applied for a router, 0 for none. */
  step(router: string): Promise<number>

  /**
   * Changes who holds a name, where it is held as the caller believes; `undefined` is nobody. Answers who holds it now.
   *
   * That a holder is dead is for the caller to know: fence it first, so that its commits are refused from then on.
   */
  claim(
    name: string,
    believed: string | undefined,
    next: string | undefined,
  ): Promise<string | undefined>
  /** Who holds what, by name. */
  claims(): Promise<ReadonlyMap<string, string>>

  /** A record that one instance at a time writes; undefined where there is none, or none any more. */
  record(name: string): Promise<BusRecord | undefined>
  /**
   * Replaces a record whose version is `version` (0: there is none), for `ttl` milliseconds; an undefined value removes
   * it. Answers whether it was replaced, also by an earlier attempt to write the same; the version is one more then.
   *
   * What a writer writes must differ from what any other would.
   */
  replace(
    name: string,
    version: number,
    value: Uint8Array | undefined,
    ttl: number,
  ): Promise<boolean>

  /** All fields of each hash, in one round trip; missing keys give empty maps. */
  hashes(keys: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>>
  /** Members of sorted sets with a score up to `max`, lowest first, at most `limit` of each. */
  due(
    keys: readonly string[],
    max: number,
    limit: number,
  ): Promise<ReadonlyMap<string, readonly (readonly [member: string, score: number])[]>>
  /** Queue entries with numbers in (from, to], in order, payloads filled in. */
  queue(queue: string, from: number, to: number): Promise<readonly QueueEntry[]>

  /** Announces this instance for `ttl` ms; repeat well within it. */
  beat(instance: InstanceInfo, ttl: number): Promise<void>
  /** Takes the announcement back at once (clean stop). */
  leave(id: string): Promise<void>
  /** Instances whose announcement has not run out. */
  instances(): Promise<readonly InstanceInfo[]>

  /**
   * Asks one instance; reads only.
   * @throws {BusUnavailable} when no answer came within `timeout` ms @throws {RequestFailed} when its handler threw
   */
  request(instance: string, request: Request, timeout: number): Promise<unknown>
  /**
   * Answers requests to `instance` until disposed. A handler that throws answers with an error. `atWork` handlers run at
   * once, 64 when absent; more is for those that mostly wait.
   */
  serve(
    instance: string,
    handler: (request: Request) => Promise<unknown>,
    options?: { readonly atWork?: number },
  ): AsyncDisposable

  /** Share of the bus' memory in use, 0…1; 0 where unlimited. */
  pressure(): number
}

/** A question to a router; reads only. `input` and the answer are plain data (msgpack), Uint8Array included. */
export interface Request {
  readonly method: string
  readonly input: unknown
}
