import { type Bus, BusUnavailable, IncarnationChanged, protocol } from '@tactus/bus'
import { type Env, sleep } from '@tactus/env'
import { type Storage, StorageUnavailable } from '@tactus/storage'
import type { EngineHooks, Safeguard } from './hooks.ts'
import { Keeper } from './keeper.ts'
import type { Machine } from './machine.ts'
import { type EndReason, Router } from './router.ts'
import { routerId } from './router-id.ts'
import { defaultCaps, type StepCaps } from './step.ts'

/** What an engine is made of. Times are milliseconds. */
export interface EngineOptions {
  readonly env: Env
  readonly storage: Storage
  readonly machine: Machine
  /** Opens the bus under an incarnation; `raised` when this process has just raised it and writes its marker. */
  readonly openBus: (incarnation: number, raised: boolean) => Promise<Bus>
  readonly partitions: number
  /**
   * True in standalone: the bus dies with the process and nobody else can be there, so every start is a new
   * incarnation, and records are kept only for what would be lost with the bus.
   */
  readonly alone?: boolean
  readonly heartbeat?: number
  /** How long a router or connection manager is missing before it is dead. */
  readonly ttl?: number
  readonly caps?: Partial<StepCaps>
  readonly cachedEntities?: number
  readonly hooks?: EngineHooks
  readonly protocol?: number
  /** For people: shown with the instance. */
  readonly info?: Readonly<Record<string, string>>
  /** Called whenever this router lost its place and begins again under a new id. */
  readonly onFenced?: (reason: EndReason) => void
  /** Only for tests that prove a safeguard. */
  readonly without?: ReadonlySet<Safeguard>
}

/** How an engine is doing. */
export interface EngineStatus {
  readonly router: string
  readonly incarnation: number
  /** Last committed step. */
  readonly step: number
  readonly partitions: readonly {
    readonly partition: number
    /** Entries in its stream at the last heartbeat. */
    readonly lag: number
    /** Inputs read and not done. */
    readonly backlog: number
    /** How long the oldest entry that was read has been waiting, ms. */
    readonly age: number
  }[]
  readonly inputs: number
  readonly inputsPerSecond: number
  readonly entities: number
  /** Records of the outbox that some stream has not passed yet. */
  readonly records: number
}

const shortLife = 5000
const restartPause = 500
/** Attempts to open a bus while others find it lost as well. */
const raisesAtOnce = 5

interface Life {
  readonly begun: number
  readonly bus: Bus
  readonly router: Router
  readonly keeper: Keeper
}

/**
 * Owns partitions and runs their steps (design §3): one router after another, each with an id of its own.
 *
 * A router that was fenced, or whose bus was lost, drops all it holds; the engine then begins again from what stands
 * in the store and on the bus.
 */
export class Engine {
  readonly #options: EngineOptions
  readonly #hooks: EngineHooks
  #life: Life | undefined
  #stopped = false
  #draining = false
  #loop: Promise<void> = Promise.resolve()
  #rate = { at: 0, inputs: 0, perSecond: 0 }

  constructor(options: EngineOptions) {
    this.#options = options
    this.#hooks = options.hooks ?? {}
  }

  /** The bus of the present incarnation; undefined while none is open. */
  get bus(): Bus | undefined {
    return this.#life?.bus
  }

  /** The id of the present boot. */
  get router(): string | undefined {
    return this.#life?.router.id
  }

  /** Resolves when the first router runs; partitions come with its first heartbeat. */
  async start(): Promise<void> {
    const { storage, alone } = this.#options
    const { ownership } = storage
    const raised =
      alone === true && (await ownership.raiseIncarnation(await ownership.incarnation()))
    await this.#begin(undefined, raised)
    this.#loop = this.#follow()
  }

  /** Hands over what it owns (design §3.2) and ends. */
  async stop(): Promise<void> {
    this.#stopped = true
    const life = this.#life
    await life?.keeper.stop()
    life?.router.end('stopped')
    await this.#loop
    await this.#life?.bus[Symbol.asyncDispose]()
    this.#life = undefined
  }

  /** Looks for partitions that were handed over; the answer to `cluster.refresh`. */
  refresh(): void {
    this.#life?.keeper.refresh()
  }

  /**
   * Hands everything over and takes nothing for as long as there are others, or serves again. It holds for the lives to
   * come as well: an operator means the process. Settled when the others can see it.
   *
   * @throws {BusUnavailable} if they cannot be told yet; the heartbeats go on to try
   */
  async drain(draining: boolean): Promise<void> {
    this.#draining = draining
    await this.#life?.keeper.announce()
  }

  /** @returns undefined between two lives */
  status(): EngineStatus | undefined {
    const life = this.#life
    if (!life) return undefined
    const { router, bus } = life
    const now = this.#options.env.clock.monotonic()
    const partitions = [...router.workload.partitions.values()]
      .map((partition) => ({
        partition: partition.id,
        lag: router.lag.get(partition.stream) ?? 0,
        backlog: partition.backlog,
        age: now - (partition.oldest()?.read ?? now),
      }))
      .toSorted((a, b) => a.partition - b.partition)
    return {
      router: router.id,
      incarnation: bus.incarnation,
      step: router.step,
      partitions,
      inputs: router.inputs,
      inputsPerSecond: this.#perSecond(router),
      entities: router.workload.entities.size,
      records: router.outbox.tracked,
    }
  }

  #perSecond({ inputs }: Router): number {
    const now = this.#options.env.clock.monotonic()
    const seconds = (now - this.#rate.at) / 1000
    if (seconds < 1) return this.#rate.perSecond
    const perSecond = Math.max(0, inputs - this.#rate.inputs) / seconds
    this.#rate = { at: now, inputs, perSecond }
    return perSecond
  }

  async #follow(): Promise<void> {
    for (;;) {
      const life = this.#life
      if (!life) return
      const reason = await life.router.ended
      if (this.#stopped) return
      this.#options.onFenced?.(reason)
      // Whatever ended a life that short is likely to end the next one as well.
      const { clock } = this.#options.env
      if (clock.monotonic() - life.begun < shortLife) await sleep(clock, restartPause)
      await this.#again(life, reason)
    }
  }

  /** Begins the next life, however long the store or the bus are away. */
  async #again({ bus: before, router: { id: router } }: Life, reason: EndReason): Promise<void> {
    const { clock } = this.#options.env
    let lost = reason === 'lost'
    for (let pause = 50; !this.#stopped; pause = Math.min(pause * 2, 2000)) {
      try {
        // Others need not wait until the router that is no more counts as dead.
        await this.#options.storage.ownership.fence(router)
        const raised = lost && (await this.#raise(before.incarnation))
        lost = false
        return await this.#begin(before, raised)
      } catch (error) {
        if (!isPassing(error)) this.#hooks.problem?.('engine_restart_failed', error)
      }
      await sleep(clock, pause)
    }
  }

  /** Design §3.11: whoever finds the bus lost raises the incarnation, once; true when it was us. */
  async #raise(lost: number): Promise<boolean> {
    const { ownership } = this.#options.storage
    // The first start of a cluster finds an empty bus as well.
    if ((await ownership.routers()).length > 0)
      this.#hooks.problem?.('bus_lost', undefined, { incarnation: lost })
    return ownership.raiseIncarnation(lost)
  }

  /**
   * Opens the bus of the present incarnation. Where its marker is missing, everything it held is lost, so only who has
   * just raised the incarnation may write one: a marker put back in an emptied bus would hide the loss.
   */
  async #open(raised: boolean): Promise<Bus> {
    const { storage, openBus } = this.#options
    let mayCreate = raised
    for (let tries = 1; ; tries += 1) {
      const incarnation = await storage.ownership.incarnation()
      try {
        return await openBus(incarnation, mayCreate)
      } catch (error) {
        if (!(error instanceof IncarnationChanged) || tries === raisesAtOnce) throw error
      }
      // Somebody else may have raised it meanwhile: then there is a newer one to open.
      mayCreate = await this.#raise(incarnation)
    }
  }

  async #begin(before: Bus | undefined, raised: boolean): Promise<void> {
    const { env, storage, alone = false } = this.#options
    let bus = before
    if (!bus || bus.incarnation !== (await storage.ownership.incarnation())) {
      bus = await this.#open(raised)
      await before?.[Symbol.asyncDispose]()
    }
    const id = routerId(env, bus.incarnation)
    await storage.ownership.register(id)
    const router = this.#router(id, bus)
    const keeper = new Keeper({
      env,
      bus,
      storage,
      router,
      alone,
      heartbeat: this.#options.heartbeat ?? 1000,
      ttl: this.#options.ttl ?? 3000,
      useRecord: !this.#options.without?.has('record'),
      protocol: this.#options.protocol ?? protocol,
      info: () => this.#options.info ?? {},
      draining: () => this.#draining,
      hooks: this.#hooks,
    })
    this.#life = { begun: env.clock.monotonic(), bus, router, keeper }
    router.start()
    keeper.start()
    if (this.#stopped) router.end('stopped')
  }

  #router(id: string, bus: Bus): Router {
    const { env, storage, machine, partitions, alone, caps, without } = this.#options
    return new Router({
      id,
      env,
      bus,
      storage,
      machine,
      partitions,
      caps: { ...defaultCaps, ...caps },
      records: without?.has('record') ? 'none' : alone ? 'needed' : 'all',
      cachedEntities: this.#options.cachedEntities ?? 100_000,
      without: without ?? new Set(),
      hooks: this.#hooks,
    })
  }
}

function isPassing(error: unknown): boolean {
  return (
    error instanceof BusUnavailable ||
    error instanceof StorageUnavailable ||
    error instanceof IncarnationChanged
  )
}
