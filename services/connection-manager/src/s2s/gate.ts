import { isListed } from '@tactus/bus'
import { partitionOf, partitionStream } from '@tactus/cluster'
import type { StreamError } from '@tactus/stanza'
import type { Services } from '../services.ts'
import type { RemoteMetrics } from './metrics.ts'

/** What ends a stream without its being the other side's fault. */
const harmless: ReadonlySet<StreamError['condition']> = new Set([
  'connection-timeout',
  'host-gone',
  'internal-server-error',
  'remote-connection-failed',
  'reset',
  'resource-constraint',
  'system-shutdown',
])
/** Milliseconds for the ban to be noted; the next hit asks for it again. */
const patience = 10_000
/** Pairs of domains that are counted at a time. */
const most = 10_000

interface Record {
  hits: number
  readonly until: number
}

/**
 * Counts what streams of other servers had to be ended for, and asks for a ban of who goes too far.
 *
 * SECURITY: only what came on a stream that had proved its domain counts, or anybody could have others banned.
 */
export class Gate {
  readonly #services: Services
  readonly #metrics: RemoteMetrics
  readonly #records = new Map<string, Record>()

  constructor(services: Services, metrics: RemoteMetrics) {
    this.#services = services
    this.#metrics = metrics
  }

  /** A stream that had proved to be of `remote`, for `local`, was ended by us. */
  hit(local: string, remote: string, condition: StreamError['condition']): void {
    const { env, settings, hosts } = this.#services
    const { hits, window } = settings.s2s.gate
    const host = hosts.hostOf(local)
    if (hits === 0 || !host || harmless.has(condition)) return
    const now = env.clock.monotonic()
    const name = `${host.name} ${remote}`
    const known = this.#records.get(name)
    const record = known && now < known.until ? known : { hits: 0, until: now + window }
    record.hits += 1
    if (record.hits < hits) return this.#keep(name, record)
    this.#records.delete(name)
    if (!isListed(remote, host.federation?.blocked ?? []))
      void this.#ban(host.name, remote, condition)
  }

  #keep(name: string, record: Record): void {
    this.#records.delete(name)
    const [oldest] = this.#records.keys()
    if (this.#records.size >= most && oldest !== undefined) this.#records.delete(oldest)
    this.#records.set(name, record)
  }

  async #ban(host: string, domain: string, condition: string): Promise<void> {
    const { commands, settings, log } = this.#services
    const { hits, ban: duration } = settings.s2s.gate
    this.#metrics.bans.inc()
    log.warn('domain_banned', { host, domain, condition })
    const reason = `${hits} streams ended, the last for ${condition}`
    try {
      await commands.call({
        entity: host,
        stream: partitionStream(partitionOf(host, settings.partitions)),
        name: 'gate ban',
        input: { host, domain, duration, reason },
        timeout: patience,
      })
    } catch (error) {
      log.warn('ban_not_noted', { host, domain, err: error })
    }
  }
}
