import { IncarnationChanged, type MemoryBroker, MemoryBus, type Remote } from '@tactus/bus'
import { shardCount, shardStream } from '../../src/partition.ts'
import type { SimClient } from './client.ts'
import type { World } from './world.ts'

/** The domain that a simulated message to another server goes to. */
export const awayDomain = 'away.example'

const shards = Array.from({ length: shardCount }, (_, shard) => shardStream(shard))

/** Another server, and whoever writes to it: takes what waits in the shards, now and then, and never fails itself. */
export class Away {
  readonly arrived: string[] = []
  /** Nobody can reach it for now. */
  down = false
  readonly #world: World
  readonly #broker: MemoryBroker
  readonly #incarnation: () => number

  constructor(world: World, broker: MemoryBroker, incarnation: () => number) {
    this.#world = world
    this.#broker = broker
    this.#incarnation = incarnation
  }

  start(): void {
    this.#world.at(this.#world.between(20, 900), () => {
      void (this.down || !this.#isAsked ? Promise.resolve() : this.#take()).finally(() =>
        this.start(),
      )
    })
  }

  get #isAsked(): boolean {
    const { marker } = this.#broker
    if (marker === undefined) return false
    const { streams } = this.#broker.state(marker)
    return shards.some((stream) => (streams.get(stream)?.length ?? 0) > 0)
  }

  async #take(): Promise<void> {
    const clock = { now: () => 0, monotonic: () => 0, after: () => () => {} }
    const env = { clock, random: (length: number) => new Uint8Array(length), failpoint: () => {} }
    const [broker, incarnation] = [this.#broker, this.#incarnation()]
    try {
      const bus = new MemoryBus({ env, broker, incarnation, create: false, limits: { memory: 0 } })
      const entries = await bus.read(new Map(shards.map((stream) => [stream, '0'])), {
        count: 100,
        wait: 0,
      })
      for (const { stream, position, frames } of entries) {
        for (const { id } of frames as readonly Remote[]) this.arrived.push(id)
        await bus.remove(stream, position)
      }
    } catch (error) {
      if (!(error instanceof IncarnationChanged)) throw error
    }
  }

  /** What was acknowledged has arrived, in order; more than once only where the bus may be lost. */
  check(clients: readonly SimClient[], isLossy: boolean): void {
    const seen = new Set(this.arrived)
    if (!isLossy && seen.size < this.arrived.length) this.#world.violate('something arrived twice')
    this.#checkOrder(seen)
    for (const { id, kind } of clients.flatMap(({ messages }) => messages))
      if (kind === 'away' && !seen.has(id)) this.#world.violate(`${id} never came to ${awayDomain}`)
  }

  #checkOrder(arrived: ReadonlySet<string>): void {
    const last = new Map<string, number>()
    for (const id of arrived) {
      const [path = '', k] = id.split('#')
      if (Number(k) !== (last.get(path) ?? 0) + 1)
        this.#world.violate(`${id} arrived at ${awayDomain} after ${last.get(path)}`)
      last.set(path, Number(k))
    }
  }
}
