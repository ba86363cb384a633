import type { AddressInfo } from 'node:net'
import { type Bus, protocol, type Request, type Requests } from '@tactus/bus'
import { deliveryStream } from '@tactus/cluster'
import type { Address, Config } from '@tactus/config'
import type { Cancel, Env } from '@tactus/env'
import type { Health, Logger, Metrics } from '@tactus/telemetry'
import { BoshSessions } from './bosh/bosh-sessions.ts'
import { configuredStore } from './certificates/configured-store.ts'
import { CommandClient } from './command-client.ts'
import { Components } from './component/components.ts'
import { Listener, type ListenerOptions } from './door/listener.ts'
import { within } from './door/networks.ts'
import { StreamDoor } from './door/stream-door.ts'
import { type DrainOptions, drainConnections } from './drain.ts'
import { type BusLoss, Heartbeat } from './heartbeat.ts'
import { HostDirectory } from './host-directory.ts'
import { HttpDoor } from './http/http-door.ts'
import { AddressBook } from './limits/address-book.ts'
import { Throttle } from './limits/throttle.ts'
import { Wheel } from './limits/wheel.ts'
import { type ConnectionMetrics, declareMetrics } from './metrics.ts'
import { RouterClient } from './router-client.ts'
import { Federation } from './s2s/federation.ts'
import type { Resolver } from './s2s/targets.ts'
import { secretFor } from './secrets.ts'
import type { Services } from './services.ts'
import { DeliveryReader } from './session/delivery-reader.ts'
import { Publisher } from './session/publisher.ts'
import { Session } from './session/session.ts'
import { SessionRegistry } from './session/session-registry.ts'
import { takeFrame } from './session/take-frame.ts'
import { type Settings, settingsFrom } from './settings.ts'
import { type Connection, type ConnectionContext, hold } from './stream/connection.ts'
import { Flusher } from './stream/flusher.ts'

/** What a connection manager is started with. */
export interface ConnectionManagerOptions {
  readonly config: Config
  readonly bus: Bus
  readonly env: Env
  readonly log: Logger
  readonly metrics: Metrics
  readonly health?: Health
  /** Where certificates that we made are kept; undefined makes them anew at each start. */
  readonly dataFolder?: string | undefined
  /** There is nothing more to do here: dispose of this manager, open the bus again and start another. */
  readonly onBusLost?: (why: BusLoss) => void
  /** Asks the DNS where other servers are; the system's when absent. */
  readonly resolver?: Resolver
  /** Overrides single settings, for tests. */
  readonly settings?: Partial<Settings>
}

/** A running connection manager. */
export interface ConnectionManager extends AsyncDisposable {
  readonly instance: string
  /** Where it listens, with the ports that the system chose. */
  readonly ports: {
    readonly c2s: readonly AddressInfo[]
    readonly c2sTls: readonly AddressInfo[]
    readonly s2s: readonly AddressInfo[]
    readonly s2sTls: readonly AddressInfo[]
    readonly component: readonly AddressInfo[]
    readonly http: readonly AddressInfo[]
    readonly https: readonly AddressInfo[]
  }
  /**
   * Accepts nothing more, ends all streams at a paced rate and waits until the owners know.
   *
   * The signal aborts when the time for it is over. Dispose afterwards.
   */
  drain(options?: DrainOptions): Promise<void>
  /** True from the beginning of a drain on, until it is undone. */
  readonly isDraining: boolean
  /** Undoes a drain, also one that is under way: serves at the same addresses again. @throws {Error} of `listen` */
  undrain(): Promise<void>
  /** Reads the list of hosts now, where somebody knows that it changed. */
  refreshHosts(): Promise<void>
}

/** Starts a connection manager; it serves when this resolves. @throws {Error} of `listen` */
export async function startConnectionManager(
  options: ConnectionManagerOptions,
): Promise<ConnectionManager> {
  const manager = new Manager(options)
  try {
    await manager.start()
  } catch (error) {
    await manager[Symbol.asyncDispose]()
    throw error
  }
  return manager
}

class Manager implements ConnectionManager {
  readonly instance: string
  readonly ports = {
    c2s: [] as AddressInfo[],
    c2sTls: [] as AddressInfo[],
    s2s: [] as AddressInfo[],
    s2sTls: [] as AddressInfo[],
    component: [] as AddressInfo[],
    http: [] as AddressInfo[],
    https: [] as AddressInfo[],
  }
  readonly #options: ConnectionManagerOptions
  readonly #services: Services
  readonly #publisher: Publisher
  readonly #reader: DeliveryReader
  readonly #heartbeat: Heartbeat
  readonly #wheel: Wheel
  readonly #federation: Federation
  readonly #components: Components
  readonly #connections = new Set<Connection>()
  readonly #listeners: Listener[] = []
  readonly #web: HttpDoor
  readonly #bosh: BoshSessions
  #drain: AbortController | undefined
  readonly #resources = new AsyncDisposableStack()

  constructor(options: ConnectionManagerOptions) {
    this.#options = options
    const { bus, env, config } = options
    this.instance = `cm-${Buffer.from(env.random(9)).toString('base64url')}`
    const log = options.log.child({ service: 'connection-manager', instance: this.instance })
    const settings = { ...settingsFrom(config), ...options.settings }
    this.#wheel = this.#resources.use(new Wheel(env.clock, settings.wheel))
    const metrics = declareMetrics(options.metrics)
    this.#publisher = this.#resources.use(
      new Publisher(bus, env, {
        retried: (stream, error, failures) => {
          metrics.busRetries.inc()
          if (failures === 1) log.warn('publish_refused', { stream, err: error })
        },
        unblocked: (stream) => this.#services.sessions.unblocked(stream),
      }),
    )
    const routers = new RouterClient(bus, env)
    const hosts = new HostDirectory(routers, env.clock, (error) =>
      log.warn('hosts_unread', { err: error }),
    )
    this.#services = {
      instance: this.instance,
      settings,
      env,
      bus,
      log,
      metrics,
      routers,
      hosts: this.#resources.use(hosts),
      commands: new CommandClient(this.#publisher, env, this.instance),
      certificates: this.#resources.use(configuredStore(options, hosts, log)),
      proxies: {
        http: within(config.trustedProxies.http),
        tcp: within(config.trustedProxies.tcp),
      },
      addresses: new AddressBook(settings.addresses),
      sessions: new SessionRegistry({
        publisher: this.#publisher,
        clock: env.clock,
        settings,
        metrics,
        instance: this.instance,
        protocol: () => routers.protocol,
      }),
      connections: this.#context(settings, metrics, log),
      decoySecret: secretFor('sasl-decoy', config, env),
    }
    const isDraining = (): boolean => this.isDraining
    const shared = [this.#services, this.#connections] as const
    const sessions = this.#resources.use(new BoshSessions(...shared, isDraining))
    this.#bosh = sessions
    this.#web = this.#resources.use(new HttpDoor(...shared, { isDraining, sessions }))
    this.#federation = this.#resources.use(federation(this.#services, options))
    this.#components = this.#resources.use(this.#makeComponents(options.metrics))
    this.#reader = this.#newReader(options)
    this.#heartbeat = heartbeat(this.instance, options, log)
  }

  async start(): Promise<void> {
    const { bus, hosts, certificates: store, sessions, settings } = this.#services
    this.#reader.start()
    this.#resources.use(this.#reader)
    await this.#heartbeat.start()
    this.#resources.defer(() => this.#heartbeat.stop())
    await hosts.start()
    await store.start()
    this.#every(settings.reportEvery, () => {
      this.#reader.beat()
      sessions.reportAll()
    })
    this.#every(settings.repeatAfter / 10, () => sessions.repeatStale())
    this.#bosh.start()
    await this.#listen()
    await this.#federation.start()
    await this.#components.start()
    this.#resources.use(bus.serve(this.instance, (request) => this.#asked(request)))
    this.#watch()
  }

  /** Answers an operator at once: a drain takes its time (design §5). */
  async #asked(request: Request): Promise<unknown> {
    if (this.#federation.answers(request)) return await this.#federation.answer(request)
    const { method, input } = request
    if (method === 's2s.list') return this.#federation.list()
    if (method === 'component.list') return this.#components.list()
    if (method === 's2s.close')
      return this.#federation.close((input as Requests['s2s.close']['input']).domain)
    if (method === 's2s.lookup')
      return await this.#federation.lookUp((input as Requests['s2s.lookup']['input']).domain)
    if (method === 's2s.yield')
      return await this.#federation.yields((input as Requests['s2s.yield']['input']).token)
    if (method !== 'instance.drain')
      throw new Error(`a connection manager does not answer ${method}`)
    const { draining } = input as Requests['instance.drain']['input']
    if (!draining) await this.undrain()
    else if (!this.isDraining)
      this.drain().catch((error) => this.#services.log.error('drain_failed', { err: error }))
    return { instance: this.instance, draining }
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    // After a reset this process goes on, with another manager.
    if (options.condition !== 'reset') this.#options.health?.draining()
    for (const listener of this.#listeners) listener.close()
    // Whoever insists, as a signal does, takes over from a drain that is under way.
    this.#drain?.abort()
    const drain = new AbortController()
    this.#drain = drain
    this.#web.release()
    await this.#heartbeat.draining(true)
    const { signal: cancelled } = drain
    const within = options.condition === 'reset' ? 0 : undefined
    await Promise.all([this.#federation.drain(within), this.#components.drain(within)])
    await drainConnections(this.#services, this.#connections, { cancelled, ...options })
  }

  get isDraining(): boolean {
    return this.#drain !== undefined
  }

  async undrain(): Promise<void> {
    if (!this.#drain) return
    this.#drain.abort()
    this.#drain = undefined
    for (const listener of this.#listeners) await listener.listen()
    await this.#heartbeat.draining(false)
    await this.#federation.undrain()
    await this.#components.undrain()
    this.#options.health?.serving()
  }

  async refreshHosts(): Promise<void> {
    await this.#services.hosts.refresh()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close()
    for (const connection of this.#connections) connection.transport.destroy()
    await this.#resources.disposeAsync()
  }

  async #listen(): Promise<void> {
    const { c2s, c2sTls, s2s, s2sTls, component, http, https } = this.#options.config.listen
    const streams = new StreamDoor(this.#services, this.#connections)
    const web = this.#web
    await this.#listenTo('c2s', c2s, { door: streams, tls: false })
    await this.#listenTo('c2sTls', c2sTls, { door: streams, tls: true })
    const { door } = this.#federation
    await this.#listenTo('s2s', s2s, { door, tls: false })
    // It asks for a certificate, so TLS is its own.
    await this.#listenTo('s2sTls', s2sTls, { door: door.direct, tls: false })
    await this.#listenTo('component', component, { door: this.#components, tls: false })
    await this.#listenTo('http', http, { door: web, tls: false })
    await this.#listenTo('https', https, { door: web, tls: true })
  }

  async #listenTo(
    name: keyof ConnectionManager['ports'],
    addresses: readonly Address[],
    behind: Pick<ListenerOptions, 'door' | 'tls'>,
  ): Promise<void> {
    for (const address of addresses) {
      const listener = new Listener(this.#services, { address, ...behind })
      this.#listeners.push(listener)
      this.ports[name].push(await listener.listen())
    }
  }

  #context(settings: Settings, metrics: ConnectionMetrics, log: Logger): ConnectionContext {
    const bytesIn = metrics.bytes.with({ direction: 'in' })
    const bytesOut = metrics.bytes.with({ direction: 'out' })
    return {
      wheel: this.#wheel,
      flusher: new Flusher(),
      throttle: new Throttle(this.#options.env.clock, hold.rate),
      costs: new Throttle(this.#options.env.clock, hold.cost),
      rate: settings.rate,
      stallBytes: settings.stallBytes,
      hooks: {
        received: (bytes) => bytesIn.inc(bytes),
        sent: (bytes) => bytesOut.inc(bytes),
        failed: ({ address }, { condition }) => {
          metrics.streamErrors.with({ condition }).inc()
          log.info('stream_failed', { address, condition })
        },
        crashed: ({ address }, error) => log.error('stream_crashed', { address, err: error }),
        closed: (connection) => this.#closed(connection),
      },
    }
  }

  #closed(connection: Connection): void {
    if (!this.#connections.delete(connection)) return
    const state = connection.handler instanceof Session ? 'bound' : 'negotiating'
    this.#services.metrics.streams.with({ state }).dec()
  }

  #makeComponents(metrics: Metrics): Components {
    return new Components({
      services: this.#services,
      metrics,
      federation: this.#federation,
      announce: (domains) => this.#heartbeat.tell('components', domains),
    })
  }

  #newReader({ bus, env, onBusLost }: ConnectionManagerOptions): DeliveryReader {
    const { log, sessions, connections } = this.#services
    return new DeliveryReader(bus, env, deliveryStream(this.instance), {
      frame: (frame) => takeFrame(this.#services, frame),
      ahead: (frame) => {
        if (frame.kind === 'session.end') sessions.superseded(frame)
      },
      batchDone: () => connections.flusher.flush(),
      failed: (error) => log.warn('delivery_unread', { err: error }),
      incarnationChanged: () => onBusLost?.('began anew'),
    })
  }

  #every(period: number, task: () => void): void {
    const { clock } = this.#options.env
    let cancel: Cancel
    const arm = (): void => {
      cancel = clock.after(period, () => {
        arm()
        task()
      })
    }
    arm()
    this.#resources.defer(() => cancel())
  }

  #watch(): void {
    const { metrics, health } = this.#options
    const { sessions, hosts, metrics: own } = this.#services
    metrics.onScrape(() => {
      own.retained.set(sessions.retained)
      own.boshSessions.set(this.#bosh.size)
    })
    health?.addCheck('routers', () =>
      hosts.first === undefined ? 'no router has told which hosts are served' : undefined,
    )
  }
}

function heartbeat(
  instance: string,
  { bus, env, config, onBusLost }: ConnectionManagerOptions,
  log: Logger,
): Heartbeat {
  return new Heartbeat({
    bus,
    env,
    instance: { id: instance, role: 'connection-manager', protocol, info: {} },
    ttl: config.cluster.heartbeat,
    onError: (error) => log.warn('heartbeat_missed', { err: error }),
    onLost: (why) => onBusLost?.(why),
  })
}

function federation(services: Services, options: ConnectionManagerOptions): Federation {
  const { config, env, metrics, resolver, onBusLost } = options
  return new Federation({
    services,
    metrics,
    resolver,
    dialbackSecret: secretFor('dialback', config, env),
    lost: () => onBusLost?.('began anew'),
  })
}
