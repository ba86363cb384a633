import { type Bus, comparePositions, type Position, type StreamName } from '@tactus/bus'
import { partitionOfStream, partitionStream } from '@tactus/cluster'
import type { Cancel, Env } from '@tactus/env'

/** Milliseconds between two looks: few while something passes, more while nothing does. */
const pauses = { least: 20, most: 320 }

interface Waiting {
  /** Undefined where the bus did not tell: then it is before whatever is last there at the next look. */
  position: Position | undefined
  readonly passed: () => void
}

/**
 * What of all that went into partitions their owners have committed. An entry leaves a partition's stream behind the rows of
 * what was in it, so what has left is in the database, and may be acknowledged (design §3.5). Looked at only while somebody
 * waits for something.
 */
export class Passing {
  readonly #bus: Bus
  readonly #env: Env
  readonly #partitions: readonly StreamName[]
  /** In the order of the stream. */
  readonly #waiting = new Map<StreamName, Waiting[]>()
  #pause = pauses.least
  #armed = false
  #cancel: Cancel = () => {}

  constructor(bus: Bus, env: Env, partitions: number) {
    this.#bus = bus
    this.#env = env
    this.#partitions = Array.from({ length: partitions }, (_, number) => partitionStream(number))
  }

  /** Calls `passed` once the owner has committed what was put there. What is for no partition is in nobody's database. */
  add(stream: StreamName, position: Position | undefined, passed: () => void): void {
    if (partitionOfStream(stream) === undefined) return passed()
    const list = this.#waiting.get(stream) ?? []
    this.#waiting.set(stream, list)
    list.push({ position, passed })
    if (!this.#armed) this.#arm()
  }

  /** Resolves once everything is committed that is in any partition's stream now, whoever put it there. */
  async everything(): Promise<void> {
    const extents = await this.#bus.extent(this.#partitions)
    const waits = [...extents].flatMap(([stream, { length, last }]) =>
      length === 0 ? [] : [new Promise<void>((resolve) => this.add(stream, last, resolve))],
    )
    await Promise.all(waits)
  }

  stop(): void {
    this.#armed = true
    this.#cancel()
  }

  #arm(): void {
    this.#armed = true
    this.#cancel = this.#env.clock.after(this.#pause, () => void this.#look())
  }

  async #look(): Promise<void> {
    let isMoving = false
    try {
      const extents = await this.#bus.extent([...this.#waiting.keys()])
      for (const [stream, { first, last }] of extents)
        isMoving = this.#pass(stream, first, last) || isMoving
    } catch {
      // It is asked again; meanwhile nothing counts as passed.
    }
    this.#pause = isMoving ? pauses.least : Math.min(2 * this.#pause, pauses.most)
    this.#armed = false
    if (this.#waiting.size > 0) this.#arm()
  }

  #pass(stream: StreamName, first: Position | undefined, last: Position): boolean {
    const list = this.#waiting.get(stream) ?? []
    for (const waiting of list) waiting.position ??= last
    const isThere = ({ position = last }: Waiting): boolean =>
      first !== undefined && comparePositions(first, position) <= 0
    const left = list.findIndex(isThere)
    const gone = list.splice(0, left < 0 ? list.length : left)
    if (list.length === 0) this.#waiting.delete(stream)
    for (const { passed } of gone) passed()
    return gone.length > 0
  }
}
