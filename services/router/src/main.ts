import { parseArgs } from 'node:util'
import { type Bus, openRedisBus, SettingsDiffer } from '@tactus/bus'
import {
  type Config,
  ConfigError,
  failpointFromEnvironment,
  loadConfig,
  shiftPorts,
} from '@tactus/config'
import { type Env, realEnv } from '@tactus/env'
import {
  createLogger,
  Health,
  type Lifecycle,
  type Logger,
  Metrics,
  run,
  serveOperations,
} from '@tactus/telemetry'
import { moduleSchemas, routerMigrations } from './modules.ts'
import { startRouter } from './router.ts'
import { clusterSettings, compatVersion } from './settings.ts'
import { openStorage } from './storage.ts'
import { productVersion } from './version.ts'

const help = `Runs the XMPP logic of a Tactus cluster, on Redis and Postgres.

  -c, --config FILE   configuration file (default: tactus.yaml, if there is one)
      --index K       this is the K-th on this machine, from 0: its health and metrics port is 50 + 100·K higher
  -h, --help          show this and stop
`

/** Milliseconds between two lines about a bus that is away. */
const toldEvery = 10_000

/** With `--index` they share a machine and a file with connection managers, whose ports must not meet. */
const metricsOffset = 50

function flags(): {
  readonly config: string | undefined
  readonly index: number
  readonly offset: number
  readonly help: boolean
} {
  const { values } = parseArgs({
    options: {
      config: { type: 'string', short: 'c' },
      index: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const index = Number(values.index ?? '0')
  if (!Number.isInteger(index) || index < 0 || index > 600)
    throw new ConfigError([
      { origin: undefined, path: '--index', message: 'expected a number from 0 to 600' },
    ])
  const offset = values.index === undefined ? 0 : metricsOffset
  return { config: values.config, index, offset, help: values.help }
}

function readConfig(file: string | undefined, index: number): Config {
  const config = shiftPorts(loadConfig({ file, modules: moduleSchemas() }).config, index)
  if (config.bus.url === 'memory')
    throw new ConfigError([
      {
        origin: undefined,
        path: 'bus.url',
        message: 'a router of a cluster needs redis://…; for one process use npm start',
      },
    ])
  return config
}

async function openBus(
  config: Config,
  env: Env,
  log: Logger,
  incarnation: number,
  create: boolean,
): Promise<Bus> {
  const settings = { ...clusterSettings(config), schemaVersion: compatVersion }
  const bus = await openRedisBus({
    url: config.bus.url,
    env,
    cluster: settings.cluster,
    incarnation,
    create,
    settings,
    onDisconnect: seldom(env, ({ message }) => log.warn('bus_disconnected', { reason: message })),
    onFault: ({ stream, position, error: { reason, message, bytes } }) =>
      log.error('frame_unreadable', { stream, position, reason, message, bytes: bytes.length }),
  }).catch(explainDifference)
  for (const warning of bus.warnings) log.warn('redis_configuration_weak', { advice: warning })
  return bus
}

/** Each attempt to come back fails for the same reason: one line in a while tells as much as two a second. */
function seldom<T>(env: Env, tell: (what: T) => void): (what: T) => void {
  let next = 0
  return (what) => {
    const now = env.clock.monotonic()
    if (now < next) return
    next = now + toldEvery
    tell(what)
  }
}

/** Other settings are for a person to mend, not a bug of ours. */
function explainDifference(error: unknown): never {
  if (!(error instanceof SettingsDiffer)) throw error
  throw new ConfigError([{ origin: undefined, path: 'bus', message: error.message }])
}

async function serve(life: Lifecycle): Promise<void> {
  const { config: file, index, offset } = flags()
  const config = readConfig(file, index)
  const env = realEnv(failpointFromEnvironment())
  const log = createLogger({ ...config.log, fields: { service: 'router', index } })
  life.logTo(log)
  const metrics = new Metrics({ runtime: true })
  const health = new Health()
  const addresses = config.listen.metrics.map(({ host, port }) => ({
    host,
    port: port === 0 ? 0 : port + offset,
  }))
  const operations = life.use(await serveOperations(addresses, { health, metrics }))
  const storage = life.use(await openStorage(config, env))
  const missing = await storage.pending(routerMigrations())
  if (missing.length > 0)
    throw new ConfigError([
      {
        origin: undefined,
        path: 'storage',
        message: `the database lacks ${missing.join(', ')}; run: tactusctl migrate`,
      },
    ])
  const router = life.use(
    await startRouter({
      config,
      env,
      log,
      metrics,
      health,
      version: productVersion(),
      storage,
      openBus: (incarnation, create) => openBus(config, env, log, incarnation, create),
      alone: false,
    }),
  )
  life.onDrain(() => router.drain())
  health.started()
  const ports = { metrics: operations.addresses.map(({ port }) => port) }
  process.stdout.write(`${JSON.stringify({ event: 'ready', role: 'router', ports })}\n`)
}

await run(async (life) => {
  if (!flags().help) return await serve(life)
  process.stdout.write(help)
  life.stop('told')
})
