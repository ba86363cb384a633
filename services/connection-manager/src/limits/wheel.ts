import type { Cancel, Clock } from '@tactus/env'

/** Something that has to be looked at when a time has come. */
export interface Timed {
  /**
   * Monotonic milliseconds. May be moved later at will; to move it earlier, `watch` again.
   */
  deadline: number
  /** Where the wheel keeps it; -1 for nowhere. The wheel's alone. */
  wheelSlot: number
  /** The deadline has passed. The item is watched no more, unless it asks again. */
  expire(now: number): void
}

const slots = 64

/**
 * The deadlines of all connections on one timer, a second coarse.
 *
 * A timer for each would cost more memory than a quiet connection, and starting it again with each
 * stanza more time than the stanza.
 */
export class Wheel {
  readonly #clock: Clock
  readonly #granularity: number
  readonly #slots: Set<Timed>[] = Array.from({ length: slots }, () => new Set())
  #tick = 0
  #origin: number
  #now: number
  #cancel: Cancel | undefined

  constructor(clock: Clock, granularity = 1_000) {
    this.#clock = clock
    this.#granularity = granularity
    this.#origin = clock.monotonic()
    this.#now = this.#origin
    this.#arm()
  }

  /** Monotonic milliseconds, as of the last tick: for stamps that cost nothing. */
  get now(): number {
    return this.#now
  }

  /** Calls `expire` within a granularity after the item's deadline. */
  watch(item: Timed): void {
    this.forget(item)
    const due = Math.ceil((item.deadline - this.#origin) / this.#granularity)
    const ahead = Math.min(Math.max(due - this.#tick, 1), slots - 1)
    item.wheelSlot = (this.#tick + ahead) % slots
    this.#slots[item.wheelSlot]?.add(item)
  }

  forget(item: Timed): void {
    if (item.wheelSlot < 0) return
    this.#slots[item.wheelSlot]?.delete(item)
    item.wheelSlot = -1
  }

  [Symbol.dispose](): void {
    this.#cancel?.()
  }

  #arm(): void {
    this.#cancel = this.#clock.after(this.#granularity, () => {
      this.#arm()
      this.#advance()
    })
  }

  #advance(): void {
    this.#now = this.#clock.monotonic()
    const target = Math.floor((this.#now - this.#origin) / this.#granularity)
    // After a long pause of the process one turn of the wheel has seen every item.
    this.#tick = Math.max(this.#tick, target - slots)
    while (this.#tick < target) {
      this.#tick += 1
      this.#expireSlot(this.#tick % slots)
    }
  }

  #expireSlot(index: number): void {
    const slot = this.#slots[index]
    if (!slot || slot.size === 0) return
    for (const item of [...slot]) {
      if (item.wheelSlot !== index) continue
      if (item.deadline > this.#now) {
        this.watch(item)
        continue
      }
      this.forget(item)
      item.expire(this.#now)
    }
  }
}
