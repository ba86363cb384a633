import { deadLetterMigration, type Machine } from '@tactus/cluster'
import type { BareJid } from '@tactus/jid'
import { coreMigrations, type Migration, type Reader } from '@tactus/storage'
import type { MetricSpec, Metrics } from '@tactus/telemetry'
import { busStatus, instanceDrain, instanceList, instanceUndrain } from './bus-status.ts'
import { CommandRegistry } from './command-registry.ts'
import { type ComponentDirectory, componentDirectory } from './components.ts'
import { type Core, type CoreLimits, countedBy, defaultLimits } from './core.ts'
import { Costs } from './costs.ts'
import { Disco } from './disco.ts'
import type { EntityScope } from './entity-scope.ts'
import { Hooks } from './hooks.ts'
import type { Host, HostDirectory } from './hosts.ts'
import { IqDispatch } from './iq-dispatch.ts'
import type { JobContext, JobDefinition, ModuleContext, ModuleLog, XmppModule } from './module.ts'
import { PubsubRegistry } from './pubsub.ts'
import { RoomsRegistry } from './rooms.ts'
import { RouterMachine } from './router-machine.ts'
import { s2sCommands } from './s2s-status.ts'
import { Domains } from './services.ts'

/** Everything that a host of modules is built from. */
export interface ModuleHostOptions {
  readonly modules: readonly XmppModule[]
  readonly hosts: HostDirectory
  /** External components; none when absent. */
  readonly components?: ComponentDirectory
  /** `modules` of the configuration: settings by module name; `false` leaves a module out. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly reader: Reader
  readonly log: (module: string) => ModuleLog
  /** Where the modules' metrics and the core's own are counted. */
  readonly metrics: Metrics
  readonly limits?: Partial<CoreLimits>
  readonly isAdmin: (account: BareJid) => boolean
  /** Runs commands for jobs, see `JobContext`. */
  readonly runCommand: JobContext['runCommand']
  readonly server: { readonly name: string; readonly version: string; readonly startedAt: number }
}

/** Runs the modules' set-up once and ties what they declared together (design §7). */
export class ModuleHost {
  readonly machine: Machine
  readonly commands: CommandRegistry = new CommandRegistry()
  readonly hooks: Hooks = new Hooks()
  readonly modules: readonly XmppModule[]
  /** All migrations: the core's own and the modules'. */
  readonly migrations: readonly Migration[]
  readonly #iq = new IqDispatch()
  readonly #disco: Disco
  readonly #domains: Domains
  readonly #components: ComponentDirectory
  readonly #pubsub = new PubsubRegistry()
  readonly #rooms = new RoomsRegistry()
  readonly #options: ModuleHostOptions
  readonly #timers = new Map<
    string,
    (event: { readonly scope: EntityScope; readonly data: string }) => void
  >()
  readonly #jobs = new Map<string, Record<string, JobDefinition<unknown, unknown>>>()
  readonly #configs = new Map<string, unknown>()

  /** @throws {Error} naming the modules, when they contradict each other or need one that is not enabled */
  constructor(options: ModuleHostOptions) {
    this.#options = options
    this.modules = options.modules.filter(({ name }) => options.settings[name] !== false)
    this.#disco = new Disco(this.modules)
    this.#domains = new Domains(options.hosts)
    this.#components = options.components ?? componentDirectory([])
    this.migrations = [
      ...coreMigrations,
      deadLetterMigration,
      ...this.modules.flatMap(({ migrations }) => migrations),
    ]
    for (const command of [busStatus, instanceList, instanceDrain, instanceUndrain, ...s2sCommands])
      this.commands.add(command)
    this.#checkNames()
    for (const module of this.modules) this.#setUp(module)
    this.hooks.seal()
    this.machine = new RouterMachine({
      core: this.#core(),
      commands: this.commands,
      timers: this.#timers,
      jobs: this.#jobs,
      stores: this.modules.flatMap(({ stores }) => stores),
      jobContext: { reader: options.reader, runCommand: options.runCommand },
    })
  }

  /** Domains that are served below a host's own. */
  servicesOf(host: Host): readonly string[] {
    return this.#domains.of(host).map(({ domain }) => domain)
  }

  /** Whether a domain is a host's or a service's. */
  isServed(domain: string): boolean {
    return this.#domains.get(domain) !== undefined
  }

  #core(): Core {
    const { hosts, metrics, isAdmin, log, limits } = this.#options
    return {
      hooks: this.hooks,
      iq: this.#iq,
      hosts,
      domains: this.#domains,
      components: this.#components,
      limits: { ...defaultLimits, ...limits },
      costs: new Costs({ ...defaultLimits, ...limits }.costs),
      metrics: countedBy(metrics),
      log: log('core'),
      isAdmin,
      sessionDefaults: sessionDefaults(this.modules),
    }
  }

  #checkNames(): void {
    const names = new Set<string>()
    for (const { name } of this.modules) {
      if (names.has(name)) throw new Error(`two modules are called ${name}`)
      names.add(name)
    }
    for (const { name, requires } of this.modules)
      for (const other of requires)
        if (!names.has(other))
          throw new Error(`module ${name} needs module ${other}, which is not enabled`)
  }

  #setUp(module: XmppModule): void {
    for (const command of module.commands) this.commands.add(command)
    this.#jobs.set(module.name, { ...module.jobs })
    module.setup(this.#context(module))
  }

  #context(
    module: XmppModule,
  ): ModuleContext<unknown, Record<string, unknown>, Record<string, MetricSpec>> {
    const { name } = module
    const options = this.#options
    return {
      config: (host) => this.#config(module, host),
      iq: this.#iq.registry(name),
      hooks: {
        on: (point, handler, order = {}) => this.hooks.add(point, { module: name, handler, order }),
        decide: (point, handler, order = {}) =>
          this.hooks.add(point, { module: name, handler, order }),
        rewrite: (point, handler, order = {}) =>
          this.hooks.add(point, { module: name, handler, order }),
        claim: (duty, handler) => this.hooks.claim(duty, name, handler),
        timer: (timer, handler) => this.#addTimer(name, timer, handler),
      },
      job: (job, definition) =>
        this.#addJob(name, job, definition as JobDefinition<never, unknown>),
      command: (definition) => this.commands.add(definition),
      commands: () => this.commands.list(),
      session: {
        get: (scope, session) => scope.sessionState(session, name),
        update: (scope, session, patch) => scope.updateSessionState(session, name, patch),
      },
      disco: this.#disco,
      services: this.#domains,
      components: this.#components,
      rooms: this.#rooms,
      pubsub: this.#pubsub,
      metrics: options.metrics.declare(`xmpp_module_${name.replaceAll('-', '_')}`, module.metrics),
      log: options.log(name),
      isAdmin: options.isAdmin,
      server: options.server,
    }
  }

  #addJob(module: string, name: string, definition: JobDefinition<never, unknown>): void {
    const jobs = this.#jobs.get(module) ?? {}
    if (jobs[name]) throw new Error(`module ${module} has two jobs called ${name}`)
    jobs[name] = definition as JobDefinition<unknown, unknown>
  }

  #addTimer(
    module: string,
    timer: string,
    handler: (event: { readonly scope: EntityScope; readonly data: string }) => void,
  ): void {
    if (this.#timers.has(timer))
      throw new Error(`module ${module}: another module has a timer called ${timer}`)
    this.#timers.set(timer, handler)
  }

  /** A module's settings for a host: its global ones, overlaid by the host's; parsed once. */
  #config(module: XmppModule, host: Host): unknown {
    const key = `${module.name} ${host.name}`
    if (!this.#configs.has(key)) {
      const global = this.#options.settings[module.name] as object | undefined
      const local = host.modules[module.name] as object | undefined
      this.#configs.set(key, module.config.parse({ ...global, ...local }))
    }
    return this.#configs.get(key)
  }
}

/** Fills in the defaults of a module's session schema; parsed once per stored object. */
function sessionDefaults(modules: readonly XmppModule[]): Core['sessionDefaults'] {
  type State = Readonly<Record<string, unknown>>
  const schemas = new Map(modules.map(({ name, session }) => [name, session]))
  const initial = new Map<string, State>()
  const parsed = new WeakMap<State, State>()
  return (module, stored) => {
    const known = stored ? parsed.get(stored) : initial.get(module)
    if (known) return known
    const state = (schemas.get(module)?.parse(stored ?? {}) ?? {}) as State
    if (stored) parsed.set(stored, state)
    else initial.set(module, state)
    return state
  }
}
