import type { ClusterServices } from '../services.ts'
import { TestConfiguration } from './configuration.ts'
import { type Ready, ServerProcess } from './server-process.ts'
import { XmppClient } from './xmpp-client.ts'

/** Where clients reach one connection manager. */
export interface Door {
  readonly process: ServerProcess
  readonly ready: Ready
}

/** A running Tactus, standalone or a cluster, made of real processes. */
export class TestServer implements AsyncDisposable {
  readonly configuration: TestConfiguration
  /** Processes with listeners: the standalone server, or the connection managers. */
  readonly doors: Door[] = []
  readonly routers: ServerProcess[] = []
  readonly #env: NodeJS.ProcessEnv
  #rotation = 0

  private constructor(configuration: TestConfiguration, env: NodeJS.ProcessEnv = {}) {
    this.configuration = configuration
    this.#env = env
  }

  /** `env` is what its processes get beside the environment of the tests. */
  static async standalone(
    settings: Readonly<Record<string, unknown>> = {},
    env: NodeJS.ProcessEnv = {},
  ): Promise<TestServer> {
    const server = new TestServer(new TestConfiguration(settings), env)
    await server.#started(() => server.startStandalone())
    return server
  }

  static async cluster(
    { redis, postgres }: ClusterServices,
    settings: Readonly<Record<string, unknown>> & {
      readonly cms?: number
      readonly routers?: number
    } = {},
  ): Promise<TestServer> {
    const { cms = 2, routers = 2, ...rest } = settings
    const configuration = new TestConfiguration({
      bus: { url: redis.url },
      storage: { url: postgres.url },
      cluster: {
        id: `test-${process.pid}`,
        secret: 'a secret that only this test knows',
        heartbeat: '3s',
      },
      ...rest,
    })
    const server = new TestServer(configuration)
    await server.#started(async () => {
      await server.migrate()
      await Promise.all([
        ...Array.from({ length: routers }, () => server.startRouter()),
        ...Array.from({ length: cms }, () => server.startConnectionManager()),
      ])
    })
    return server
  }

  async startStandalone(env: NodeJS.ProcessEnv = {}): Promise<ServerProcess> {
    const process = this.#spawn('standalone', 'services/standalone/src/main.ts', env)
    this.doors.push({ process, ready: await process.ready })
    return process
  }

  async startRouter(env: NodeJS.ProcessEnv = {}): Promise<ServerProcess> {
    const process = this.#spawn('router', 'services/router/src/main.ts', env)
    this.routers.push(process)
    await process.ready
    return process
  }

  async startConnectionManager(env: NodeJS.ProcessEnv = {}): Promise<ServerProcess> {
    const process = this.#spawn(
      'connection-manager',
      'services/connection-manager/src/main.ts',
      env,
    )
    this.doors.push({ process, ready: await process.ready })
    return process
  }

  async migrate(): Promise<void> {
    const migration = new ServerProcess('migrate', 'services/ctl/src/main.ts', [
      '--config',
      this.configuration.file,
      'migrate',
    ])
    const code = await migration.exited
    if (code !== 0) throw new Error(`migrations failed (${code}):\n${migration.output}`)
  }

  command(name: string, given: unknown): Promise<unknown> {
    return this.configuration.command(name, given)
  }

  async addUser(jid: string, password: string): Promise<void> {
    await this.command('user add', { jid, password })
  }

  /** Logs in at the given door, or at each in turn. */
  login(jid: string, password: string | undefined, door?: number): Promise<XmppClient> {
    return XmppClient.login({ host: '127.0.0.1', port: this.port('c2s', door), jid, password })
  }

  port(listener: string, door: number = this.#rotation++): number {
    const port = this.doors[door % this.doors.length]?.ready.ports[listener]?.[0]
    if (port === undefined) throw new Error(`nothing listens for ${listener}`)
    return port
  }

  /** Forgets processes that ended. */
  forget(ended: ServerProcess): void {
    const router = this.routers.indexOf(ended)
    if (router >= 0) this.routers.splice(router, 1)
    const door = this.doors.findIndex(({ process }) => process === ended)
    if (door >= 0) this.doors.splice(door, 1)
  }

  /** What all processes printed, for the message of a failed test. */
  get output(): string {
    return [...this.doors.map(({ process }) => process), ...this.routers]
      .map(({ name, pid, output }) => `--- ${name} (${pid})\n${output}`)
      .join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      ...this.doors.map(({ process }) => process.kill()),
      ...this.routers.map((router) => router.kill()),
    ])
    this.configuration[Symbol.dispose]()
  }

  async #started(start: () => Promise<unknown>): Promise<void> {
    try {
      await start()
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw error
    }
  }

  #spawn(name: string, script: string, env: NodeJS.ProcessEnv): ServerProcess {
    return new ServerProcess(name, script, ['--config', this.configuration.file], {
      ...this.#env,
      ...env,
    })
  }
}
