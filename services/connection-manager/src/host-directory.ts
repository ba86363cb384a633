import type { HostSummary } from '@tactus/bus'
import { type Cancel, type Clock, sleep } from '@tactus/env'
import type { HostStatus } from '@tactus/stream'
import type { RouterClient } from './router-client.ts'

const period = 5_000
/** A peer that names an unknown host makes us look at once, but not more often than this. */
const hurried = 1_000
/** How long a start waits for the first list, and between two tries. */
const longestStart = 15_000
const startPause = 200

/** The hosts served, as the routers last told. */
export class HostDirectory {
  readonly #routers: RouterClient
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #hosts: ReadonlyMap<string, HostSummary> | undefined
  #services: ReadonlyMap<string, HostSummary> = new Map()
  #gone = new Set<string>()
  #refreshing: Promise<void> | undefined
  #refreshedAt = Number.NEGATIVE_INFINITY
  #cancel: Cancel | undefined
  #stopped = false

  constructor(routers: RouterClient, clock: Clock, onError: (error: unknown) => void) {
    this.#routers = routers
    this.#clock = clock
    this.#onError = onError
  }

  /**
   * Reads the list and goes on doing so. Resolves when it is known: who listens without it can only send clients away.
   * After a while it resolves all the same, so that clients are at least told so.
   */
  async start(): Promise<void> {
    const deadline = this.#clock.monotonic() + longestStart
    await this.refresh()
    while (!this.#hosts && !this.#stopped && this.#clock.monotonic() < deadline) {
      await sleep(this.#clock, startPause)
      await this.refresh()
    }
    this.#arm()
  }

  get(domain: string): HostSummary | undefined {
    return this.#hosts?.get(domain)
  }

  /** The host whose domain this is, or a service's of which it is. */
  hostOf(domain: string): HostSummary | undefined {
    return this.#hosts?.get(domain) ?? this.#services.get(domain)
  }

  /** As `status`, for a domain that may be a service's. */
  domainStatus(domain: string): HostStatus {
    return this.#services.has(domain) ? 'served' : this.status(domain)
  }

  /** The host that stands for this server where a peer named none; undefined before any is known. */
  get first(): string | undefined {
    return this.#hosts?.keys().next().value
  }

  status(domain: string): HostStatus {
    if (!this.#hosts) return 'unavailable'
    if (this.#hosts.has(domain)) return 'served'
    return this.#gone.has(domain) ? 'gone' : 'unknown'
  }

  /** A host that is not in the list may have been added a moment ago. */
  async lookAgain(): Promise<void> {
    if (this.#clock.monotonic() - this.#refreshedAt < hurried) return await this.#refreshing
    await this.refresh()
  }

  [Symbol.dispose](): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #arm(): void {
    if (this.#stopped) return
    this.#cancel = this.#clock.after(this.#hosts ? period : hurried, () => {
      void this.refresh().then(() => this.#arm())
    })
  }

  /** Reads the list now. */
  refresh(): Promise<void> {
    this.#refreshedAt = this.#clock.monotonic()
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #read(): Promise<void> {
    try {
      const list = await this.#routers.ask('hosts.list', undefined)
      const hosts = new Map(list.map((host) => [host.name, host]))
      for (const name of this.#hosts?.keys() ?? []) if (!hosts.has(name)) this.#gone.add(name)
      for (const name of hosts.keys()) this.#gone.delete(name)
      this.#hosts = hosts
      this.#services = new Map(
        list.flatMap((host) => (host.services ?? []).map((domain) => [domain, host] as const)),
      )
    } catch (error) {
      // The last list stays: hosts change rarely, and routers are away for a moment only.
      this.#onError(error)
    }
  }
}
