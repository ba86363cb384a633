import { setTimeout as pause } from 'node:timers/promises'
import type { ServerProcess } from '@tactus/testkit'
import type { Chance } from './chance.ts'
import type { World } from './world.ts'

/** What is done to what. All but the flush leave Redis what it had. */
export const deeds = [
  'connection-manager kill',
  'connection-manager freeze',
  'connection-manager stop',
  'router kill',
  'router freeze',
  'router stop',
  'redis kill',
  'redis freeze',
  'redis stop',
  'redis flush',
  'postgres kill',
  'postgres freeze',
  'postgres stop',
] as const
/** One kind of harm. */
export type Deed = (typeof deeds)[number]

/** How long frozen processes stay so, and stopped services away, ms. */
const freeze: readonly [number, number] = [1_000, 6_000]
const away: readonly [number, number] = [200, 2_500]
/** Everybody has to log in again, which must not take longer. */
const afterFlush = 10_000
/** How long a takeover is waited for; it should take a fraction. */
const takeoverWithin = 30_000

/** Harms the processes of a world, and puts everything right again. */
export class Nemesis {
  /** Milliseconds from the death of a router until others own all that it owned. */
  readonly takeovers: number[] = []
  readonly done = new Map<Deed, number>()
  /** What was begun when, on `performance.now()`. */
  readonly #log: { readonly deed: Deed; readonly at: number }[] = []
  readonly problems: string[] = []
  readonly #world: World
  readonly #chance: Chance
  readonly #say: (text: string) => void

  constructor(world: World, chance: Chance, say: (text: string) => void) {
    this.#world = world
    this.#chance = chance
    this.#say = say
  }

  get count(): number {
    return [...this.done.values()].reduce((sum, times) => sum + times, 0)
  }

  /** The deed that was done last before a moment. */
  lastBefore(moment: number): Deed | undefined {
    return this.#log.findLast(({ at }) => at <= moment)?.deed
  }

  /** Does one deed; resolves when what it took away is there again. */
  async do(deed: Deed): Promise<void> {
    this.#say(deed)
    const [role, harm] = deed.split(' ')
    this.done.set(deed, (this.done.get(deed) ?? 0) + 1)
    this.#log.push({ deed, at: performance.now() })
    if (role === 'redis') await this.#redis(harm)
    else if (role === 'postgres') await this.#postgres(harm)
    else if (role === 'router') await this.#router(harm)
    else await this.#connectionManager(harm)
  }

  async #connectionManager(harm: string | undefined): Promise<void> {
    const { server } = this.#world
    const { process } = this.#chance.pick(server.doors)
    if (harm === 'freeze') return this.#freeze(process)
    await this.#end(process, harm)
    await server.startConnectionManager()
  }

  async #router(harm: string | undefined): Promise<void> {
    const { server } = this.#world
    const process = this.#chance.pick(server.routers)
    if (harm === 'freeze') return this.#freeze(process)
    const { owned, fenced } = await this.#world.owners()
    // One that owns nothing, because it has just begun, is not taken over either.
    const isMeasured =
      harm === 'kill' && server.routers.length > 1 && owned.size === server.routers.length
    const takeover = isMeasured ? this.#takeover(fenced) : undefined
    await this.#end(process, harm)
    await server.startRouter()
    await takeover
  }

  /** Measures until a router is fenced that was not before, and owns nothing. */
  async #takeover(before: ReadonlySet<string>): Promise<void> {
    const begun = performance.now()
    while (performance.now() - begun < takeoverWithin) {
      const { owned, fenced } = await this.#world.owners()
      const isFenced = [...fenced].some((id) => !before.has(id))
      const isTaken = [...owned.keys()].every((id) => id !== undefined && !fenced.has(id))
      if (isFenced && isTaken) {
        this.takeovers.push(performance.now() - begun)
        return
      }
      await pause(50)
    }
    this.problems.push('a router that was killed was not taken over')
  }

  async #end(process: ServerProcess, harm: string | undefined): Promise<void> {
    this.#world.server.forget(process)
    if (harm === 'kill') return process.kill()
    const code = await process.stop()
    if (code !== 0) this.problems.push(`${process.name} ended with ${code}:\n${process.output}`)
  }

  async #freeze(process: ServerProcess): Promise<void> {
    process.signal('SIGSTOP')
    await pause(this.#chance.between(...freeze))
    process.signal('SIGCONT')
  }

  async #redis(harm: string | undefined): Promise<void> {
    const { redis } = this.#world
    if (harm === 'freeze') return this.#freezeService(redis)
    if (harm === 'flush') {
      await this.#world.flushRedis()
      await pause(afterFlush)
      return
    }
    if (harm === 'kill') await redis.kill('SIGKILL')
    else await redis.stop()
    await pause(this.#chance.between(...away))
    await redis.restart()
  }

  async #postgres(harm: string | undefined): Promise<void> {
    const { postgres } = this.#world
    if (harm === 'freeze') return this.#freezeService(postgres)
    if (harm === 'kill') await postgres.stop('immediate')
    else await postgres.stop('fast')
    await pause(this.#chance.between(...away))
    await postgres.restart()
  }

  async #freezeService(service: World['redis'] | World['postgres']): Promise<void> {
    await service.kill('SIGSTOP')
    await pause(this.#chance.between(...freeze))
    await service.kill('SIGCONT')
  }
}
