import {
  type Bus,
  BusUnavailable,
  type InstanceInfo,
  protocol as latest,
  type Requests,
} from '@tactus/bus'
import type { Env } from '@tactus/env'

/** How long a list of live routers is believed. */
const believed = 1_000
/** How long one router may take; the next one is asked then. */
const patience = 2_000
/** Routers asked before the question is given up. */
const attempts = 3

/** Asks routers what this instance needs to know and has no database for: reads only (design §5). */
export class RouterClient {
  readonly #bus: Bus
  readonly #env: Env
  #routers: readonly InstanceInfo[] = []
  #listedAt = Number.NEGATIVE_INFINITY
  #turn = 0
  #protocol = 0

  constructor(bus: Bus, env: Env) {
    this.#bus = bus
    this.#env = env
  }

  /** The protocol that every router understands, as the last list said; 0 while none is known. */
  get protocol(): number {
    return this.#protocol
  }

  /** @throws {BusUnavailable} when no router answered */
  async ask<M extends keyof Requests>(
    method: M,
    input: Requests[M]['input'],
  ): Promise<Requests[M]['output']> {
    let cause: unknown
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const router = await this.#next()
      if (!router) break
      try {
        return (await this.#bus.request(
          router.id,
          { method, input },
          patience,
        )) as Requests[M]['output']
      } catch (error) {
        cause = error
        this.#listedAt = Number.NEGATIVE_INFINITY
      }
    }
    throw new BusUnavailable('No router answered.', { cause })
  }

  /** The next of the live routers, in turn; those that are leaving only when there is no other. */
  async #next(): Promise<InstanceInfo | undefined> {
    const now = this.#env.clock.monotonic()
    if (now - this.#listedAt > believed) {
      const instances = await this.#bus.instances()
      const routers = instances.filter(({ role }) => role === 'router')
      if (routers.length > 0)
        this.#protocol = routers.reduce((least, { protocol }) => Math.min(least, protocol), latest)
      const staying = routers.filter(({ info }) => info.draining !== 'true')
      this.#routers = staying.length > 0 ? staying : routers
      this.#listedAt = now
    }
    this.#turn += 1
    return this.#routers[this.#turn % this.#routers.length]
  }
}
