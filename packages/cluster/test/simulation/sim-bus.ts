import {
  type Bus,
  BusUnavailable,
  type CommitOutcome,
  type Entry,
  type InputFrame,
  type InstanceInfo,
  type MemoryBroker,
  MemoryBus,
  type OutputFrame,
  type Position,
  type QueueEntry,
  type Request,
  type StepRecord,
} from '@tactus/bus'
import { type Faults, Line, type SimProc, type World } from './world.ts'

/** Guards of the bus' script that a test takes away. */
export interface BusMutations {
  readonly noFence?: boolean
  readonly noCounter?: boolean
}

/** The one bus of a simulated cluster, and what goes wrong with it. */
export interface BusService {
  readonly world: World
  readonly broker: MemoryBroker
  readonly faults: Faults
  readonly mutations: BusMutations
  /** Routers fenced here, for the invariant of one writer. */
  readonly fenced: Set<string>
  ghosts: number
}

/** `MemoryBus` at the end of a bad line. */
export class SimBus implements Bus {
  readonly incarnation: number
  readonly #service: BusService
  readonly #proc: SimProc
  readonly #bus: MemoryBus
  readonly #line: Line
  readonly #reads: Line

  constructor(service: BusService, proc: SimProc, incarnation: number, create: boolean) {
    const { world, broker } = service
    const clock = {
      now: () => world.now,
      monotonic: () => world.now,
      after: (delay: number, task: () => void) => world.at(delay, task),
    }
    const env = { clock, random: proc.env.random, failpoint: () => {} }
    this.#service = service
    this.#proc = proc
    this.incarnation = incarnation
    this.#bus = new MemoryBus({ env, broker, incarnation, create, limits: { memory: 0 } })
    const unavailable = (): Error => new BusUnavailable('no answer in time')
    this.#line = new Line(proc, service.faults, unavailable)
    this.#reads = new Line(proc, service.faults, unavailable)
  }

  publish(stream: string, frames: readonly (InputFrame | OutputFrame)[]): Promise<void> {
    return this.#line.call(() => this.#bus.publish(stream, frames))
  }

  read(
    positions: ReadonlyMap<string, Position>,
    options: { count: number; wait: number; signal?: AbortSignal },
  ): Promise<Entry[]> {
    const { signal, count, wait } = options
    const asked = new Map(positions)
    const read = this.#reads.call(() => this.#bus.read(asked, { count, wait }))
    if (!signal) return read
    return new Promise((resolve, reject) => {
      const stop = (): void => this.#proc.gate(() => resolve([]))
      signal.addEventListener('abort', stop, { once: true })
      read.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    })
  }

  remove(stream: string, upTo: Position): Promise<void> {
    return this.#line.call(() => this.#bus.remove(stream, upTo))
  }

  extent(streams: readonly string[]): ReturnType<Bus['extent']> {
    return this.#line.call(() => this.#bus.extent(streams))
  }

  claim(
    name: string,
    believed: string | undefined,
    next: string | undefined,
  ): Promise<string | undefined> {
    return this.#line.call(() => this.#bus.claim(name, believed, next))
  }

  claims(): Promise<ReadonlyMap<string, string>> {
    return this.#line.call(() => this.#bus.claims())
  }

  record(name: string): ReturnType<Bus['record']> {
    return this.#line.call(() => this.#bus.record(name))
  }

  replace(...write: Parameters<Bus['replace']>): Promise<boolean> {
    return this.#line.call(() => this.#bus.replace(...write))
  }

  commit(record: StepRecord): Promise<CommitOutcome> {
    return this.#line.call(() => this.#commit(record))
  }

  async #commit(record: StepRecord): Promise<CommitOutcome> {
    const { world, mutations, fenced } = this.#service
    let outcome = await this.#bus.commit(record)
    const anyhow =
      (outcome.outcome === 'fenced' && mutations.noFence) ||
      (outcome.outcome === 'done' && mutations.noCounter)
    if (anyhow) {
      this.#service.ghosts += 1
      const ghost = { ...record, router: `ghost${this.#service.ghosts}`, step: 1 }
      outcome = await this.#bus.commit(ghost)
    }
    world.trace(`commit ${record.router} ${record.step} ${outcome.outcome}`)
    if (outcome.outcome === 'applied' && fenced.has(record.router))
      world.violate(`one writer: step ${record.step} of ${record.router} after its fence`)
    return outcome
  }

  fence(router: string, record: StepRecord | undefined): Promise<void> {
    return this.#line.call(async () => {
      await this.#bus.fence(router, record)
      this.#service.world.trace(`fence ${router} ${record?.step}`)
      this.#service.fenced.add(router)
    })
  }

  step(router: string): Promise<number> {
    return this.#line.call(() => this.#bus.step(router))
  }

  hashes(keys: readonly string[]): ReturnType<Bus['hashes']> {
    return this.#line.call(() => this.#bus.hashes(keys))
  }

  due(keys: readonly string[], max: number, limit: number): ReturnType<Bus['due']> {
    return this.#line.call(() => this.#bus.due(keys, max, limit))
  }

  queue(queue: string, from: number, to: number): Promise<readonly QueueEntry[]> {
    return this.#line.call(() => this.#bus.queue(queue, from, to))
  }

  beat(instance: InstanceInfo, ttl: number): Promise<void> {
    return this.#line.call(() => this.#bus.beat(instance, ttl))
  }

  leave(id: string): Promise<void> {
    return this.#line.call(() => this.#bus.leave(id))
  }

  instances(): Promise<readonly InstanceInfo[]> {
    return this.#line.call(() => this.#bus.instances())
  }

  request(instance: string, request: Request, timeout: number): Promise<unknown> {
    return this.#reads.call(() => this.#bus.request(instance, request, timeout))
  }

  serve(instance: string, handler: (request: Request) => Promise<unknown>): AsyncDisposable {
    return this.#bus.serve(instance, handler)
  }

  pressure(): number {
    return 0
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
