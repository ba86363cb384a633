import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Bus, BusUnavailable, joinRedisBus } from '@tactus/bus'
import {
  type Address,
  type Config,
  ConfigError,
  failpointFromEnvironment,
  loadConfig,
  shiftPorts,
} from '@tactus/config'
import { type Env, realEnv, sleep } from '@tactus/env'
import {
  createLogger,
  Health,
  type Lifecycle,
  type Logger,
  Metrics,
  run,
  serveOperations,
} from '@tactus/telemetry'
import { type ConnectionManager, startConnectionManager } from './connection-manager.ts'
import { longestDrain } from './drain.ts'
import type { BusLoss } from './heartbeat.ts'
import { settingsFrom } from './settings.ts'

const help = `Holds the client connections of a Tactus cluster.

  -c, --config FILE   configuration file (default: tactus.yaml, if there is one)
      --index K       this is the K-th on this machine, from 0: adds 100·K to every port
  -h, --help          show this and stop
`

const pause = 500
/** How long the streams of a lost bus are ended for, and how long that may take. */
const resetOver = 2_000
const resetWithin = 3_000

interface Parts {
  readonly config: Config
  readonly env: Env
  readonly log: Logger
  readonly metrics: Metrics
  readonly health: Health
  readonly stopping: AbortSignal
  readonly dataFolder: string
}

function flags(): {
  readonly config: string | undefined
  readonly index: number
  readonly help: boolean
} {
  const { values } = parseArgs({
    options: {
      config: { type: 'string', short: 'c' },
      index: { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const index = Number(values.index)
  if (!Number.isInteger(index) || index < 0 || index > 600)
    throw new ConfigError([
      { origin: undefined, path: '--index', message: 'expected a number from 0 to 600' },
    ])
  return { config: values.config, index, help: values.help }
}

/** Where certificates that we made are kept: beside the embedded data, or the configuration. */
function dataFolderOf({ storage }: Config, file: string | undefined): string {
  if (!storage.url.includes('://')) return storage.url
  return join(file === undefined ? '.' : dirname(file), 'data')
}

/** The bus once a router has made it; a connection manager may be started first. */
async function joinBus({ config, env, log, stopping }: Parts): Promise<Bus> {
  const { id: cluster } = config.cluster
  let told = false
  for (;;) {
    try {
      return await joinRedisBus({ url: config.bus.url, env, cluster })
    } catch (error) {
      if (!(error instanceof BusUnavailable) || stopping.aborted) throw error
      if (!told) log.warn('bus_waited_for', { reason: error.message })
      told = true
      await sleep(env.clock, pause, stopping)
    }
  }
}

/** One connection manager for as long as it has the bus. */
class Incarnation implements AsyncDisposable {
  readonly manager: ConnectionManager
  /** Resolves when the bus is lost, with what became of it. */
  readonly over: Promise<BusLoss>
  readonly #bus: Bus

  private constructor(bus: Bus, manager: ConnectionManager, over: Promise<BusLoss>) {
    this.#bus = bus
    this.manager = manager
    this.over = over
  }

  static async open(parts: Parts): Promise<Incarnation> {
    const bus = await joinBus(parts)
    const { promise, resolve } = Promise.withResolvers<BusLoss>()
    const manager = await startConnectionManager({
      ...parts,
      bus,
      onBusLost: resolve,
    })
    return new Incarnation(bus, manager, promise)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager[Symbol.asyncDispose]()
    await this.#bus[Symbol.asyncDispose]()
  }
}

/** The same configuration, with the ports that the system chose where it left them open: clients know these. */
function reusing(config: Config, ports: ConnectionManager['ports']): Config {
  const at = (
    addresses: readonly Address[],
    bound: readonly { readonly port: number }[],
  ): Address[] =>
    addresses.map((address, index) => ({ ...address, port: bound[index]?.port ?? address.port }))
  const { listen } = config
  return {
    ...config,
    listen: {
      ...listen,
      c2s: at(listen.c2s, ports.c2s),
      c2sTls: at(listen.c2sTls, ports.c2sTls),
      s2s: at(listen.s2s, ports.s2s),
      s2sTls: at(listen.s2sTls, ports.s2sTls),
      component: at(listen.component, ports.component),
      http: at(listen.http, ports.http),
      https: at(listen.https, ports.https),
    },
  }
}

async function serve(life: Lifecycle): Promise<void> {
  const { config: file, index } = flags()
  const config = shiftPorts(loadConfig({ file }).config, index)
  const env = realEnv(failpointFromEnvironment())
  const log = createLogger({ ...config.log, fields: { service: 'connection-manager', index } })
  life.logTo(log)
  life.drainWithin(longestDrain(settingsFrom(config).drain))
  const metrics = new Metrics({ runtime: true })
  const health = new Health()
  const operations = life.use(await serveOperations(config.listen.metrics, { health, metrics }))
  const dataFolder = dataFolderOf(config, file)
  const { stopping } = life
  const parts: Parts = { config, env, log, metrics, health, stopping, dataFolder }
  let current = await Incarnation.open(parts)
  life.use({ [Symbol.asyncDispose]: () => current[Symbol.asyncDispose]() })
  life.onDrain((deadline) => current.manager.drain({ deadline }))
  health.started()
  const { ports, instance } = current.manager
  const listening = { ...ports, metrics: operations.addresses }
  const numbers = Object.entries(listening).map(([name, list]) => [
    name,
    list.map(({ port }) => port),
  ])
  const ready = { event: 'ready', instance, ports: Object.fromEntries(numbers) }
  process.stdout.write(`${JSON.stringify(ready)}\n`)
  for (;;) {
    const why = await current.over
    if (life.stopping.aborted) return
    // Where it began anew every position and every session was of the old one, and clients bind again. Where it is out
    // of reach they resume elsewhere, or here when it is back: until then nobody listens.
    log.error('bus_lost', { why })
    const { isDraining } = current.manager
    const deadline = AbortSignal.timeout(resetWithin)
    await current.manager.drain({ condition: 'reset', over: resetOver, deadline })
    await current[Symbol.asyncDispose]()
    current = await Incarnation.open({ ...parts, config: reusing(config, ports) })
    // What an operator wanted of this process holds for its next incarnation too.
    if (isDraining) await current.manager.drain()
  }
}

await run(async (life) => {
  if (!flags().help) return await serve(life)
  process.stdout.write(help)
  life.stop('told')
})
