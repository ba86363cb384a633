import { MemoryBroker, MemoryBus, type MemoryBusOptions } from '@tactus/bus'
import { type Config, configSchema } from '@tactus/config'
import { realEnv } from '@tactus/env'
import { createLogger, Metrics } from '@tactus/telemetry'
import { type ConnectionManager, startConnectionManager } from '../../src/connection-manager.ts'
import type { Settings } from '../../src/settings.ts'
import { bindRequest, header, password, plainAuth, RawClient } from './client.ts'
import { Owner, partitions } from './owner.ts'

/** A connection manager on a memory bus, with an owner on the other side. */
export interface Scene extends AsyncDisposable {
  readonly manager: ConnectionManager
  readonly owner: Owner
  readonly bus: MemoryBus
  readonly metrics: Metrics
  readonly logs: Record<string, unknown>[]
  readonly port: number
  readonly tlsPort: number
  /** Another connection manager on the same bus. */
  another(failpoint?: (name: string) => void): Promise<Other>
  /** A client that is logged in and bound, without TLS. */
  login(username: string, resource?: string): Promise<RawClient>
}

/** A connection manager beside that of the scene. */
export interface Other extends AsyncDisposable {
  readonly manager: ConnectionManager
  /** What it publishes from now on is lost, and it gets nothing: as when its process is killed. */
  cutOff(): Promise<void>
}

/** What a scene may have otherwise. */
export interface SceneOptions {
  readonly config?: Record<string, unknown>
  readonly settings?: Partial<Settings>
  readonly limits?: MemoryBusOptions['limits']
  readonly hosts?: Owner['hosts']
  /** Whether the owner answers questions; yes when absent. */
  readonly router?: boolean
  /** The protocol that the owner announces; ours when absent. */
  readonly protocol?: number
}

export const host = 'montague.example'

export async function scene(options: SceneOptions = {}): Promise<Scene> {
  const env = realEnv()
  const broker = new MemoryBroker()
  const bus = new MemoryBus({ env, broker, ...(options.limits && { limits: options.limits }) })
  // The owner's side is never refused anything.
  const ownerBus = new MemoryBus({ env, broker })
  const owner = new Owner(ownerBus)
  const hosts = options.hosts ?? [{ name: host, anonymous: false, registration: 'closed' }]
  owner.hosts.push(...hosts)
  if (options.router !== false) await owner.start(options.protocol)
  for (const name of ['romeo', 'benvolio']) await owner.addAccount(`${name}@${host}`, password)
  const logs: Record<string, unknown>[] = []
  const metrics = new Metrics()
  const start = (
    on: MemoryBus,
    measures: Metrics,
    failpoint = env.failpoint,
  ): Promise<ConnectionManager> =>
    startConnectionManager({
      config: sceneConfig(options.config),
      bus: on,
      env: { ...env, failpoint },
      metrics: measures,
      log: createLogger({ level: 'debug', write: (line) => logs.push(JSON.parse(line)) }),
      ...(options.settings && { settings: options.settings }),
    })
  const manager = await start(bus, metrics)
  const port = manager.ports.c2s[0]?.port ?? 0
  return {
    manager,
    owner,
    bus,
    metrics,
    logs,
    port,
    tlsPort: manager.ports.c2sTls[0]?.port ?? 0,
    async another(failpoint) {
      const own = new MemoryBus({ env, broker })
      const other = await start(own, new Metrics(), failpoint)
      return {
        manager: other,
        cutOff: () => own[Symbol.asyncDispose](),
        async [Symbol.asyncDispose]() {
          await other[Symbol.asyncDispose]()
          await own[Symbol.asyncDispose]()
        },
      }
    },
    login: (username, resource = 'garden') => login(port, username, resource),
    async [Symbol.asyncDispose]() {
      await manager[Symbol.asyncDispose]()
      await owner[Symbol.asyncDispose]()
      await bus[Symbol.asyncDispose]()
      await ownerBus[Symbol.asyncDispose]()
    },
  }
}

function sceneConfig(overrides: Record<string, unknown> = {}): Config {
  const loopback = '127.0.0.1:0'
  return configSchema.parse({
    listen: {
      c2s: loopback,
      c2sTls: loopback,
      http: loopback,
      https: loopback,
      metrics: 'off',
      s2s: 'off',
      component: 'off',
    },
    tls: { required: 'false', certificates: '/nonexistent' },
    limits: { rates: 'off' },
    cluster: { partitions },
    ...overrides,
  })
}

async function login(port: number, username: string, resource: string): Promise<RawClient> {
  const client = await RawClient.connect(port)
  client.send(header(host) + plainAuth(username, password) + header(host) + bindRequest(resource))
  await client.until('</iq>')
  return client
}
