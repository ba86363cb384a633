import type { ComponentSummary, HostSummary } from '@tactus/bus'
import { type Cancel, type Clock, sleep } from '@tactus/env'
import type { HostStatus } from '@tactus/stream'
import type { RouterClient } from './router-client.ts'

const period = 2_000
/** A peer that names an unknown host makes us look at once, but not more often than this. */
const hurried = 1_000
/** How long a start waits for the first list, and between two tries. */
const longestStart = 15_000
const startPause = 200
/** How long a component is believed to be there after the last router that knew it: not all learn of one at once. */
const lingering = 3_000

interface Found {
  readonly summary: ComponentSummary
  readonly host: HostSummary
  /** Monotonic. */
  readonly at: number
}

/** The hosts served, as the routers last told. */
export class HostDirectory {
  readonly #routers: RouterClient
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #hosts: ReadonlyMap<string, HostSummary> | undefined
  #services: ReadonlyMap<string, HostSummary> = new Map()
  #components: ReadonlyMap<string, Found> = new Map()
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

  /** An external component; its domain is as served as a service's. */
  component(domain: string): ComponentSummary | undefined {
    return this.#components.get(domain)?.summary
  }

  /** Looks for a component that may have been added a moment ago. @throws {BusUnavailable} */
  async findComponent(domain: string): Promise<ComponentSummary | undefined> {
    const known = this.component(domain)
    if (known) return known
    const found = await this.#routers.ask('component.find', { domain })
    const host = found && this.#hosts?.get(found.host)
    if (!host) return undefined
    const at = this.#clock.monotonic()
    this.#components = new Map([
      ...this.#components,
      [domain, { summary: found.component, host, at }],
    ])
    return found.component
  }

  /** Every external component. */
  components(): readonly ComponentSummary[] {
    return [...this.#components.values()].map(({ summary }) => summary)
  }

  /** Whether the list of hosts is known, so that what is not in it is not there. */
  get isKnown(): boolean {
    return this.#hosts !== undefined
  }

  /** The host whose domain this is, or a service's of which it is. */
  hostOf(domain: string): HostSummary | undefined {
    return (
      this.#hosts?.get(domain) ?? this.#services.get(domain) ?? this.#components.get(domain)?.host
    )
  }

  /** As `status`, for a domain that may be a service's. */
  domainStatus(domain: string): HostStatus {
    const isBelow = this.#services.has(domain) || this.#components.has(domain)
    return isBelow ? 'served' : this.status(domain)
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

  #found(list: readonly HostSummary[]): ReadonlyMap<string, Found> {
    const at = this.#clock.monotonic()
    const before = [...this.#components].filter(([, found]) => at - found.at < lingering)
    const now = list.flatMap((host) =>
      (host.components ?? []).map((summary) => [summary.domain, { summary, host, at }] as const),
    )
    return new Map([...before, ...now])
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
      this.#components = this.#found(list)
    } catch (error) {
      // The last list stays: hosts change rarely, and routers are away for a moment only.
      this.#onError(error)
    }
  }
}
