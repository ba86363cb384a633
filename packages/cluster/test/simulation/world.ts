import type { Cancel, Clock, Env } from '@tactus/env'

interface Event {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/** Simulated time and chance: one seed is one run, to the last event. */
export class World {
  readonly seed: number
  now = 0
  events = 0
  /** Grows with everything that happens; equal for equal seeds. */
  hash = 0x811c9dc5
  readonly #heap: Event[] = []
  #state: number
  #order = 0
  readonly violations: string[] = []
  readonly log: string[] | undefined

  constructor(seed: number, options: { readonly log?: boolean } = {}) {
    this.seed = seed
    this.#state = (seed * 2654435761) >>> 0 || 1
    this.log = options.log ? [] : undefined
  }

  /** 0…1, the same sequence for the same seed. */
  chance(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  between(low: number, high: number): number {
    return low + Math.floor(this.chance() * (high - low + 1))
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.between(0, items.length - 1)]
  }

  trace(what: string): void {
    for (let i = 0; i < what.length; i += 1)
      this.hash = Math.imul(this.hash ^ what.charCodeAt(i), 0x01000193) >>> 0
    this.log?.push(`${this.now.toFixed(1)} ${what}`)
  }

  violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(`${this.now.toFixed(1)} ${what}`)
    this.trace(`VIOLATION ${what}`)
  }

  at(delay: number, run: () => void): Cancel {
    const event: Event = { at: this.now + Math.max(0, delay), order: this.#order++, run }
    this.#push(event)
    return () => {
      event.run = undefined
    }
  }

  /** Runs events until nothing is left, time is over, or `done` says so. */
  async run(until: number, done: () => boolean): Promise<boolean> {
    for (;;) {
      const event = this.#heap[0]
      if (!event || event.at > until) {
        this.now = until
        return done()
      }
      this.#pop()
      if (!event.run) continue
      this.now = event.at
      this.events += 1
      event.run()
      // All promises that this event settled run to their end before the next one.
      await new Promise((resolve) => setImmediate(resolve))
      if (done()) return true
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let i = heap.push(event) - 1
    while (i > 0) {
      const up = (i - 1) >> 1
      const parent = heap[up]
      if (!parent || before(parent, event)) break
      heap[i] = parent
      i = up
    }
    heap[i] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (!left) break
      if (right && before(right, left)) child += 1
      const least = heap[child]
      if (!least || before(last, least)) break
      heap[i] = least
      i = child
    }
    heap[i] = last
  }
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** A process that can be killed, stopped and continued at any moment. */
export class SimProc {
  readonly name: string
  readonly world: World
  readonly env: Env
  state: 'running' | 'stopped' | 'killed' = 'running'
  /** Wall clock's difference from true time. */
  skew = 0
  readonly #held: (() => void)[] = []
  readonly onFailpoint: ((proc: SimProc, name: string) => void) | undefined

  constructor(world: World, name: string, onFailpoint?: (proc: SimProc, name: string) => void) {
    this.world = world
    this.name = name
    this.onFailpoint = onFailpoint
    const clock: Clock = {
      now: () => Math.floor(100_000_000 + world.now + this.skew),
      monotonic: () => world.now,
      after: (delay, task) => world.at(delay, () => this.gate(task)),
    }
    this.env = {
      clock,
      random: (length) => Uint8Array.from({ length }, () => world.between(0, 255)),
      failpoint: (point) => this.onFailpoint?.(this, point),
    }
  }

  /** Lets something happen in this process: now, when it is continued, or never. */
  gate(task: () => void): void {
    if (this.state === 'running') task()
    else if (this.state === 'stopped') this.#held.push(task)
  }

  kill(): void {
    this.world.trace(`kill ${this.name}`)
    this.state = 'killed'
    this.#held.length = 0
  }

  stop(): void {
    if (this.state !== 'running') return
    this.world.trace(`stop ${this.name}`)
    this.state = 'stopped'
  }

  /** Everything that was held happens now, one after another. */
  cont(): void {
    if (this.state !== 'stopped') return
    this.world.trace(`cont ${this.name}`)
    this.state = 'running'
    for (const task of this.#held.splice(0)) this.world.at(0, () => this.gate(task))
  }
}

/** What may go wrong between a process and a service. Shares are 0…1, times ms. */
export interface Faults {
  /** The request was carried out, its answer is lost. */
  lostReply: number
  /** The caller gives up, and the request arrives afterwards. */
  late: number
  refused: number
  slow: number
  down: boolean
}

export const noFaults = (): Faults => ({ lostReply: 0, late: 0, refused: 0, slow: 0, down: false })

const timeout = 60

/** The way from one process to one service: requests arrive in order, answers may not. */
export class Line {
  readonly #proc: SimProc
  readonly #faults: Faults
  readonly #unavailable: () => Error
  #arrival = 0

  constructor(proc: SimProc, faults: Faults, unavailable: () => Error) {
    this.#proc = proc
    this.#faults = faults
    this.#unavailable = unavailable
  }

  call<T>(carryOut: () => Promise<T>): Promise<T> {
    const { world } = this.#proc
    const faults = this.#faults
    return new Promise((resolve, reject) => {
      if (this.#proc.state === 'killed') return
      const fail = (): void =>
        void world.at(timeout, () => this.#proc.gate(() => reject(this.#unavailable())))
      const late = world.chance() < faults.late
      if (late) fail()
      const delay = late ? timeout + world.between(0, 3000) : this.#delay()
      const at = late ? world.now + delay : Math.max(this.#arrival, world.now + delay)
      if (!late) this.#arrival = at
      world.at(at - world.now, () => {
        if (faults.down || world.chance() < faults.refused) return late ? undefined : fail()
        const lost = late || world.chance() < faults.lostReply
        carryOut().then(
          (value) => {
            if (lost) return late ? undefined : fail()
            world.at(this.#delay(), () => this.#proc.gate(() => resolve(value)))
          },
          (error) => late || world.at(this.#delay(), () => this.#proc.gate(() => reject(error))),
        )
      })
    })
  }

  #delay(): number {
    const { world } = this.#proc
    return world.chance() < this.#faults.slow ? world.between(1, 300) : world.chance() * 2
  }
}
