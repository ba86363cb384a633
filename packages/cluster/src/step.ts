import type { Operation } from '@tactus/bus'
import type { Effect } from './effects.ts'
import type { EntityState, EntryState, WorkItem } from './state.ts'

/** Where a step ends (design §3.3), so that load makes steps bigger but never a step endless. */
export interface StepCaps {
  readonly frames: number
  /** Bytes of stanzas that leave or are queued. */
  readonly bytes: number
  readonly operations: number
  /** Milliseconds that handlers run. */
  readonly time: number
}

/** Measured: a script of this size keeps everybody else out of Redis for 2–3 ms. */
export const defaultCaps: StepCaps = {
  frames: 512,
  bytes: 1024 * 1024,
  operations: 1000,
  time: 20,
}

/** One step while inputs still join it: everything they did, nothing of it seen by anybody. */
export class Step {
  readonly number: number
  readonly effects: Effect[] = []
  /** Inputs that ran, in order; a thrown away step gives them back. */
  readonly consumed: WorkItem[] = []
  readonly entries: Set<EntryState> = new Set()
  readonly entities: EntityState[] = []
  /** Inputs made by this step for own entities; what is left of them at its end goes to their streams. */
  readonly inline: WorkItem[] = []
  /** Own entities that this step writes to the stream of. */
  readonly viaStream: Set<EntityState> = new Set()
  /** The engine's own operations: notes of takeovers and the like. */
  readonly extra: Operation[] = []
  /** Inputs that are not consequences of others; bounded while a refused row is looked for. */
  roots = 0
  bytes = 0
  /** Milliseconds that its inputs ran. */
  time = 0
  /** Nothing may join any more. */
  closed = false

  constructor(number: number) {
    this.number = number
  }

  get hasWork(): boolean {
    return this.consumed.length > 0 || this.extra.length > 0
  }

  full(caps: StepCaps, roots: number): boolean {
    return (
      this.closed ||
      this.consumed.length >= caps.frames ||
      this.bytes >= caps.bytes ||
      this.effects.length >= caps.operations ||
      // Time alone fills no step: one that only found state missing could not be committed, and nothing would go on.
      (this.time >= caps.time && this.consumed.length > 0) ||
      this.roots >= roots
    )
  }

  /** The input ran: it leaves its stream with this step. */
  consume(item: WorkItem): void {
    item.done = true
    this.consumed.push(item)
    if (item.origin !== 'inline') this.roots += 1
    if (item.entry) {
      item.entry.mark(item.unit)
      this.entries.add(item.entry)
    }
    this.touch(item.entity)
  }

  /** The step writes to the entity's own stream; the cache must remember that until it is read back. */
  sendVia(entity: EntityState): void {
    this.viaStream.add(entity)
    this.touch(entity)
  }

  touch(entity: EntityState): void {
    if (entity.touched === this.number) return
    entity.touched = this.number
    this.entities.push(entity)
  }
}
