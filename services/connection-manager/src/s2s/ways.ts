import type { Request, Requests, WayBackOffer } from '@tactus/bus'
import { shardOf, shardStream } from '@tactus/cluster'
import type { Services } from '../services.ts'
import { ReturnWays } from './return-ways.ts'
import type { RoutePorts } from './route-ports.ts'
import type { Shard } from './shard.ts'

/** What leading stanzas to streams of other servers needs. */
export interface WaysPorts {
  readonly services: Services
  /** A shard that this instance holds. */
  shard(stream: string): Shard | undefined
  /** There is a stream for a pair of domains of that shard. */
  offered(offer: WayBackOffer, shard: Shard): void
  /** The other server of a pair is there. */
  awake(local: string, remote: string): void
  isSure(): boolean
}

type Method = 's2s.offer' | 's2s.awake' | 's2s.attach' | 's2s.carry' | 's2s.detach'

const askWithin = 1_000
/** Pairs of which it is being told that the other server is there. */
const mostTold = 64

/**
 * How whoever holds a shard writes by streams that other servers opened (XEP-0288), to this instance or to another: the
 * holder asks, and the instance with the stream does and keeps nothing.
 */
export class Ways implements Pick<RoutePorts, 'attach' | 'relay'> {
  /** Those that are here. */
  readonly here: ReturnWays
  readonly #ports: WaysPorts
  readonly #telling = new Set<string>()
  readonly #answers: { readonly [M in Method]: (input: Requests[M]['input']) => unknown } = {
    's2s.offer': (offer) => this.#offered(offer),
    's2s.awake': ({ local, remote }) => this.#ports.awake(local, remote),
    's2s.attach': ({ tag, by }) => this.here.attach(tag, by),
    's2s.carry': ({ tag, ...what }) => this.here.carry(tag, what),
    's2s.detach': ({ tag, key }) => this.here.detach(tag, key),
  }

  constructor(ports: WaysPorts) {
    this.#ports = ports
    const { bus, env, instance, settings, connections } = ports.services
    this.here = new ReturnWays({
      bus,
      env,
      instance,
      isSure: () => ports.isSure(),
      patience: settings.ackTimeout,
      now: () => connections.wheel.now,
      offer: async (holder, offer) => await this.#ask(holder, 's2s.offer', offer),
    })
  }

  /** Whether this is a question of other instances to this one. */
  knows(method: string): boolean {
    return Object.hasOwn(this.#answers, method)
  }

  async answer({ method, input }: Request): Promise<unknown> {
    const answer = this.#answers[method as Method] as (input: unknown) => unknown
    return await answer(input)
  }

  /**
   * The other server of a pair proved its domain here: whoever holds the shard goes to it now, and not when its back-off is
   * over. Where nobody can be told, it is.
   */
  async tellAwake(local: string, remote: string): Promise<void> {
    const pair = `${local} ${remote}`
    if (this.#telling.has(pair) || this.#telling.size >= mostTold) return
    this.#telling.add(pair)
    try {
      const claims = await this.#ports.services.bus.claims()
      const holder = claims.get(shardStream(shardOf(local, remote)))
      if (holder !== undefined) await this.#ask(holder, 's2s.awake', { local, remote })
    } catch {
      // It tries again by itself.
    } finally {
      this.#telling.delete(pair)
    }
  }

  readonly attach: RoutePorts['attach'] = async ({ instance, tag }) => {
    const by = this.#ports.services.instance
    try {
      return await this.#ask(instance, 's2s.attach', { tag, by })
    } catch {
      // An instance that is dead, or does not know of such things.
      return undefined
    }
  }

  readonly relay: RoutePorts['relay'] = ({ instance, tag }) => {
    const { env, settings } = this.#ports.services
    return {
      clock: env.clock,
      patience: settings.ttl,
      isSure: () => this.#ports.isSure(),
      carry: (key, first, stanzas) =>
        this.#ask(instance, 's2s.carry', { tag, key, first, stanzas }),
      detach: (key) => void this.#ask(instance, 's2s.detach', { tag, key }).catch(() => {}),
    }
  }

  /** @throws {Error} where this instance does not hold the shard, so that the other one asks again */
  async #offered(offer: WayBackOffer): Promise<void> {
    const shard = this.#ports.shard(shardStream(shardOf(offer.local, offer.remote)))
    if (!shard || shard.leaving) throw new Error('the shard is not here')
    this.#ports.offered(offer, shard)
  }

  async #ask<M extends Method>(
    instance: string,
    method: M,
    input: Requests[M]['input'],
  ): Promise<Requests[M]['output']> {
    const { bus, instance: own } = this.#ports.services
    const request = { method, input }
    const answer =
      instance === own ? this.answer(request) : bus.request(instance, request, askWithin)
    return (await answer) as Requests[M]['output']
  }
}
