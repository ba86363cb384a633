import type { Bus } from '@tactus/bus'
import { Engine } from '@tactus/cluster'
import type { Config } from '@tactus/config'
import {
  allLiveSessions,
  type CommandRegistry,
  liveSessions,
  ModuleHost,
  onlineAccounts,
  type ReadContext,
} from '@tactus/core'
import type { Cancel, Env } from '@tactus/env'
import { catalogue } from '@tactus/modules'
import { purgedAtOnce, type Storage } from '@tactus/storage'
import type { Health, Logger, Metrics } from '@tactus/telemetry'
import { Components } from './components.ts'
import { configuredAdmins, configuredHosts, GuardedHosts } from './hosts.ts'
import { JobCommands } from './job-commands.ts'
import { engineHooks } from './metrics.ts'
import { watchReadiness } from './readiness.ts'
import { serveRequests } from './requests.ts'
import { checkSettings } from './settings.ts'
import { clusterStatus } from './status.ts'

/** What a router is started with. */
export interface RouterOptions {
  readonly config: Config
  readonly env: Env
  readonly log: Logger
  readonly metrics: Metrics
  /** Told what readiness depends on, and of the drain. */
  readonly health?: Health
  readonly version: string
  readonly storage: Storage
  /** Opens the bus of an incarnation; called again when Redis was lost. `raised`: this process has just begun it. */
  openBus(incarnation: number, raised: boolean): Promise<Bus>
  /** True in standalone: the bus dies with the process, nobody else can be there, migrations run by themselves. */
  readonly alone: boolean
}

/** A running router. */
export interface RunningRouter extends AsyncDisposable {
  readonly commands: CommandRegistry
  /** The bus of the present incarnation; undefined while none is open. */
  bus(): Bus | undefined
  /** Resolves when this router owns something, so that inputs are run. */
  readonly serving: Promise<void>
  /** Hands its partitions over to others, where there are any, and ends. */
  drain(): Promise<void>
}

/** Starts a router; it takes partitions with its first heartbeat. */
export async function startRouter(options: RouterOptions): Promise<RunningRouter> {
  const router = new TactusRouter(options)
  await router.start()
  return router
}

/** Milliseconds between looks at which boot is there, and between removals of old session rows. */
const tendEvery = 1_000
const expireEvery = 3_600_000

class TactusRouter implements RunningRouter {
  readonly #options: RouterOptions
  readonly #hosts: GuardedHosts
  readonly #components: Components
  readonly #host: ModuleHost
  readonly #engine: Engine
  readonly #jobCommands: JobCommands
  readonly #serving = Promise.withResolvers<void>()
  #served:
    | { readonly bus: Bus; readonly router: string; readonly desk: AsyncDisposable }
    | undefined
  #stopped = false
  #cancel: Cancel = () => {}
  #expired = 0
  #purging = false

  constructor(options: RouterOptions) {
    this.#options = options
    const { config, env, storage, log, metrics, version } = options
    this.#hosts = new GuardedHosts(configuredHosts(config))
    this.#components = new Components({
      config,
      hosts: this.#hosts,
      reader: storage.reader,
      isTaken: (domain) => this.#host.isServed(domain),
    })
    this.#jobCommands = new JobCommands(env, config.cluster.partitions, () => this.commands)
    this.#host = new ModuleHost({
      modules: catalogue,
      hosts: this.#hosts,
      components: this.#components,
      settings: config.modules,
      reader: storage.jobReader,
      log: (module) => log.child({ module }),
      metrics,
      limits: {
        resources: config.limits.resourcesPerAccount,
        queueStanzas: config.limits.sendQueue.stanzas,
        queueBytes: config.limits.sendQueue.bytes,
        resumeWithin: config.limits.resumption.window,
        resumeAtMost: config.limits.resumption.maxWindow,
        costs: config.limits.rates
          ? { perSecond: config.limits.costPerSecond, burst: config.limits.costBurst }
          : undefined,
      },
      isAdmin: configuredAdmins(config),
      runCommand: (name, input, source) => this.#jobCommands.run(name, input, source),
      server: { name: 'Tactus', version, startedAt: env.clock.now() },
    })
    const { heartbeat } = config.cluster
    this.#engine = new Engine({
      env,
      storage,
      machine: this.#host.machine,
      openBus: (incarnation, raised) => this.#openBus(incarnation, raised),
      partitions: config.cluster.partitions,
      alone: options.alone,
      // An announcement ends after half of the time, and must be missed for the other half.
      heartbeat: Math.max(100, Math.floor(heartbeat / 6)),
      ttl: Math.ceil(heartbeat / 2),
      hooks: engineHooks(
        metrics,
        log,
        () => this.#engine.status(),
        () => this.#serving.resolve(),
      ),
      onFenced: (reason) => log.warn('router_restarted', { reason }),
    })
  }

  get commands(): CommandRegistry {
    return this.#host.commands
  }

  get serving(): Promise<void> {
    return this.#serving.promise
  }

  bus(): Bus | undefined {
    return this.#engine.bus
  }

  async start(): Promise<void> {
    const { storage, config, env, alone, health } = this.#options
    if (alone) await storage.migrate(this.#host.migrations)
    await checkSettings(storage, config)
    if (health) watchReadiness(health, this.#engine, storage)
    await this.#components.start()
    await this.#hosts.refresh(storage.reader, env.clock.now())
    await this.#engine.start()
    await this.#serve()
    this.#tend()
  }

  /** A boot that was fenced is followed by another, with another address; and old rows go. */
  #tend(): void {
    const { clock } = this.#options.env
    this.#cancel = clock.after(tendEvery, () => {
      this.#tend()
      this.#serve().catch((error) => this.#options.log.warn('requests_unserved', { err: error }))
      this.#look().catch((error) => this.#options.log.warn('changes_unread', { err: error }))
      void this.#purge()
      if (clock.monotonic() - this.#expired < expireEvery) return
      this.#expired = clock.monotonic()
      this.#options.storage
        .expireSessions()
        .catch((error) => this.#options.log.warn('sessions_unexpired', { err: error }))
    })
  }

  /** What was added or banned on other routers. */
  async #look(): Promise<void> {
    const { storage, env } = this.#options
    await this.#components.refresh()
    await this.#hosts.refresh(storage.reader, env.clock.now())
  }

  /** What deleted accounts leave may be long: it goes in pieces, one after another. */
  async #purge(): Promise<void> {
    if (this.#purging) return
    this.#purging = true
    try {
      while (!this.#stopped && (await this.#options.storage.purgeArchives()) === purgedAtOnce) {}
    } catch (error) {
      this.#options.log.warn('archives_unpurged', { err: error })
    } finally {
      this.#purging = false
    }
  }

  async drain(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    this.#options.health?.draining()
    await this.#engine.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#served?.desk[Symbol.asyncDispose]()
    await this.#jobCommands[Symbol.asyncDispose]()
    if (!this.#stopped) await this.drain()
  }

  async #openBus(incarnation: number, raised: boolean): Promise<Bus> {
    return await this.#options.openBus(incarnation, raised)
  }

  /** Answers requests under the present boot's id; a new boot is another address. */
  async #serve(): Promise<void> {
    const { bus, router } = this.#engine
    if (this.#stopped || !bus || router === undefined) return
    if (this.#served?.router === router) return
    const before = this.#served
    const context = this.#readContext(bus)
    const desk = serveRequests(bus, router, {
      reader: this.#options.storage.reader,
      hosts: this.#hosts,
      services: (host) => this.#host.servicesOf(host),
      components: this.#components,
      commands: this.commands,
      context,
      refresh: () => this.#engine.refresh(),
      drain: (draining) => this.#drained(draining),
    })
    this.#served = { bus, router, desk }
    await this.#jobCommands.move({ bus, router, context })
    await before?.desk[Symbol.asyncDispose]()
  }

  /** An operator takes this router out of service, or back into it. */
  async #drained(draining: boolean): Promise<void> {
    const { log, health } = this.#options
    log.info(draining ? 'drain_asked' : 'undrain_asked')
    if (draining) health?.draining()
    else health?.serving()
    await this.#engine.drain(draining)
  }

  #readContext(bus: Bus): ReadContext {
    const { storage, config, env } = this.#options
    return {
      now: () => env.clock.now(),
      reader: storage.reader,
      hosts: this.#hosts,
      components: this.#components,
      bus,
      status: () => clusterStatus(bus, storage),
      sessions: (account) => liveSessions(bus, account),
      allSessions: (query) => allLiveSessions(bus, config.cluster.partitions, query),
      onlineAccounts: (query) => onlineAccounts(bus, config.cluster.partitions, query),
    }
  }
}
