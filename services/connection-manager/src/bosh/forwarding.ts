import type { Cancel } from '@tactus/env'
import type { Services } from '../services.ts'
import type { BoshAnswer } from './answer.ts'

/** What is asked of another instance. */
export interface Forwarded {
  readonly sid: string
  readonly body: Uint8Array
  readonly isSecure: boolean
  readonly isLate: boolean
}

/** How long a list of instances is believed, and how often those are looked at whose answers are waited for. */
const believed = 500
/** Milliseconds beyond the longest wait after which an answer does not come any more. */
const patience = 10_000

/** Where an instance takes requests of others: apart from its other questions, since these wait. */
export function forwardName(instance: string): string {
  return `bosh:${instance}`
}

/** Brings requests to the instances that hold their sessions, and notices when one of these dies over it. */
export class Forwarding {
  readonly #services: Services
  #alive: ReadonlySet<string> = new Set()
  #listedAt = Number.NEGATIVE_INFINITY
  #listing: Promise<void> | undefined
  readonly #waiting = new Set<{ readonly holder: string; readonly lost: () => void }>()
  #cancel: Cancel | undefined

  constructor(services: Services) {
    this.#services = services
  }

  /** Whether an instance has announced itself lately. One that cannot be asked about counts as alive. */
  async isAlive(instance: string): Promise<boolean> {
    const { env, log } = this.#services
    if (env.clock.monotonic() - this.#listedAt < believed) return this.#alive.has(instance)
    try {
      await this.#list()
    } catch (error) {
      log.warn('bosh_instances_unread', { err: error })
      return true
    }
    return this.#alive.has(instance)
  }

  /** The holder's answer; `elsewhere` as soon as it is dead, so that its session is taken over. */
  async ask(holder: string, forwarded: Forwarded): Promise<BoshAnswer> {
    const { bus, log, settings } = this.#services
    const timeout = settings.bosh.wait * 1_000 + patience
    const lost = Promise.withResolvers<BoshAnswer>()
    const waiting = { holder, lost: () => lost.resolve({ kind: 'elsewhere' }) }
    this.#waiting.add(waiting)
    this.#watch()
    const request = { method: 'bosh.request', input: forwarded }
    const asked = bus.request(forwardName(holder), request, timeout).catch((error: unknown) => {
      if (this.#waiting.has(waiting)) log.warn('bosh_not_forwarded', { holder, err: error })
      return { kind: 'unavailable' } as const
    })
    try {
      return (await Promise.race([asked, lost.promise])) as BoshAnswer
    } finally {
      this.#waiting.delete(waiting)
    }
  }

  #list(): Promise<void> {
    this.#listing ??= this.#read().finally(() => {
      this.#listing = undefined
    })
    return this.#listing
  }

  async #read(): Promise<void> {
    const { bus, env } = this.#services
    const asked = env.clock.monotonic()
    const instances = await bus.instances()
    this.#alive = new Set(instances.map(({ id }) => id))
    this.#listedAt = asked
  }

  #watch(): void {
    if (this.#cancel) return
    this.#cancel = this.#services.env.clock.after(believed, () => void this.#look())
  }

  async #look(): Promise<void> {
    try {
      await this.#list()
      for (const { holder, lost } of this.#waiting) if (!this.#alive.has(holder)) lost()
    } catch {
      // Told where it is asked for; a bus that is away kills nobody.
    }
    this.#cancel = undefined
    if (this.#waiting.size > 0) this.#watch()
  }
}
