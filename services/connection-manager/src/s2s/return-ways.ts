import type { Bus, WayBack, WayBackOffer, WayBackProgress } from '@tactus/bus'
import { shardOf, shardStream } from '@tactus/cluster'
import type { Env } from '@tactus/env'
import type { ReturnWay } from './return-way.ts'

/** What telling of ways back needs. */
export interface ReturnWaysPorts {
  readonly bus: Bus
  readonly env: Env
  readonly instance: string
  /** Whether the others still take this instance for alive. */
  isSure(): boolean
  /** Milliseconds that an acknowledgement may take. */
  readonly patience: number
  /** The clock of the connections. */
  now(): number
  /** Tells whoever holds the shard. @throws {Error} where it is not there */
  offer(holder: string, offer: WayBackOffer): Promise<void>
}

const every = 1_000
/** Who was told may have forgotten. */
const again = 30_000

/** The ways back of this instance (XEP-0288): tells those who hold the shards of their pairs, and takes what they send. */
export class ReturnWays {
  readonly #ports: ReturnWaysPorts
  readonly #ways = new Map<string, ReturnWay>()
  /** Who knows of a way, by its tag, and since when. */
  readonly #told = new Map<string, { readonly holder: string; readonly at: number }>()
  #lookAt = 0
  #looking = false

  constructor(ports: ReturnWaysPorts) {
    this.#ports = ports
  }

  add(way: ReturnWay): void {
    this.#ways.set(way.tag, way)
    this.#lookAt = 0
  }

  delete(way: ReturnWay): void {
    this.#ways.delete(way.tag)
    this.#told.delete(way.tag)
  }

  /** Whoever holds the shard of the pair wants to write; undefined for who does not. */
  async attach(tag: string, by: string): Promise<WayBack | 'busy' | undefined> {
    const way = this.#ways.get(tag)
    if (!way) return undefined
    const claims = await this.#ports.bus.claims()
    const answer = claims.get(shardFor(way)) === by ? way.attach() : undefined
    if (!answer) this.#told.delete(tag)
    return answer
  }

  carry(
    tag: string,
    { key, first, stanzas }: { key: string; first: number; stanzas: readonly Uint8Array[] },
  ): WayBackProgress | undefined {
    // Whoever asked has given this instance up maybe, and written elsewhere what it asked for.
    const answer = this.#ports.isSure()
      ? this.#ways.get(tag)?.carry(key, first, stanzas)
      : undefined
    if (!answer) this.#told.delete(tag)
    return answer
  }

  detach(tag: string, key: string): void {
    this.#ways.get(tag)?.detach(key)
  }

  /** Tells those who do not know yet, as shards go from one to another; and ends what answers nothing. */
  tick(): void {
    const { now, patience, isSure } = this.#ports
    // What was asked for before a pause and is read after it must not be written any more.
    if (!isSure()) for (const way of this.#ways.values()) way.release()
    for (const way of this.#ways.values())
      if (way.askedAt !== undefined && now() - way.askedAt > patience) way.drop()
    const time = this.#ports.env.clock.monotonic()
    if (this.#ways.size === 0 || this.#looking || time < this.#lookAt) return
    this.#lookAt = time + every
    this.#looking = true
    this.#look()
      // Whoever could not be told is told the next time.
      .catch(() => {})
      .finally(() => {
        this.#looking = false
      })
  }

  async #look(): Promise<void> {
    const { bus, now } = this.#ports
    const claims = await bus.claims()
    const offers = [...this.#ways.values()].map(async (way) => {
      const holder = claims.get(shardFor(way))
      if (!way.isReady(now())) this.#lookAt = 0
      else if (holder !== undefined && !this.#knows(way, holder)) await this.#tell(way, holder)
    })
    await Promise.allSettled(offers)
  }

  #knows({ tag }: ReturnWay, holder: string): boolean {
    const told = this.#told.get(tag)
    return told?.holder === holder && this.#ports.env.clock.monotonic() - told.at < again
  }

  async #tell(way: ReturnWay, holder: string): Promise<void> {
    const { tag, local, remote, id } = way
    await this.#ports.offer(holder, { instance: this.#ports.instance, tag, local, remote, id })
    const at = this.#ports.env.clock.monotonic()
    if (this.#ways.has(tag)) this.#told.set(tag, { holder, at })
  }
}

const shardFor = ({ local, remote }: ReturnWay): string => shardStream(shardOf(local, remote))
