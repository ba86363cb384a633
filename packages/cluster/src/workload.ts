import { comparePositions, type Entry, type InputFrame, type Position } from '@tactus/bus'
import type { RecordedInput } from './durable-inputs.ts'
import { Fifo } from './fifo.ts'
import type { Input } from './machine.ts'
import type { LoadNeed } from './need.ts'
import { entityOf, partitionOf, partitionOfStream } from './partition.ts'
import { EntityState, EntryState, type PartitionState, WorkItem } from './state.ts'

/** One input that a frame stands for: a multicast is one for each of its entities. */
export interface Unit {
  readonly entity: string
  readonly input: Input
}

/** An entity and what its next input needs. */
export interface Waiting {
  readonly entity: EntityState
  readonly need: LoadNeed
}

/** Takes a frame of a partition stream apart; the order is part of the protocol (`partial` counts in it). */
export function unitsOf(frame: InputFrame | RecordedInput['input']): readonly Unit[] {
  if (frame.kind !== 'multicast') return [{ entity: frame.entity, input: frame }]
  const groups = new Map<string, string[]>()
  for (const recipient of frame.recipients) {
    const entity = entityOf(recipient)
    const group = groups.get(entity)
    if (group) group.push(recipient)
    else groups.set(entity, [recipient])
  }
  return Array.from(groups, ([entity, recipients]) => ({
    entity,
    input: { ...frame, recipients },
  }))
}

/**
 * What waits in the partitions of one router, and the entities it waits for.
 *
 * Entities of a partition and partitions among each other take turns, one input each.
 */
export class Workload {
  readonly partitions: Map<number, PartitionState> = new Map()
  readonly entities: Map<string, EntityState> = new Map()
  readonly #ring: Fifo<PartitionState> = new Fifo()
  readonly #count: number
  readonly #deferred = new Map<number, EntityState[]>()
  /** Entities whose next input needs something loaded. */
  waiting: Waiting[] = []
  /** Entries without anything to do for us, to be taken out of their streams. */
  empty: { readonly partition: PartitionState; readonly position: Position }[] = []

  constructor(count: number) {
    this.#count = count
  }

  get count(): number {
    return this.#count
  }

  /** The partition that processes an entity, ours or not. */
  partitionOf(entity: string): number {
    return this.entities.get(entity)?.partition.id ?? partitionOf(entity, this.#count)
  }

  entity(id: string, partition: PartitionState): EntityState {
    let entity = this.entities.get(id)
    if (!entity) {
      entity = new EntityState(id, partition)
      this.entities.set(id, entity)
    }
    return entity
  }

  /** Queues what a stream carried; answers how many inputs that are. */
  accept(entry: Entry, now: number): number {
    const partition = this.partitions.get(partitionOfStream(entry.stream) ?? -1)
    // A read may come back after its partition went to another owner.
    if (!partition || partition.draining) return 0
    if (comparePositions(entry.position, partition.position) <= 0) return 0
    partition.position = entry.position
    const units: Unit[] = []
    for (const frame of entry.frames as readonly InputFrame[]) units.push(...unitsOf(frame))
    const state = new EntryState(partition, entry.position, units.length, {
      read: now,
      done: partition.partial.get(entry.position),
    })
    partition.track(state)
    partition.partial.delete(entry.position)
    if (state.remaining === 0) this.empty.push({ partition, position: entry.position })
    for (const [unit, { entity, input }] of units.entries()) {
      if (state.isDone(unit)) continue
      const owner = this.entity(entity, partition)
      this.add(new WorkItem(owner, input, 'stream', { entry: state, unit }))
    }
    this.readBack(partition)
    return state.remaining
  }

  add(item: WorkItem): void {
    item.entity.queue.push(item)
    item.entity.partition.backlog += 1
    this.ready(item.entity)
  }

  /** Puts an input back to the front of its entity's queue. */
  giveBack(item: WorkItem): void {
    item.done = false
    item.entity.queue.unshift(item)
    item.entity.partition.backlog += 1
    this.ready(item.entity)
  }

  ready(entity: EntityState): void {
    if (entity.status !== 'idle' || entity.queue.length === 0) return
    const { partition } = entity
    if (partition.draining) return
    entity.status = 'ready'
    partition.ready.push(entity)
    if (partition.inRing || partition.careful) return
    partition.inRing = true
    this.#ring.push(partition)
  }

  /** The next entity whose turn it is; its partition goes to the end of the ring. */
  next(): EntityState | undefined {
    for (;;) {
      const partition = this.#ring.shift()
      if (!partition) return undefined
      const entity = partition.careful ? undefined : partition.ready.shift()
      if (entity && partition.ready.length > 0) this.#ring.push(partition)
      else partition.inRing = false
      if (!entity || partition.draining) continue
      entity.status = 'idle'
      return entity
    }
  }

  get runnable(): boolean {
    return this.#ring.length > 0
  }

  /** Puts a partition on the ring whose careful time is over. */
  resume(partition: PartitionState): void {
    partition.careful = undefined
    if (partition.inRing || partition.ready.length === 0) return
    partition.inRing = true
    this.#ring.push(partition)
  }

  /** The entity waits until `step` is committed, and with it all that comes after for it. */
  defer(entity: EntityState, step: number): void {
    entity.status = 'deferred'
    const deferred = this.#deferred.get(step)
    if (deferred) deferred.push(entity)
    else this.#deferred.set(step, [entity])
  }

  wait(entity: EntityState, need: LoadNeed): void {
    entity.status = 'waiting'
    this.waiting.push({ entity, need })
  }

  wake(entity: EntityState): void {
    if (entity.status === 'ready') return
    entity.status = 'idle'
    this.ready(entity)
  }

  /** Lets go what waited for steps up to `step`; all of it when undefined. */
  release(step: number | undefined): void {
    for (const [number, entities] of this.#deferred) {
      if (step !== undefined && number > step) continue
      this.#deferred.delete(number)
      for (const entity of entities) if (entity.status === 'deferred') this.wake(entity)
    }
  }

  /** Entities whose appended inputs have been read back may be served within the step again. */
  readBack(partition: PartitionState): void {
    for (;;) {
      const append = partition.ownAppends.peek()
      if (!append || comparePositions(append.position, partition.position) > 0) break
      partition.ownAppends.shift()
      for (const entity of append.entities) entity.viaStream -= 1
    }
    if (partition.barrier && comparePositions(partition.barrier, partition.position) <= 0)
      partition.barrier = undefined
    if (partition.careful && isPast(partition, partition.careful.tail)) this.resume(partition)
  }

  /** Forgets a partition and everything of its entities. */
  drop(partition: PartitionState): void {
    partition.draining = true
    this.partitions.delete(partition.id)
    for (const entity of this.entities.values())
      if (entity.partition === partition) this.entities.delete(entity.id)
    this.waiting = this.waiting.filter(({ entity }) => entity.partition !== partition)
    this.empty = this.empty.filter((entry) => entry.partition !== partition)
  }

  /** Takes inputs that did not run out of their entities' queues. */
  dropInline(items: readonly WorkItem[]): void {
    const left = items.filter((item) => !item.done)
    for (const entity of new Set(left.map((item) => item.entity))) {
      const before = entity.queue.length
      entity.queue.filter((item) => item.origin !== 'inline')
      entity.partition.backlog -= before - entity.queue.length
    }
  }

  /** Shrinks the cache to about `limit` entities: those not used since the last sweep go first. */
  sweep(limit: number, applied: number): void {
    let excess = this.entities.size - limit
    if (excess <= 0) return
    let looked = excess * 4
    for (const [id, entity] of this.entities) {
      if (excess <= 0 || looked <= 0) return
      looked -= 1
      this.entities.delete(id)
      if (isIdle(entity, applied) && !entity.used) excess -= 1
      else this.entities.set(id, entity)
      entity.used = false
    }
  }
}

/** Whether everything up to a position is worked off. */
function isPast(partition: PartitionState, position: Position): boolean {
  const oldest = partition.oldest()
  const next = oldest ? comparePositions(oldest.position, position) > 0 : true
  return next && comparePositions(partition.position, position) >= 0
}

function isIdle(entity: EntityState, applied: number): boolean {
  return (
    entity.status === 'idle' &&
    entity.queue.length === 0 &&
    entity.touched <= applied &&
    entity.viaStream === 0
  )
}
