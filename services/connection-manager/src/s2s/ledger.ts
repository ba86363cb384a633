import {
  type Bus,
  BusUnavailable,
  IncarnationChanged,
  type InputFrame,
  type Operation,
  type Position,
  type Remote,
  type StepRecord,
  type StreamName,
} from '@tactus/bus'
import { type Env, sleep } from '@tactus/env'

/** A field of a hash that follows what is done; of those in one record the last one counts. */
export interface Mark {
  readonly key: string
  readonly field: string
  /** Undefined removes it. */
  readonly value: Uint8Array | undefined
}

/** What belongs together in one record: all of it is done, or none. */
export interface Work {
  /** An entry of a shard that is done. */
  readonly remove?: { readonly stream: StreamName; readonly position: Position }
  readonly operations?: readonly Operation[]
  /** Inputs for partitions, and stanzas for other shards. */
  readonly inputs?: readonly {
    readonly stream: StreamName
    readonly frame: InputFrame | Remote
  }[]
  readonly marks?: readonly Mark[]
  readonly bytes: number
  /** It was applied; where each stream got something, as far as the bus told. */
  readonly done?: (positions: ReadonlyMap<StreamName, Position>) => void
}

/** One record holds so much and no more: a script of this size keeps everybody else out of Redis for 2–3 ms. */
const most = { works: 512, bytes: 512 * 1024 }
const retryAfter = 200
/** Milliseconds between looks at whether what comes from outside may go on (design §3.9). */
const congested = 250

/** What a ledger needs. */
export interface LedgerPorts {
  readonly bus: Bus
  readonly env: Env
  /** Whose steps these are: one boot of one instance. */
  readonly instance: string
  /** Whether a stream can take more; a commit is never refused, so it is asked before. */
  hasRoom(stream: StreamName): boolean
  /** The commit was refused for ever: somebody took over from this instance, or the bus was lost. */
  lost(): void
  /** A commit is repeated. */
  retried(error: unknown): void
}

/**
 * What this instance commits on the bus: exactly once and in order, by the same step counter as a router's (design §3.3).
 *
 * So an entry of a shard leaves it together with the error that its sender gets, never without; and what another server
 * sent enters its partition once and in its order, though the bus may answer nothing or twice.
 */
export class Ledger {
  readonly #ports: LedgerPorts
  /** What frees room goes first and is never held up; what comes from outside waits where there is none. */
  readonly #own: Work[] = []
  readonly #foreign: Work[] = []
  #step = 0
  #running = false
  #stopped = false

  constructor(ports: LedgerPorts) {
    this.#ports = ports
  }

  /** Adds something about entries that are done. */
  settle(work: Work): void {
    this.#own.push(work)
    this.#run()
  }

  /** Adds what another server sent. */
  receive(work: Work): void {
    this.#foreign.push(work)
    this.#run()
  }

  /** Whether nothing waits for its commit. */
  get isIdle(): boolean {
    return !this.#running
  }

  stop(): void {
    this.#stopped = true
  }

  #run(): void {
    if (this.#running || this.#stopped) return
    this.#running = true
    // Whatever comes in the same turn of the event loop goes along.
    setImmediate(() => void this.#loop())
  }

  async #loop(): Promise<void> {
    const { bus, env } = this.#ports
    while (!this.#stopped && this.#own.length + this.#foreign.length > 0) {
      const works = [...take(this.#own, () => true), ...take(this.#foreign, this.#mayEnter)]
      const positions = works.length > 0 ? await this.#commit(works) : nowhere
      if (!positions) return
      for (const { done } of works) done?.(positions)
      const isHeldUp = works.length === 0 || bus.pressure() >= pressureLimit
      if (isHeldUp) await sleep(env.clock, congested)
    }
    this.#running = false
  }

  readonly #mayEnter = ({ inputs = [] }: Work): boolean =>
    this.#ports.bus.pressure() < pressureLimit &&
    inputs.every(({ stream }) => this.#ports.hasRoom(stream))

  /** An unknown outcome is resolved by sending the same record again. Undefined when there is nothing more to be done here. */
  async #commit(works: readonly Work[]): Promise<ReadonlyMap<StreamName, Position> | undefined> {
    const { bus, env, instance } = this.#ports
    this.#step += 1
    const record: StepRecord = { router: instance, step: this.#step, operations: merge(works) }
    while (!this.#stopped) {
      try {
        const outcome = await bus.commit(record)
        if ('positions' in outcome) return placesOf(record, outcome.positions)
        break
      } catch (error) {
        this.#ports.retried(error)
        if (error instanceof IncarnationChanged || !(error instanceof BusUnavailable)) break
        await sleep(env.clock, retryAfter)
      }
    }
    if (!this.#stopped) this.#ports.lost()
    this.#stopped = true
    return undefined
  }
}

const nowhere: ReadonlyMap<StreamName, Position> = new Map()

/** Where each stream got its entry; empty where an earlier attempt was the one that was applied. */
function placesOf(
  { operations }: StepRecord,
  positions: readonly Position[],
): ReadonlyMap<StreamName, Position> {
  const appends = operations.flatMap((operation) =>
    operation.op === 'append' ? [operation.stream] : [],
  )
  return new Map(
    appends.flatMap((stream, index) => {
      const position = positions[index]
      return position === undefined ? [] : [[stream, position] as const]
    }),
  )
}

/** Above this share of its memory the bus takes nothing from outside, as with what clients send. */
const pressureLimit = 0.7

/** Takes from the front, as much as one record holds and as long as it may. */
function take(queue: Work[], may: (work: Work) => boolean): Work[] {
  let bytes = 0
  let count = 0
  for (const work of queue) {
    if (count >= most.works || (count > 0 && bytes + work.bytes > most.bytes) || !may(work)) break
    bytes += work.bytes
    count += 1
  }
  return queue.splice(0, count)
}

/** One operation a stream, in order. */
function merge(works: readonly Work[]): readonly Operation[] {
  const removed = new Map<StreamName, Position[]>()
  const frames = new Map<StreamName, (InputFrame | Remote)[]>()
  const operations: Operation[] = []
  const marks = new Map<string, Map<string, Uint8Array | undefined>>()
  for (const { remove, operations: more = [], inputs = [], marks: set = [] } of works) {
    if (remove) pushTo(removed, remove.stream, remove.position)
    operations.push(...more)
    for (const { key, field, value } of set) {
      const fields = marks.get(key) ?? new Map<string, Uint8Array | undefined>()
      marks.set(key, fields.set(field, value))
    }
    for (const { stream, frame } of inputs) pushTo(frames, stream, frame)
  }
  for (const [stream, positions] of removed) operations.push({ op: 'remove', stream, positions })
  for (const [stream, list] of frames) operations.push({ op: 'append', stream, frames: list })
  for (const [key, fields] of marks) operations.push(...marking(key, fields))
  return operations
}

function marking(
  key: string,
  marks: ReadonlyMap<string, Uint8Array | undefined>,
): readonly Operation[] {
  const fields: (readonly [string, Uint8Array])[] = []
  const gone: string[] = []
  for (const [field, value] of marks)
    if (value) fields.push([field, value])
    else gone.push(field)
  const operations: Operation[] = []
  if (fields.length > 0) operations.push({ op: 'hset', key, fields })
  if (gone.length > 0) operations.push({ op: 'hdel', key, fields: gone })
  return operations
}

function pushTo<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key)
  if (group) group.push(value)
  else groups.set(key, [value])
}
