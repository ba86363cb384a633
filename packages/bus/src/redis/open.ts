import type { Env } from '@tactus/env'
import type { RedisOptions } from 'ioredis'
import { BusUnavailable, IncarnationChanged } from '../bus.ts'
import { type BusLimits, defaultLimits } from '../limits.ts'
import { Keys } from './keys.ts'
import { RedisLink } from './link.ts'
import type { Fault } from './readers.ts'
import { RedisBus } from './redis-bus.ts'
import { scripts } from './scripts.ts'

/** What a cluster was made with; processes with other values must not share its data (design §3.12). */
export interface BusSettings {
  readonly cluster: string
  readonly partitions: number
  readonly schemaVersion: number
  readonly secretFingerprint: string
}

/** How `openRedisBus` reaches Redis, and what it does when something goes wrong. */
export interface RedisBusOptions {
  /** `redis://` or `rediss://`, with user, password and database number where needed. */
  readonly url: string
  /** What a URL cannot say: Sentinels, certificates. */
  readonly redis?: RedisOptions
  readonly env: Env
  /** Cluster id: a-z, 0-9 and hyphens. Clusters of different ids may share a Redis. */
  readonly cluster: string
  readonly incarnation: number
  /**
   * Writes the marker where it is missing or older. Only for who has just raised the incarnation in the store, which is
   * also how a first start begins: whoever merely starts must notice that Redis came back empty (design §3.11).
   */
  readonly create: boolean
  /** Stored at first, compared afterwards; left out, nothing is compared. */
  readonly settings?: BusSettings
  /** Milliseconds in which every call settles, 2000 by default. */
  readonly commandTimeout?: number
  /** Milliseconds between two looks at Redis' memory, 1000 by default. */
  readonly pollInterval?: number
  readonly limits?: Partial<BusLimits>
  /** Told of every connection that was lost or not made; the bus makes the next one itself. */
  readonly onDisconnect?: (reason: Error) => void
  /** Told of every frame that could not be read: to be counted, and kept for an operator. */
  readonly onFault?: (fault: Fault) => void
}

/** A process with other settings uses this cluster's Redis: mixing them would lose data. Says which, in plain words. */
export class SettingsDiffer extends Error {}

/**
 * Opens the bus over Redis.
 *
 * @throws {BusUnavailable} when Redis cannot be reached within the command timeout
 * @throws {IncarnationChanged} when the marker is missing (and not to be created) or newer
 * @throws {SettingsDiffer} when the cluster was made with other settings; nothing has been written then
 */
export async function openRedisBus(options: RedisBusOptions): Promise<RedisBus> {
  const { env, cluster, incarnation, commandTimeout = 2_000, pollInterval = 1_000 } = options
  const keys = new Keys(cluster, incarnation)
  const connect = (): RedisLink => new RedisLink({ ...options, commandTimeout })
  const link = connect()
  try {
    await openIncarnation(link, keys, options)
    const warnings = await configurationWarnings(link)
    return new RedisBus({
      env,
      keys,
      incarnation,
      limits: { ...defaultLimits, ...options.limits },
      commandTimeout,
      pollInterval,
      link,
      connect,
      onFault: options.onFault ?? (() => {}),
      warnings,
    })
  } catch (error) {
    await link[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * Opens the bus in the incarnation that Redis is in, for instances that do not know the store (connection managers).
 *
 * @throws {BusUnavailable} when Redis cannot be reached, or no router has made the cluster yet: try again
 */
export async function joinRedisBus(
  options: Omit<RedisBusOptions, 'incarnation' | 'create'>,
): Promise<RedisBus> {
  const { commandTimeout = 2_000 } = options
  const link = new RedisLink({ ...options, commandTimeout })
  let marker: string | null
  try {
    marker = await link.run((redis) => redis.get(new Keys(options.cluster, 0).marker))
  } finally {
    await link[Symbol.asyncDispose]()
  }
  if (marker === null) throw new BusUnavailable('no router has opened this cluster yet')
  return await openRedisBus({ ...options, incarnation: Number(marker), create: false })
}

async function openIncarnation(
  link: RedisLink,
  keys: Keys,
  { incarnation, create, settings }: RedisBusOptions,
): Promise<void> {
  const mine = Object.entries(settings ?? {}).map(([name, value]) => [name, String(value)] as const)
  const reply = await link.script(
    scripts.open,
    [keys.marker, keys.settings],
    [incarnation, create ? 'create' : 'expect', ...mine.flat()],
  )
  const [outcome, ...found] = (reply as readonly Buffer[]).map(String)
  if (outcome === 'differs') throw new SettingsDiffer(difference(new Map(mine), found))
  if (outcome === 'changed')
    throw new IncarnationChanged(
      `Redis holds ${found[0] ? `incarnation ${found[0]}` : 'no incarnation'}, not ${incarnation}`,
    )
}

function difference(mine: ReadonlyMap<string, string>, found: readonly string[]): string {
  const sentences: string[] = []
  for (let index = 0; index + 1 < found.length; index += 2) {
    const name = found[index] ?? ''
    sentences.push(`${name} is ${mine.get(name)} here and ${found[index + 1]} in Redis`)
  }
  return `This cluster was made with other settings: ${sentences.join('; ')}.`
}

/** What is wrong with Redis' configuration; nothing where it may not be asked (managed services). */
async function configurationWarnings(link: RedisLink): Promise<string[]> {
  const [info, persistence, policy] = await link.run((redis) =>
    Promise.all([
      redis.info('memory'),
      redis.info('persistence'),
      redis.config('GET', 'maxmemory-policy').catch(() => undefined),
    ]),
  )
  const evicts = /maxmemory_policy:(\S+)/.exec(info)?.[1] ?? (policy as string[] | undefined)?.[1]
  const warnings: string[] = []
  if (/aof_enabled:0/.test(persistence))
    warnings.push(
      'Redis runs without "appendonly yes": when it restarts, all sessions end and are built anew.',
    )
  if (evicts !== undefined && evicts !== 'noeviction')
    warnings.push(
      `Redis runs with "maxmemory-policy ${evicts}": it may drop live state at any moment; set noeviction.`,
    )
  if (/\nmaxmemory:0\r?\n/.test(info))
    warnings.push(
      'Redis runs without "maxmemory": it cannot push back before the machine is out of memory.',
    )
  return warnings
}
