import type { Cancel, Env } from '@tactus/env'
import type { Keys } from './keys.ts'
import type { RedisLink } from './link.ts'

interface MonitorOptions {
  readonly env: Env
  readonly keys: Keys
  readonly link: RedisLink
  readonly pollInterval: number
  readonly checkMarker: (marker: unknown) => void
}

/** Looks every now and then how full Redis is, and whether it still holds this incarnation. */
export class Monitor {
  readonly #options: MonitorOptions
  #cancel: Cancel = () => {}
  #stopped = false
  /** Share of `maxmemory` in use at the last look, 0 where it is unlimited. */
  pressure = 0

  constructor(options: MonitorOptions) {
    this.#options = options
    this.#next(0)
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #next(delay: number): void {
    if (this.#stopped) return
    this.#cancel = this.#options.env.clock.after(delay, () => {
      this.#look()
        .catch(() => {}) // no connection, or lost: every call says so itself
        .finally(() => this.#next(this.#options.pollInterval))
    })
  }

  async #look(): Promise<void> {
    const { link, keys, checkMarker } = this.#options
    const [marker, info] = await link.run((redis) =>
      Promise.all([redis.get(keys.marker), redis.info('memory')]),
    )
    this.pressure = memoryShare(info)
    checkMarker(marker)
  }
}

/** Share of `maxmemory` in use according to INFO memory, 0 where there is none. */
export function memoryShare(info: string): number {
  const figure = (name: string): number => Number(info.match(`${name}:(\\d+)`)?.[1] ?? 0)
  const most = figure('\nmaxmemory')
  return most > 0 ? figure('\nused_memory') / most : 0
}
