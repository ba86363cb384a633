import { type Bus, BusUnavailable, type Position } from '@tactus/bus'
import { type Clock, sleep } from '@tactus/env'
import { Signal } from './signal.ts'
import type { Workload } from './workload.ts'

/** Units read and not done, after which a partition is not read. */
const backlogLimit = 4096
/** Entries of each stream in one read. */
const entriesAtOnce = 64
const longestWait = 1000

/** Reads all partitions that a router holds, each from where it stands (design §5). */
export class PartitionReader {
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #workload: Workload
  readonly #notify: () => void
  readonly #signal = new Signal()
  #reading = new AbortController()
  #paused = false
  #stopped = false

  constructor(options: {
    readonly bus: Bus
    readonly clock: Clock
    readonly workload: Workload
    /** Called when inputs came. */
    readonly notify: () => void
  }) {
    this.#bus = options.bus
    this.#clock = options.clock
    this.#workload = options.workload
    this.#notify = options.notify
  }

  stop(): void {
    this.#stopped = true
    this.#reading.abort()
    this.#signal.notify()
  }

  /** Reads anew, because the set of streams changed. */
  reread(): void {
    if (this.#stopped) return
    this.#reading.abort()
    this.#reading = new AbortController()
    this.#signal.notify()
  }

  /** Inputs were done: a partition with too many of them may be read again. */
  relieve(): void {
    if (this.#paused) this.reread()
  }

  /** @throws what a read throws, other than that the bus is away */
  async run(): Promise<void> {
    while (!this.#stopped) {
      const positions = this.#positions()
      if (positions.size === 0) await this.#signal.wait()
      else await this.#read(positions)
    }
  }

  async #read(positions: ReadonlyMap<string, Position>): Promise<void> {
    const { signal } = this.#reading
    try {
      const entries = await this.#bus.read(positions, {
        count: entriesAtOnce,
        wait: longestWait,
        signal,
      })
      if (this.#stopped || entries.length === 0) return
      const now = this.#clock.monotonic()
      for (const entry of entries) this.#workload.accept(entry, now)
      this.#notify()
    } catch (error) {
      if (!(error instanceof BusUnavailable)) throw error
      await sleep(this.#clock, 100)
    }
  }

  #positions(): Map<string, Position> {
    const positions = new Map<string, Position>()
    this.#paused = false
    for (const partition of this.#workload.partitions.values()) {
      if (partition.draining) continue
      if (partition.backlog < backlogLimit) positions.set(partition.stream, partition.position)
      else this.#paused = true
    }
    return positions
  }
}
