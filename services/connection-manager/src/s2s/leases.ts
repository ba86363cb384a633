import type { Bus, InstanceInfo } from '@tactus/bus'
import { type Cancel, type Env, sleep } from '@tactus/env'
import type { Ledger } from './ledger.ts'
import { doneKey, handledKey, type Item, Shard, sessionsKey } from './shard.ts'

/** What leasing and reading shards needs. */
export interface LeasePorts {
  readonly bus: Bus
  readonly env: Env
  readonly instance: string
  /** Milliseconds after which an instance that is not heard of counts as dead. */
  readonly ttl: number
  readonly ledger: Ledger
  /** Which streams there are to be held. */
  streams(claims: ReadonlyMap<string, string>): Iterable<string>
  /** Who of those that stay should hold one; undefined for nobody. */
  preferred(
    stream: string,
    staying: readonly InstanceInfo[],
    holder: string | undefined,
  ): string | undefined
  /** A shard is held from now on. */
  taken?(shard: Shard): void
  /** A stanza to be written. */
  item(item: Item): void
  /**
   * A shard goes to another instance: what is queued of it is dropped, it stays on the bus. Asked again until it answers
   * that nothing is on its way any more; `isLost`: it is another's already.
   */
  leave(shard: Shard, isLost: boolean): boolean
  failed(error: unknown): void
}

/** Whose a shard is, and whose it should be. */
interface Claimed {
  readonly holder: string | undefined
  readonly wanted: string | undefined
  readonly dead: ReadonlySet<string>
}

/** The first protocol whose connection managers hold shards. */
const since = 4
const count = 64
const wait = 1_000
const pause = 200
/** Milliseconds after which what an earlier holder left to be resumed is resumed no more. */
const inheritedFor = 600_000

/**
 * Which outgoing shards this instance holds, and their reading (design §4).
 *
 * A shard has one holder, who keeps it for as long as it lives or until it gives it up. One that is dead is fenced on the
 * bus before its shards are taken, so that nothing it may still try is applied. Whose a shard should be is decided by
 * rendezvous hashing over the instances that stay.
 */
export class Leases {
  readonly held: Map<string, Shard> = new Map()
  readonly #ports: LeasePorts
  readonly #missing = new Map<string, number>()
  #cancel: Cancel = () => {}
  #stopped = false
  #isLeaving = false
  #contact = Number.NEGATIVE_INFINITY
  #change = new AbortController()
  #ticking: Promise<void> = Promise.resolve()

  constructor(ports: LeasePorts) {
    this.#ports = ports
  }

  async start(): Promise<void> {
    await this.#tick()
    this.#arm()
    void this.#read()
  }

  /**
   * Whether the others still take this instance for alive. Whoever was paused, or cut off from the bus, may have been taken
   * over from, and must not write another word.
   */
  get isSure(): boolean {
    return this.#ports.env.clock.monotonic() - this.#contact < this.#ports.ttl
  }

  /** Looks now, where somebody knows that something changed. */
  async look(): Promise<void> {
    await this.#tick()
  }

  /** Gives everything up, or comes back. Resolves when others can take over. */
  async leaving(leaving: boolean): Promise<void> {
    this.#isLeaving = leaving
    await this.#tick()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
    this.#change.abort()
  }

  #arm(): void {
    if (this.#stopped) return
    const { env, ttl } = this.#ports
    this.#cancel = env.clock.after(ttl / 4, () => {
      void this.#tick().then(() => this.#arm())
    })
  }

  #tick(): Promise<void> {
    this.#ticking = this.#ticking.then(() => this.#look()).catch((error) => this.#lost(error))
    return this.#ticking
  }

  #lost(error: unknown): void {
    // A bus that was away kills nobody: what was missing meanwhile is looked for anew.
    this.#missing.clear()
    this.#ports.failed(error)
  }

  async #look(): Promise<void> {
    if (this.#stopped) return
    const { bus, env } = this.#ports
    const asked = env.clock.monotonic()
    const [instances, claims] = await Promise.all([bus.instances(), bus.claims()])
    if (instances.some(({ id }) => id === this.#ports.instance)) this.#contact = asked
    const dead = this.#dead(instances, new Set(claims.values()), asked)
    const staying = this.#staying(instances)
    for (const stream of this.#ports.streams(claims)) {
      const holder = claims.get(stream)
      const wanted = this.#ports.preferred(stream, staying, holder)
      await this.#settle(stream, { holder, wanted, dead })
    }
  }

  async #settle(stream: string, { holder, wanted, dead }: Claimed): Promise<void> {
    const { instance, bus } = this.#ports
    if (holder === instance) return await this.#keep(stream, wanted)
    const shard = this.held.get(stream)
    if (shard) this.#drop(shard)
    const isFree = holder === undefined || dead.has(holder)
    if (wanted !== instance || this.#isLeaving || !isFree) return
    if (holder !== undefined) await bus.fence(holder, undefined)
    if ((await bus.claim(stream, holder, instance)) === instance) await this.#takeUp(stream)
  }

  /** One that is ours already; taken up now where the answer to the claim was lost. */
  async #keep(stream: string, wanted: string | undefined): Promise<void> {
    const shard = this.held.get(stream)
    const isWanted = wanted === this.#ports.instance || (wanted === undefined && !this.#isLeaving)
    if (!isWanted || shard?.leaving) await this.#giveUp(stream, shard)
    else if (!shard) await this.#takeUp(stream)
    else if (this.#ports.env.clock.monotonic() - shard.since > inheritedFor) shard.forgetSessions()
  }

  async #takeUp(stream: string): Promise<void> {
    const { bus, ledger, env } = this.#ports
    const keys = [doneKey(stream), sessionsKey(stream), handledKey(stream)] as const
    const found = await bus.hashes(keys)
    const of = (key: string): ReadonlyMap<string, Uint8Array> => found.get(key) ?? new Map()
    const [before, sessions, handled] = [of(keys[0]), of(keys[1]), of(keys[2])]
    const since = env.clock.monotonic()
    const shard = new Shard(stream, { ledger, since, before, sessions, handled })
    this.held.set(stream, shard)
    this.#changed()
    this.#ports.taken?.(shard)
  }

  /** What is being written is written and committed first; then another may go on behind it. */
  async #giveUp(stream: string, shard: Shard | undefined): Promise<void> {
    const { bus, instance } = this.#ports
    if (shard) {
      shard.leaving = true
      const isQuiet = this.#ports.leave(shard, false)
      this.#changed()
      if (!isQuiet || !shard.isSettled) return
      this.#drop(shard)
    }
    await bus.claim(stream, instance, undefined)
  }

  #drop(shard: Shard): void {
    this.held.delete(shard.stream)
    shard.leaving = true
    this.#ports.leave(shard, true)
    this.#changed()
  }

  #staying(instances: readonly InstanceInfo[]): readonly InstanceInfo[] {
    return instances.filter(({ role, protocol, info }) => {
      return role === 'connection-manager' && protocol >= since && info.draining !== 'true'
    })
  }

  /** Holders that were missing for a whole time-out of uninterrupted contact (design §3.8). */
  #dead(
    instances: readonly InstanceInfo[],
    holders: ReadonlySet<string>,
    now: number,
  ): ReadonlySet<string> {
    const alive = new Set(instances.map(({ id }) => id))
    for (const id of this.#missing.keys())
      if (alive.has(id) || !holders.has(id)) this.#missing.delete(id)
    const dead = new Set<string>()
    for (const id of holders) {
      if (alive.has(id) || id === this.#ports.instance) continue
      const missed = this.#missing.get(id) ?? now
      this.#missing.set(id, missed)
      if (now - missed >= this.#ports.ttl) dead.add(id)
    }
    return dead
  }

  #changed(): void {
    this.#change.abort()
    this.#change = new AbortController()
  }

  async #read(): Promise<void> {
    const { bus, env, failed } = this.#ports
    while (!this.#stopped) {
      const { signal } = this.#change
      const shards = [...this.held.values()].filter(({ leaving }) => !leaving)
      const positions = new Map(shards.map(({ stream, position }) => [stream, position]))
      const asked = new Set(shards)
      try {
        if (positions.size === 0) await sleep(env.clock, wait, signal)
        else
          for (const entry of await bus.read(positions, { count, wait, signal }))
            this.#take(entry, asked)
      } catch (error) {
        failed(error)
        await sleep(env.clock, pause)
      }
    }
  }

  /** What a read brings that began before a shard was given up and taken again is not of its present beginning. */
  #take(entry: Parameters<Shard['take']>[0], asked: ReadonlySet<Shard>): void {
    const shard = this.held.get(entry.stream)
    if (!shard || shard.leaving || !asked.has(shard)) return
    for (const item of shard.take(entry)) this.#ports.item(item)
  }
}

/** Rendezvous hashing: when an instance comes or goes, only its own shards move. */
export function rendezvous(stream: string, instances: readonly InstanceInfo[]): string | undefined {
  let best: string | undefined
  let highest = -1
  for (const { id } of instances) {
    const weight = hash(`${stream} ${id}`)
    if (weight > highest) {
      highest = weight
      best = id
    }
  }
  return best
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1)
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value ^= value >>> 16
  value = Math.imul(value, 0x85ebca6b)
  return (value ^ (value >>> 13)) >>> 0
}
