import {
  type Bus,
  BusUnavailable,
  comparePositions,
  IncarnationChanged,
  type InstanceInfo,
} from '@tactus/bus'
import { type Env, sleep } from '@tactus/env'
import { type OwnershipStore, type Storage, StorageUnavailable } from '@tactus/storage'
import { acquire } from './acquisition.ts'
import type { EngineHooks } from './hooks.ts'
import { Judge } from './judge.ts'
import { adoptRecords } from './old-records.ts'
import { giftOf, heirOf, type Placed } from './placement.ts'
import type { Router } from './router.ts'
import { incarnationOf } from './router-id.ts'
import { takeOver } from './takeover.ts'

/** What keeps a router in its place among the others. */
export interface KeeperOptions {
  readonly env: Env
  readonly bus: Bus
  readonly storage: Storage
  readonly router: Router
  readonly heartbeat: number
  readonly ttl: number
  /** Nobody else can be there: what others left behind is taken at once. */
  readonly alone: boolean
  readonly useRecord: boolean
  readonly protocol: number
  readonly info: () => Readonly<Record<string, string>>
  /** True while an operator wants this router to own nothing. */
  readonly draining: () => boolean
  readonly hooks: EngineHooks
}

interface View {
  readonly placed: readonly Placed[]
  readonly fenced: ReadonlySet<string>
  /** The fenced ones, with their last steps in the store. */
  readonly departed: readonly { readonly id: string; readonly step: number }[]
  readonly live: readonly string[]
}

/** Heartbeat, verdicts, takeovers and balance of one router (design §3.2, §3.8). */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #ownership: OwnershipStore
  readonly #judge: Judge
  readonly #unclean = new Set<number>()
  readonly #adopted = new Set<string>()
  #leftSince: number | undefined
  #stopping = false
  #loop: Promise<void> = Promise.resolve()
  #poke: () => void = () => {}

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#ownership = options.storage.ownership
    this.#judge = new Judge(options.env.clock, options.ttl)
  }

  start(): void {
    void this.#options.router.ended.then(() => this.#poke())
    this.#loop = this.#run()
  }

  /** Looks now instead of at the next heartbeat, for instance because partitions were handed over. */
  refresh(): void {
    this.#poke()
  }

  /** Says at once what the next heartbeat would say, for instance that this router is to own nothing. */
  async announce(): Promise<void> {
    await this.#options.bus.beat(this.#announcement(), this.#options.ttl)
    this.#poke()
  }

  /** Hands everything over to the others, or leaves it so that the next to come takes it at once. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#poke()
    await this.#loop
    const { router, bus } = this.#options
    if (router.alive) await this.#leave().catch((error) => this.#report('hand_over_failed', error))
    await bus.leave(router.id).catch((error) => this.#report('leave_failed', error))
  }

  async #run(): Promise<void> {
    const { env, router, heartbeat } = this.#options
    while (router.alive && !this.#stopping) {
      try {
        await this.#tick()
      } catch (error) {
        this.#judge.lostContact()
        if (!(error instanceof BusUnavailable || error instanceof StorageUnavailable))
          return router.fail(error)
      }
      if (!router.alive || this.#stopping) return
      const pause = new AbortController()
      this.#poke = () => pause.abort()
      await sleep(env.clock, heartbeat, pause.signal)
    }
  }

  async #tick(): Promise<void> {
    const { bus, router, ttl } = this.#options
    await bus.beat(this.#announcement(), ttl)
    const view = await this.#look(await bus.instances())
    if (view.fenced.has(router.id)) return router.end('fenced')
    this.#verdicts()
    // Whoever is to own nothing still serves while there is nobody else.
    const leaves = this.#options.draining() && view.live.some((id) => id !== router.id)
    if (!leaves) {
      for (const dead of this.#departed(view)) await this.#inherit(dead, view)
      await this.#claim(view)
    }
    await this.#takeUp()
    if (leaves) await this.#giveAll(view)
    else await this.#give(view)
    await this.#checkStreams()
    await adoptRecords(
      { bus, ownership: this.#ownership, router, adopted: this.#adopted },
      view.departed,
    )
    await router.tend()
  }

  #announcement(): InstanceInfo {
    const { router, protocol, info } = this.#options
    return { id: router.id, role: 'router', protocol, info: { ...info(), ...this.#drainInfo() } }
  }

  /** Announced while nothing is to be handed to this router. */
  #drainInfo(): Readonly<Record<string, string>> {
    return this.#stopping || this.#options.draining() ? { draining: 'true' } : {}
  }

  async #look(instances: readonly InstanceInfo[]): Promise<View> {
    const { router } = this.#options
    const placed = await this.#ownership.partitions()
    const routers = await this.#ownership.routers()
    const departed = routers.filter((each) => each.fenced)
    const fenced = new Set(departed.map(({ id }) => id))
    const present = new Set(instances.map(({ id }) => id))
    const owners = placed.flatMap((each) => each.router ?? [])
    this.#judge.observe(present, new Set([...owners, ...router.owner.attachedTo()]))
    for (const id of present) router.owner.declareAlive(id)
    const live = instances
      .filter(({ role, info }) => role === 'router' && info.draining === undefined)
      .map(({ id }) => id)
      .filter((id) => !fenced.has(id) && incarnationOf(id) === this.#options.bus.incarnation)
      .toSorted()
    return { placed, fenced, departed, live }
  }

  #verdicts(): void {
    const { owner } = this.#options.router
    for (const instance of owner.attachedTo())
      if (this.#options.alone ? false : this.#judge.isDead(instance)) owner.declareDead(instance)
  }

  #departed({ placed, fenced }: View): ReadonlySet<string> {
    const { router, alone } = this.#options
    const departed = new Set<string>()
    for (const { router: owner } of placed) {
      if (owner === undefined || owner === router.id) continue
      if (alone || fenced.has(owner) || this.#judge.isDead(owner)) departed.add(owner)
    }
    return departed
  }

  async #inherit(dead: string, view: View): Promise<void> {
    const { env, bus, router, hooks, useRecord } = this.#options
    const left = view.placed
      .filter((each) => each.router === dead)
      .map(({ partition }) => partition)
    const share = this.#share(left, view.live)
    const ports = { env, bus, ownership: this.#ownership, useRecord }
    const mine = await takeOver(ports, dead, share, router.id)
    for (const partition of mine) this.#unclean.add(partition)
    if (mine.length > 0) hooks.owned?.(mine, 'taken_over')
  }

  async #claim({ placed, live }: View): Promise<void> {
    const free = placed.filter(({ router }) => router === undefined).map((each) => each.partition)
    if (free.length === 0) return
    await this.#ownership.transfer(this.#share(free, live), undefined, this.#options.router.id)
  }

  /** This router's part of what lies about; all of it when nobody else took theirs for a while. */
  #share(partitions: readonly number[], live: readonly string[]): readonly number[] {
    const { router, env, ttl } = this.#options
    const now = env.clock.monotonic()
    this.#leftSince ??= now
    if (now - this.#leftSince > ttl * 2) return partitions
    return partitions.filter((partition) => {
      const heir = heirOf(partition, live)
      return heir === undefined || heir === router.id
    })
  }

  /** Acquires what the store says is ours and is not held yet. */
  async #takeUp(): Promise<void> {
    const { router, bus, env, hooks } = this.#options
    const placed = await this.#ownership.partitions()
    if (placed.every(({ router: owner }) => owner !== undefined && !this.#isDeparted(owner)))
      this.#leftSince = undefined
    const named = placed
      .filter(({ router: owner }) => owner === router.id)
      .map(({ partition }) => partition)
      .filter((partition) => !router.workload.partitions.has(partition))
    if (named.length === 0) return
    const { clock } = env
    await acquire({ router, bus, clock, ownership: this.#ownership }, named, this.#unclean)
    env.failpoint('takeover:read')
    for (const partition of named) this.#unclean.delete(partition)
    if (router.alive) hooks.owned?.(named, 'acquired')
  }

  #isDeparted(owner: string): boolean {
    return owner !== this.#options.router.id && this.#judge.isDead(owner)
  }

  async #give({ placed, live }: View): Promise<void> {
    const { router } = this.#options
    if (!router.alive) return
    const gift = giftOf(placed, router.id, live)
    if (gift) await this.#handOver(gift.partitions, gift.to)
  }

  /** Finishes the step, forgets, and itself names the new owner (design §3.2). */
  async #handOver(ids: readonly number[], to: string): Promise<void> {
    const { router, bus, hooks } = this.#options
    const partitions = ids.flatMap((id) => router.workload.partitions.get(id) ?? [])
    if (partitions.length === 0) return
    await router.letGo(partitions)
    if (!router.alive) return
    const gone = partitions.map(({ id }) => id)
    try {
      await this.#ownership.transfer(gone, router.id, to)
    } catch (error) {
      // It may still come true, so this router must never hold these again: it begins anew under another id.
      this.#report('hand_over_unknown', error)
      return router.end('fenced')
    }
    hooks.owned?.(gone, 'handed_over')
    // The new owner would find out at its next heartbeat anyhow.
    bus.request(to, { method: 'cluster.refresh', input: undefined }, 1000).catch(() => undefined)
  }

  async #leave(): Promise<void> {
    const { router, bus, ttl } = this.#options
    await bus.beat(this.#announcement(), ttl)
    const view = await this.#look(await bus.instances())
    if (view.live.some((id) => id !== router.id)) return await this.#giveAll(view)
    await router.letGo([...router.workload.partitions.values()].filter(({ draining }) => !draining))
    if (router.alive) await this.#ownership.fence(router.id)
  }

  /** Hands everything over to others, of whom there must be some. */
  async #giveAll({ live }: View): Promise<void> {
    const { router } = this.#options
    const heirs = live.filter((id) => id !== router.id)
    const held = [...router.workload.partitions.values()].filter(({ draining }) => !draining)
    const groups = Map.groupBy(held, ({ id }) => heirOf(id, heirs) ?? heirs[0] ?? router.id)
    for (const [heir, partitions] of groups)
      await this.#handOver(
        partitions.map(({ id }) => id),
        heir,
      )
  }

  /** A stream that ends before what was read from it has been lost, and with it we know not what else (§3.11). */
  async #checkStreams(): Promise<void> {
    const { router, bus } = this.#options
    const held = [...router.workload.partitions.values()]
    if (held.length === 0 || !router.alive) return
    const read = new Map(held.map(({ stream, position }) => [stream, position]))
    for (const [stream, { last, length }] of await bus.extent([...read.keys()])) {
      router.lag.set(stream, length)
      if (comparePositions(last, read.get(stream) ?? '0') < 0)
        throw new IncarnationChanged(`${stream} went back to ${last}`)
    }
  }

  #report(event: string, error: unknown): void {
    this.#options.hooks.problem?.(event, error)
  }
}
