import { comparePositions, type Position, type StreamName } from '@tactus/bus'
import type { DurableStore } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import { Fifo } from './fifo.ts'
import { attachedKey, jobsKey, metaKey, partialKey, replayedKey, timersKey } from './keys.ts'
import type { Input, LiveStore, QueueMeta } from './machine.ts'
import { partitionStream } from './partition.ts'

/** One entry of a partition stream while its units are being worked off; it leaves the stream with the last. */
export class EntryState {
  readonly partition: PartitionState
  readonly position: Position
  readonly units: number
  /** When it was read, on the monotonic clock, ms. */
  readonly read: number
  remaining: number
  #done: Uint8Array | undefined

  constructor(
    partition: PartitionState,
    position: Position,
    units: number,
    source: { readonly read: number; readonly done: Uint8Array | undefined },
  ) {
    this.partition = partition
    this.position = position
    this.units = units
    this.read = source.read
    this.#done = source.done && new Uint8Array(source.done)
    this.remaining = units
    for (let unit = 0; unit < units; unit += 1) if (this.isDone(unit)) this.remaining -= 1
  }

  isDone(unit: number): boolean {
    return ((this.#done?.[unit >> 3] ?? 0) & (1 << (unit & 7))) !== 0
  }

  mark(unit: number): void {
    this.remaining -= 1
    if (this.units > 1) this.#flip(unit)
  }

  unmark(unit: number): void {
    this.remaining += 1
    if (this.units > 1) this.#flip(unit)
  }

  /** One bit a unit, for the partition's `partial` hash. */
  bits(): Uint8Array {
    return new Uint8Array(this.#done ?? [])
  }

  #flip(unit: number): void {
    this.#done ??= new Uint8Array((this.units + 7) >> 3)
    const at = unit >> 3
    this.#done[at] = (this.#done[at] ?? 0) ^ (1 << (unit & 7))
  }
}

/** Where an input came from, which decides what becomes of it when a step is thrown away. */
export type Origin =
  /** A unit of a stream entry. */
  | 'stream'
  /** Sent by an input of the same step. */
  | 'inline'
  /** Arose in the owner: a timer, a job's result, a verdict. A new owner makes it again. */
  | 'owner'
  /** From the outbox, after the bus was lost. */
  | 'replay'

/** One input of one entity, waiting or being run. */
export class WorkItem {
  readonly entity: EntityState
  input: Input
  readonly origin: Origin
  readonly entry: EntryState | undefined
  readonly unit: number
  /** Where in the outbox it stood. */
  readonly replay: string | undefined
  /** Why it may not be run again; `Machine.failed` runs in its place. */
  failure: { readonly error: unknown; readonly final: boolean } | undefined
  done = false

  constructor(
    entity: EntityState,
    input: Input,
    origin: Origin,
    source?: {
      readonly entry?: EntryState
      readonly unit?: number
      readonly replay?: string
    },
  ) {
    this.entity = entity
    this.input = input
    this.origin = origin
    this.entry = source?.entry
    this.unit = source?.unit ?? 0
    this.replay = source?.replay
  }
}

/** One queued stanza as the owner remembers it. */
export interface QueueItem {
  readonly n: number
  readonly meta: QueueMeta
  /** Kept only until the step that queued it is on the bus: from then on it is read from there. */
  stanza: Stanza | undefined
}

/** A session's queue as the owner remembers it: numbers and meta, without the bytes. */
export interface QueueCache {
  items: QueueItem[]
  /** Items before it are trimmed. */
  head: number
  /** Of the items that are not. */
  bytes: number
}

/** A queued stanza, read back from the bus. */
export interface QueuedStanza {
  readonly n: number
  readonly meta: QueueMeta
  readonly stanza: Stanza
}

/** A timer of an entity. */
export interface TimerState {
  /** On the owners' steady wall clock, ms. */
  readonly at: number
  readonly data: string
}

export type Store = LiveStore<unknown> | DurableStore<unknown>

/** What the owner keeps in memory of one entity: its waiting inputs and the cached state. */
export class EntityState {
  readonly id: string
  readonly partition: PartitionState
  readonly queue: Fifo<WorkItem> = new Fifo()
  /** `waiting`: for a load. `deferred`: for the commit of a step. */
  status: 'idle' | 'ready' | 'waiting' | 'deferred' = 'idle'
  /** Undefined until loaded; all of it is loaded at once. */
  live: Map<Store, Map<string, unknown>> | undefined
  timers: Map<string, TimerState> = new Map()
  readonly durable: Map<Store, Map<string, unknown>> = new Map()
  readonly queues: Map<string, QueueCache> = new Map()
  /** Queued stanzas that the next input asked for; given up as soon as it ran. */
  queued: Map<string, readonly QueuedStanza[]> | undefined
  /** Durable store, or queue of a session, to the step whose commit makes it readable again. */
  readonly dirty: Map<Store | string, number> = new Map()
  /** Last step that this entity took part in. */
  touched = 0
  /** Appends of ours to its own stream that are not read back yet: nothing may overtake them. */
  viaStream = 0
  /** Second chance of the cache's sweep. */
  used = true

  constructor(id: string, partition: PartitionState) {
    this.id = id
    this.partition = partition
  }

  /** Forgets what was loaded or changed, so that it is read again. */
  dropCache(): void {
    this.live = undefined
    this.timers = new Map()
    this.durable.clear()
    this.queues.clear()
    this.queued = undefined
    this.dirty.clear()
  }
}

/** Appends of ours to an own stream, until they are read back. */
export interface OwnAppend {
  readonly position: Position
  readonly entities: readonly EntityState[]
}

/** A partition that this router owns. */
export class PartitionState {
  readonly id: number
  readonly stream: StreamName
  readonly partialKey: string
  readonly timersKey: string
  readonly jobsKey: string
  readonly attachedKey: string
  readonly metaKey: string
  readonly replayedKey: string
  /** Read up to here; from the beginning at acquisition, never from the end. */
  position: Position = '0'
  readonly ready: Fifo<EntityState> = new Fifo()
  inRing = false
  /** On its way to another owner: nothing of it runs any more. */
  draining = false
  /** Design §5: second halves go through the stream until it is read past this. */
  barrier: Position | undefined
  /** Steps up to this one may have sent to the stream before the partition was ours; their ends belong to the barrier. */
  arrivedIn: number = Number.POSITIVE_INFINITY
  settled = false
  readonly ownAppends: Fifo<OwnAppend> = new Fifo()
  partial: Map<Position, Uint8Array> = new Map()
  /** Positions that have a field in the `partial` hash. */
  readonly noted: Set<Position> = new Set()
  /** Units read and not done. */
  backlog = 0
  readonly #entries: Fifo<EntryState> = new Fifo()
  /** Timers that became inputs, so that polling does not make them twice. */
  readonly firing: Set<string> = new Set()
  /** What hangs on an instance, as committed: instance, entity, ids. */
  readonly attached: Map<string, Map<string, Set<string>>> = new Map()
  /** Inputs from the outbox that must be done before this incarnation needs it no more. */
  replays = 0
  replayed = false
  /** Places in the outbox that are noted as run again, by this owner or one before. */
  readonly rerun: Set<string> = new Set()
  /** One input at a time, until read past the tail seen at takeover (design §3.10). */
  careful: CarefulState | undefined
  readonly acquiredAt: number

  track(entry: EntryState): void {
    this.oldest()
    this.#entries.push(entry)
  }

  /** The oldest entry that is not worked off. */
  oldest(): EntryState | undefined {
    while (this.#entries.peek()?.remaining === 0) this.#entries.shift()
    return this.#entries.peek()
  }

  /** Until the stream is read past `position`, second halves go through it (design §5). */
  raiseBarrier(position: Position): void {
    if (comparePositions(position, this.position) <= 0) return
    if (!this.barrier || comparePositions(position, this.barrier) > 0) this.barrier = position
  }

  constructor(id: number, acquiredAt: number) {
    this.id = id
    this.acquiredAt = acquiredAt
    this.stream = partitionStream(id)
    this.partialKey = partialKey(id)
    this.timersKey = timersKey(id)
    this.jobsKey = jobsKey(id)
    this.attachedKey = attachedKey(id)
    this.metaKey = metaKey(id)
    this.replayedKey = replayedKey(id)
  }
}

/** How a partition is run whose owners died over the same input. */
export interface CarefulState {
  readonly tail: Position
  /** The unit that the note on the bus names, and the step that wrote the note. */
  trying: string | undefined
  noted: number
  /** The unit that has killed its owners often enough. */
  readonly deadLetter: string | undefined
}

/** Names a unit of an entry in the notes of takeovers. */
export function unitName(position: Position, unit: number): string {
  return `${position}#${unit}`
}
