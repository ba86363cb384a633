import { type Bus, defaultLimits, type StreamName } from '@tactus/bus'
import { partitionStream } from '@tactus/cluster'
import type { Cancel, Env } from '@tactus/env'

const every = 500

/**
 * Which partitions' streams can take more. A commit is never refused, so what comes from outside asks here before
 * (design §3.9); looked at only while something comes.
 */
export class PartitionRoom {
  readonly #bus: Bus
  readonly #env: Env
  readonly #streams: readonly StreamName[]
  #full: ReadonlySet<StreamName> = new Set()
  #used = false
  #armed = false
  #cancel: Cancel = () => {}

  constructor(bus: Bus, env: Env, partitions: number) {
    this.#bus = bus
    this.#env = env
    this.#streams = Array.from({ length: partitions }, (_, number) => partitionStream(number))
  }

  has(stream: StreamName): boolean {
    return !this.#full.has(stream)
  }

  /** Something is about to go there. */
  use(_stream: StreamName): void {
    this.#used = true
    if (!this.#armed) this.#arm()
  }

  stop(): void {
    this.#armed = true
    this.#cancel()
  }

  #arm(): void {
    this.#armed = true
    this.#cancel = this.#env.clock.after(every, () => void this.#look())
  }

  async #look(): Promise<void> {
    try {
      const extents = await this.#bus.extent(this.#streams)
      const isFull = ({ length }: { readonly length: number }): boolean =>
        length >= defaultLimits.streamEntries
      this.#full = new Set([...extents].flatMap(([name, extent]) => (isFull(extent) ? [name] : [])))
    } catch {
      // It is asked again; meanwhile what was known holds.
    }
    this.#armed = false
    if (!this.#used && this.#full.size === 0) return
    this.#used = false
    this.#arm()
  }
}
