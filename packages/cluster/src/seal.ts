import type {
  Committed,
  Deliver,
  InputFrame,
  Operation,
  OutputFrame,
  Position,
  QueueEntry,
  StreamName,
} from '@tactus/bus'
import { collectRows } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import { pack } from 'msgpackr'
import type { Effect } from './effects.ts'
import { field, liveKey } from './keys.ts'
import { neededFor } from './own-appends.ts'
import { deliveryStream, isShardStream } from './partition.ts'
import { RowEffects } from './row-effects.ts'
import type { Attachment, NotedJob, Sealed } from './sealed.ts'
import type { EntityState, PartitionState } from './state.ts'
import type { Step } from './step.ts'
import type { Workload } from './workload.ts'

type Frame = InputFrame | OutputFrame

/**
 * Turns what a step collected into what is written: rows for the store, generic operations for the bus.
 *
 * @throws what a store's `save` or `encode` throws: the same as refused rows
 */
export function seal(step: Step, workload: Workload, router: string): Sealed {
  return new Sealing(step, workload, router).seal()
}

/** Appends of one step, a list of frames for each destination, in emission order. */
class Appends {
  readonly frames = new Map<StreamName, Frame[]>()

  add(stream: StreamName, frame: Frame): void {
    const frames = this.frames.get(stream)
    if (!frames) this.frames.set(stream, [frame])
    else if (!mergeDelivery(frames, frame)) frames.push(frame)
  }
}

/** Adjacent deliveries of one stanza share a frame: its cost grows with instances and not with receivers. */
function mergeDelivery(frames: Frame[], frame: Frame): boolean {
  const last = frames.at(-1)
  if (frame.kind !== 'deliver' || last?.kind !== 'deliver') return false
  if (last.stanza !== frame.stanza) return false
  const merged: Deliver = { ...last, targets: [...last.targets, ...frame.targets] }
  // Repeated merging of a long list would be quadratic: the merged frame's own list may grow in place.
  if (owned.has(last)) {
    ;(last.targets as Deliver['targets'][number][]).push(...frame.targets)
    return true
  }
  owned.add(merged)
  frames[frames.length - 1] = merged
  return true
}

const owned = new WeakSet<Deliver>()

class Sealing {
  readonly #step: Step
  readonly #workload: Workload
  readonly #router: string
  readonly #operations: Operation[] = []
  readonly #appends = new Appends()
  readonly #rows = new RowEffects(collectRows())
  readonly #live = new Map<EntityState, Map<string, Uint8Array | undefined>>()
  readonly #timers = new Map<PartitionState, Map<string, number | undefined>>()
  readonly #jobs = new Map<PartitionState, Map<string, NotedJob | undefined>>()
  readonly #attached = new Map<PartitionState, Map<string, Attachment>>()
  readonly #committed = new Map<string, Map<string, readonly [string, number, number]>>()
  readonly #shared = new Map<Stanza, { uses: number; ref: string | undefined }>()
  readonly #queues: Operation[] = []

  constructor(step: Step, workload: Workload, router: string) {
    this.#step = step
    this.#workload = workload
    this.#router = router
  }

  seal(): Sealed {
    const { step } = this
    for (const effect of step.effects) if (effect.effect === 'enqueue') this.#count(effect.stanza)
    for (const effect of step.effects) this.#apply(effect)
    this.#workload.dropInline(step.inline)
    this.#removals()
    this.#replays()
    this.#state()
    this.#operations.push(...this.#queues, ...step.extra)
    for (const [instance, sessions] of this.#committed) {
      const frame: Committed = { kind: 'committed', sessions: [...sessions.values()] }
      this.#appends.add(deliveryStream(instance), frame)
    }
    for (const [stream, frames] of this.#appends.frames)
      this.#operations.push({ op: 'append', stream, frames })
    const empty = this.#workload.empty
    this.#workload.empty = []
    const needed = neededFor(this.#operations)
    const writes = this.#rows.writes()
    return {
      step,
      number: step.number,
      operations: this.#operations,
      appends: [...this.#appends.frames.keys()],
      needed,
      writes,
      durable: writes.length > 0 || [...needed].some(isShardStream),
      jobs: [...this.#jobs.values()].flatMap((jobs) => [...jobs.values()].filter(isNoted)),
      attachments: [...this.#attached.values()].flatMap((entries) => [...entries.values()]),
      consumed: step.consumed,
      empty,
    }
  }

  get step(): Step {
    return this.#step
  }

  #apply(effect: Effect): void {
    switch (effect.effect) {
      case 'live':
        return this.#liveField(effect.entity, field(effect.store.name, effect.key), () => {
          const value = effect.entity.live?.get(effect.store)?.get(effect.key)
          return value === undefined ? undefined : pack(effect.store.encode(value))
        })
      case 'emit':
        return this.#appends.add(effect.stream, effect.frame)
      case 'inline':
        return this.#leftover(effect)
      case 'enqueue':
        return this.#enqueue(effect)
      case 'trim':
        this.#queues.push({ op: 'trim', queue: effect.session, n: effect.n })
        return
      case 'timer':
        return this.#timer(effect.entity, effect.name)
      case 'committed':
        return this.#commit(effect)
      default:
        return this.#applyRest(effect)
    }
  }

  #applyRest(
    effect: Extract<
      Effect,
      { effect: 'set' | 'insert' | 'upsert' | 'remove' | 'clear' | 'job' | 'attach' | 'detach' }
    >,
  ): void {
    switch (effect.effect) {
      case 'job': {
        const { entity, id, spec } = effect
        const job = spec && { entity, id, spec: spec.value }
        groupOf(this.#jobs, entity.partition).set(field(entity.id, id), job)
        return
      }
      case 'attach':
      case 'detach': {
        const { entity, instance, id } = effect
        const name = field(instance, field(entity.id, id))
        const attached = effect.effect === 'attach'
        groupOf(this.#attached, entity.partition).set(name, { entity, instance, id, attached })
        return
      }
      default:
        this.#rows.add(effect)
    }
  }

  /** Encoded once, however often it changed: what the cache holds now is what the step leaves. */
  #liveField(entity: EntityState, name: string, encode: () => Uint8Array | undefined): void {
    const fields = groupOf(this.#live, entity)
    if (!fields.has(name)) fields.set(name, encode())
  }

  #timer(entity: EntityState, name: string): void {
    const timer = entity.timers.get(name)
    this.#liveField(entity, field('', name), () => timer && pack(timer))
    groupOf(this.#timers, entity.partition).set(field(entity.id, name), timer?.at)
  }

  #commit({ instance, session, seq, h }: Extract<Effect, { effect: 'committed' }>): void {
    groupOf(this.#committed, instance).set(session, [session, seq, h])
  }

  #count(stanza: Stanza): void {
    const shared = this.#shared.get(stanza)
    if (shared) shared.uses += 1
    else this.#shared.set(stanza, { uses: 1, ref: undefined })
  }

  #enqueue({ session, n, stanza, meta }: Extract<Effect, { effect: 'enqueue' }>): void {
    const entry: QueueEntry = { n, meta: pack(meta), payload: this.#payload(stanza) }
    const last = this.#queues.at(-1)
    if (last?.op === 'enqueue' && last.queue === session) (last.entries as QueueEntry[]).push(entry)
    else this.#queues.push({ op: 'enqueue', queue: session, entries: [entry] })
  }

  /** A payload of three queues or more is stored once, and the queues refer to it. */
  #payload(stanza: Stanza): QueueEntry['payload'] {
    const shared = this.#shared.get(stanza)
    if (!shared || shared.uses < 3) return { bytes: stanza.bytes }
    if (shared.ref === undefined) {
      shared.ref = `${this.#router}:${this.#step.number}:${this.#operations.length}`
      const references = shared.uses
      this.#operations.push({ op: 'payload', key: shared.ref, bytes: stanza.bytes, references })
    }
    return { ref: shared.ref }
  }

  /** Own entities' inputs that did not run any more go to their stream, where they stand in the order of sending. */
  #leftover({ frame, stream, items }: Extract<Effect, { effect: 'inline' }>): void {
    const left = items.filter((item) => !item.done)
    if (left.length === 0) return
    for (const { entity } of left) this.#step.sendVia(entity)
    if (frame.kind !== 'multicast') return this.#appends.add(stream, frame)
    const recipients = left.flatMap(({ input }) =>
      input.kind === 'multicast' ? input.recipients : [],
    )
    this.#appends.add(stream, { ...frame, recipients })
  }

  #removals(): void {
    const removed = new Map<PartitionState, Position[]>()
    const partial = new Map<PartitionState, (readonly [string, Uint8Array])[]>()
    for (const entry of this.#step.entries) {
      if (entry.remaining === 0) pushTo(removed, entry.partition, entry.position)
      else pushTo(partial, entry.partition, [entry.position, entry.bits()] as const)
    }
    for (const { partition, position } of this.#workload.empty) pushTo(removed, partition, position)
    for (const [partition, positions] of removed) {
      this.#operations.push({ op: 'remove', stream: partition.stream, positions })
      const noted = positions.filter((position) => this.#wasPartial(partition, position))
      if (noted.length > 0)
        this.#operations.push({ op: 'hdel', key: partition.partialKey, fields: noted })
    }
    for (const [partition, fields] of partial) {
      for (const [position] of fields) partition.noted.add(position)
      this.#operations.push({ op: 'hset', key: partition.partialKey, fields })
    }
  }

  /** Noted in the same commit, so that the next owner does not run them again. */
  #replays(): void {
    const fields = new Map<PartitionState, (readonly [string, Uint8Array])[]>()
    for (const { entity, replay } of this.#step.consumed)
      if (replay !== undefined) pushTo(fields, entity.partition, [replay, here] as const)
    for (const [{ replayedKey, rerun }, places] of fields) {
      for (const [place] of places) rerun.add(place)
      this.#operations.push({ op: 'hset', key: replayedKey, fields: places })
    }
  }

  #wasPartial(partition: PartitionState, position: Position): boolean {
    return partition.noted.delete(position)
  }

  #state(): void {
    for (const [entity, fields] of this.#live) this.#fields(liveKey(entity.id), fields)
    for (const [partition, members] of this.#timers) {
      const [set, gone] = split(members)
      const key = partition.timersKey
      if (set.length > 0) this.#operations.push({ op: 'zadd', key, members: set })
      if (gone.length > 0) this.#operations.push({ op: 'zrem', key, members: gone })
    }
    for (const [partition, jobs] of this.#jobs)
      this.#fields(
        partition.jobsKey,
        new Map(Array.from(jobs, ([name, job]) => [name, job && pack(job.spec)])),
      )
    for (const [partition, entries] of this.#attached)
      this.#fields(
        partition.attachedKey,
        new Map(Array.from(entries, ([name, { attached }]) => [name, attached ? here : undefined])),
      )
  }

  #fields(key: string, values: ReadonlyMap<string, Uint8Array | undefined>): void {
    const [fields, gone] = split(values)
    if (fields.length > 0) this.#operations.push({ op: 'hset', key, fields })
    if (gone.length > 0) this.#operations.push({ op: 'hdel', key, fields: gone })
  }
}

/** Value of an index field, whose name says everything. */
const here = Uint8Array.of(1)

const isNoted = (job: NotedJob | undefined): job is NotedJob => job !== undefined

function groupOf<K, L, V>(groups: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let group = groups.get(key)
  if (!group) {
    group = new Map()
    groups.set(key, group)
  }
  return group
}

function pushTo<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key)
  if (group) group.push(value)
  else groups.set(key, [value])
}

function split<V>(values: ReadonlyMap<string, V | undefined>): [[string, V][], string[]] {
  const set: [string, V][] = []
  const gone: string[] = []
  for (const [name, value] of values) {
    if (value === undefined) gone.push(name)
    else set.push([name, value])
  }
  return [set, gone]
}
