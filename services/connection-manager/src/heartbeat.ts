import { type Bus, IncarnationChanged, type InstanceInfo } from '@tactus/bus'
import type { Cancel, Env } from '@tactus/env'

/**
 * How the bus was lost: it holds another incarnation (design §3.11); or it was out of reach for so long that clients
 * are better served elsewhere, and if there is nowhere else, they should know (F17).
 */
export type BusLoss = 'began anew' | 'out of reach'

/** Time-outs without contact after which an instance gives up. A restart of Redis takes less, and costs no stream. */
const patience = 10

/** Announces this instance for as long as it lives (design §3.8). */
export class Heartbeat {
  readonly #bus: Bus
  readonly #env: Env
  readonly #ttl: number
  readonly #onError: (error: unknown) => void
  readonly #onLost: (why: BusLoss) => void
  #failing = false
  #announcedAt: number
  #instance: InstanceInfo
  #cancel: Cancel | undefined
  #stopped = false

  /** @param ttl milliseconds after which an instance that is not heard of counts as dead. */
  constructor(options: {
    readonly bus: Bus
    readonly env: Env
    readonly instance: InstanceInfo
    readonly ttl: number
    /** Told of the first of several failures. */
    readonly onError: (error: unknown) => void
    /** Told when there is no use in going on as this instance; maybe more than once. */
    readonly onLost: (why: BusLoss) => void
  }) {
    this.#bus = options.bus
    this.#env = options.env
    this.#instance = options.instance
    this.#ttl = options.ttl
    this.#onError = options.onError
    this.#onLost = options.onLost
    this.#announcedAt = options.env.clock.monotonic()
  }

  /** Beats once and goes on; resolves after the first, however it went. */
  async start(): Promise<void> {
    this.#arm(await this.#beat())
  }

  /** Tells the others whether new work should come here. */
  async draining(draining: boolean): Promise<void> {
    await this.tell('draining', draining ? 'true' : undefined)
  }

  /** Tells the others something more of this instance; undefined takes it back. */
  async tell(name: string, value: string | undefined): Promise<void> {
    const { [name]: _, ...info } = this.#instance.info
    this.#instance = {
      ...this.#instance,
      info: value === undefined ? info : { ...info, [name]: value },
    }
    await this.#beat()
  }

  /** Takes the announcement back. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    try {
      await this.#bus.leave(this.#instance.id)
    } catch (error) {
      this.#onError(error)
    }
  }

  /** After a beat that failed the next comes soon: whoever is missing when the bus is back may be taken for dead. */
  #arm(announced: boolean): void {
    if (this.#stopped) return
    this.#cancel = this.#env.clock.after(announced ? this.#ttl / 3 : this.#ttl / 30, () => {
      void this.#beat().then((success) => this.#arm(success))
    })
  }

  async #beat(): Promise<boolean> {
    try {
      await this.#bus.beat(this.#instance, this.#ttl)
      this.#failing = false
      this.#announcedAt = this.#env.clock.monotonic()
      return true
    } catch (error) {
      if (!this.#failing) this.#onError(error)
      this.#failing = true
      if (error instanceof IncarnationChanged) this.#onLost('began anew')
      else if (this.#env.clock.monotonic() - this.#announcedAt > this.#ttl * patience)
        this.#onLost('out of reach')
      return false
    }
  }
}
