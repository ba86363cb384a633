import { randomBytes } from 'node:crypto'
import { joinRedisBus } from '@tactus/bus'
import { loadConfig } from '@tactus/config'
import { CommandClient } from '@tactus/core'
import { realEnv } from '@tactus/env'
import { commandCatalogue, openStorage } from '@tactus/router'
import { deriveKeys, type HashName } from '@tactus/sasl'
import type { Storage } from '@tactus/storage'
import { type ClusterServices, ownPostgres, ownRedis, TestServer } from '@tactus/testkit'

const password = 'a glooming peace'

/** How large a cluster is. */
export interface WorldOptions {
  readonly cms?: number
  readonly routers?: number
  /** What the configuration says beside. */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** A cluster on a Redis and a Postgres of its own, all of which may be killed. */
export class World implements AsyncDisposable {
  readonly server: TestServer
  readonly redis: ClusterServices['redis']
  readonly postgres: ClusterServices['postgres']
  readonly password = password
  readonly #resources: AsyncDisposableStack
  #storage: Storage | undefined

  private constructor(
    resources: AsyncDisposableStack,
    parts: ClusterServices & { server: TestServer },
  ) {
    this.#resources = resources
    this.server = parts.server
    this.redis = parts.redis
    this.postgres = parts.postgres
  }

  static async start({ cms = 2, routers = 2, settings }: WorldOptions = {}): Promise<World> {
    await using resources = new AsyncDisposableStack()
    // The services do not keep this process alive, and it must see their end.
    const alive = setInterval(() => {}, 1_000)
    resources.defer(() => clearInterval(alive))
    const [redis, postgres] = await Promise.all([ownRedis(), ownPostgres()])
    resources.use(redis)
    resources.use(postgres)
    const server = resources.use(
      await TestServer.cluster({ redis, postgres }, { cms, routers, ...settings }),
    )
    return new World(resources.move(), { server, redis, postgres })
  }

  /** Ports of the connection managers that run. */
  get ports(): readonly number[] {
    return this.server.doors.flatMap(({ ready }) => ready.ports.c2s ?? [])
  }

  /** Makes accounts with one password, whose keys are derived once and cheaply. */
  async addUsers(jids: readonly string[]): Promise<void> {
    const { config } = loadConfig({ file: this.server.configuration.file, environment: {} })
    const env = realEnv()
    const hash: HashName = 'sha-256'
    const iterations = 4_096
    const salt = randomBytes(16)
    const { storedKey, serverKey } = await deriveKeys(password, hash, salt, iterations)
    const encode = (octets: Uint8Array): string => Buffer.from(octets).toString('base64')
    const keys = {
      [hash]: {
        salt: encode(salt),
        iterations,
        storedKey: encode(storedKey),
        serverKey: encode(serverKey),
      },
    }
    await using bus = await joinRedisBus({ url: config.bus.url, env, cluster: config.cluster.id })
    await using commands = new CommandClient({
      bus,
      env,
      instance: `control-${randomBytes(9).toString('base64url')}`,
      partitions: config.cluster.partitions,
      commands: commandCatalogue(),
    })
    await Promise.all(jids.map((jid) => commands.submit('user add', { jid, keys })))
  }

  /** Who owns how many partitions, as Postgres has it, and which routers are fenced. */
  async owners(): Promise<{ owned: Map<string | undefined, number>; fenced: ReadonlySet<string> }> {
    const ownership = await this.#ownership()
    const owned = new Map<string | undefined, number>()
    for (const { router } of await ownership.partitions())
      owned.set(router, (owned.get(router) ?? 0) + 1)
    const routers = await ownership.routers()
    return { owned, fenced: new Set(routers.filter(({ fenced }) => fenced).map(({ id }) => id)) }
  }

  /** The router that owns a partition. */
  async ownerOf(partition: number): Promise<string | undefined> {
    const partitions = await (await this.#ownership()).partitions()
    return partitions.find((each) => each.partition === partition)?.router
  }

  /** Routers that are not fenced. */
  async routers(): Promise<readonly string[]> {
    const routers = await (await this.#ownership()).routers()
    return routers.filter(({ fenced }) => !fenced).map(({ id }) => id)
  }

  async #ownership(): Promise<Storage['ownership']> {
    const { config } = loadConfig({ file: this.server.configuration.file, environment: {} })
    this.#storage ??= this.#resources.use(await openStorage(config, realEnv()))
    return this.#storage.ownership
  }

  /** Takes everything away that Redis holds. */
  async flushRedis(): Promise<void> {
    await this.redis.flush()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync()
  }
}
