import { spawnSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import { findInPath } from './find-in-path.ts'
import { findPostgres, type PostgresService, startPostgres } from './postgres-service.ts'
import { type RedisService, startRedis } from './redis-service.ts'

/** What a cluster needs beside itself. */
export interface ClusterServices {
  readonly redis: RedisService
  readonly postgres: PostgresService
}

const install = (packages: string): string =>
  `install with: sudo apt-get install -y --no-install-recommends ${packages}`
const installHint = install('redis-server postgresql')

const redisProgram = (): string | undefined =>
  findInPath('redis-server') ?? findInPath('valkey-server')

/** A service that runs elsewhere can be used, but it is not for us to stop. */
const foreign = (url: string, variable: string): RedisService & PostgresService => {
  const refuse = async (): Promise<never> => {
    throw new Error(`the service of ${variable} is not ours to stop; start one with own…()`)
  }
  return {
    url,
    pid: undefined,
    kill: refuse,
    stop: refuse,
    restart: refuse,
    flush: refuse,
    appended: refuse,
    [Symbol.asyncDispose]: async () => {},
  }
}

/**
 * A Redis that only the caller uses, to be killed and frozen at will; dispose of it afterwards.
 *
 * @throws {Error} when there is no redis-server on this machine
 */
export async function ownRedis(): Promise<RedisService> {
  const program = redisProgram()
  if (!program) throw new Error(`no redis-server on this machine; ${installHint}`)
  return startRedis(program)
}

/**
 * A Postgres that only the caller uses, to be killed and frozen at will; dispose of it afterwards.
 *
 * @throws {Error} when there is no Postgres on this machine
 */
export async function ownPostgres(): Promise<PostgresService> {
  const bin = findPostgres()
  if (!bin) throw new Error(`no postgres on this machine; ${installHint}`)
  return startPostgres(bin)
}

let sharedRedis: Promise<RedisService> | undefined
let sharedPostgres: Promise<PostgresService> | undefined

/** The Redis of this test process: the one of `REDIS_URL`, or one that is started once. */
export function redis(): Promise<RedisService> {
  const url = process.env.REDIS_URL
  sharedRedis ??= url ? Promise.resolve(foreign(url, 'REDIS_URL')) : ownRedis()
  return sharedRedis
}

/** The Postgres of this test process: the one of `DATABASE_URL`, or one that is started once. */
export function postgres(): Promise<PostgresService> {
  const url = process.env.DATABASE_URL
  sharedPostgres ??= url ? Promise.resolve(foreign(url, 'DATABASE_URL')) : ownPostgres()
  return sharedPostgres
}

const hasRedis = (): boolean => Boolean(process.env.REDIS_URL) || redisProgram() !== undefined
const hasPostgres = (): boolean => Boolean(process.env.DATABASE_URL) || findPostgres() !== undefined

/** Skips the test, or fails it where a cluster is required; loudly, either way. */
function missing(test: TestContext, what: string, hint = installHint): undefined {
  const reason = `needs ${what}: ${hint}`
  if (process.env.REQUIRE_CLUSTER === '1') throw new Error(`REQUIRE_CLUSTER=1, but it ${reason}`)
  test.skip(reason)
  return undefined
}

/** A Redis for this test; undefined when there is none, and then the test is skipped. */
export async function redisFor(test: TestContext): Promise<RedisService | undefined> {
  return hasRedis() ? redis() : missing(test, 'Redis')
}

/** A Postgres for this test; undefined when there is none, and then the test is skipped. */
export async function postgresFor(test: TestContext): Promise<PostgresService | undefined> {
  return hasPostgres() ? postgres() : missing(test, 'Postgres')
}

/**
 * Redis and Postgres for this test; undefined when one is missing, and then the test is skipped.
 *
 * With `REQUIRE_CLUSTER=1`, as CI sets it, it fails instead: a skip must not look like a pass.
 */
export async function clusterServices(test: TestContext): Promise<ClusterServices | undefined> {
  if (!hasRedis() || !hasPostgres()) return missing(test, 'Redis and Postgres')
  const [redisService, postgresService] = await Promise.all([redis(), postgres()])
  return { redis: redisService, postgres: postgresService }
}

/**
 * Whether this machine has what `ownRedis` and `ownPostgres` start; when not, the test is skipped.
 *
 * With `REQUIRE_CLUSTER=1` it fails instead. Starts nothing, and takes no notice of services that run elsewhere.
 */
export function canOwnServices(test: TestContext): boolean {
  if (redisProgram() !== undefined && findPostgres() !== undefined) return true
  missing(test, 'Redis and Postgres of its own')
  return false
}

/** Programs of others that tests talk to us with or through, by Debian package. */
export type ForeignClient =
  | 'chromium'
  | 'dbus'
  | 'ejabberd'
  | 'haproxy'
  | 'libervia-cli'
  | 'profanity'
  | 'prosody'
  | 'tmux'
  | 'python3-slixmpp'

/** Programs that are called otherwise than their packages. */
const programs: Partial<Record<ForeignClient, string>> = {
  dbus: 'dbus-run-session',
  ejabberd: 'ejabberdctl',
}

const hasClient = (client: ForeignClient): boolean =>
  client === 'python3-slixmpp'
    ? spawnSync('/usr/bin/python3', ['-c', 'import slixmpp']).status === 0
    : findInPath(programs[client] ?? client) !== undefined

/** Whether these are on this machine; when not, the test is skipped, and with `REQUIRE_CLUSTER=1` it fails. */
export function hasClients(test: TestContext, ...clients: readonly ForeignClient[]): boolean {
  const absent = clients.filter((client) => !hasClient(client))
  if (absent.length === 0) return true
  missing(test, absent.join(' and '), install(absent.join(' ')))
  return false
}
