import { joinRedisBus } from '@tactus/bus'
import { CommandClient } from '@tactus/core'
import { realEnv } from '@tactus/env'
import { commandCatalogue } from '@tactus/router'
import { ownPostgres, ownRedis, TestServer } from '@tactus/testkit'

/** What can be measured. */
export const targetNames = ['standalone', 'cluster'] as const
export type TargetName = (typeof targetNames)[number]

/** A server under load. */
export interface Target extends AsyncDisposable {
  readonly name: TargetName
  readonly server: TestServer
  /** Pids by name, Redis and Postgres among them. */
  readonly processes: Readonly<Record<string, number>>
  /** Makes the accounts `user0` … of `domain`; those that exist may be asked for again. */
  addAccounts(count: number): Promise<void>
}

export const domain = 'montague.example'
export const guestDomain = 'guests.example'
export const password = 'a password of the benchmark'

/** As many commands as the server gets at once. */
const atOnce = 16

const settings = {
  hosts: { [domain]: {}, [guestDomain]: { auth: { anonymous: true } } },
  tls: { required: false, certificates: './certs' },
  limits: { rates: 'off' },
  // A few talk for all, and to a thousand.
  modules: { muc: { occupants: 2_000, linesPerSecond: 1_000_000, linesAtOnce: 1_000_000 } },
  log: { level: 'warn' },
}

/** Starts a server in a folder of its own; disposing of it leaves nothing behind. */
export function startTarget(name: TargetName, profileFolder?: string): Promise<Target> {
  return name === 'standalone' ? startStandalone(profileFolder) : startCluster()
}

async function startStandalone(profileFolder: string | undefined): Promise<Target> {
  const options = `--cpu-prof --cpu-prof-dir=${profileFolder}`
  const env = profileFolder === undefined ? {} : { NODE_OPTIONS: options }
  const server = await TestServer.standalone(settings, env)
  const [door] = server.doors
  return {
    name: 'standalone',
    server,
    processes: { standalone: door?.process.pid ?? 0 },
    addAccounts: accountMaker((jid) => server.addUser(jid, password)),
    async [Symbol.asyncDispose]() {
      // A profile is written by a process that ends in order.
      if (profileFolder) await door?.process.stop()
      await server[Symbol.asyncDispose]()
    },
  }
}

async function startCluster(): Promise<Target> {
  await using started = new AsyncDisposableStack()
  const redis = started.use(await ownRedis())
  const postgres = started.use(await ownPostgres())
  const cluster = {
    id: 'bench',
    secret: 'a secret that only this benchmark knows',
    heartbeat: '3s',
  }
  const server = started.use(
    await TestServer.cluster({ redis, postgres }, { ...settings, cluster }),
  )
  const env = realEnv()
  const bus = started.use(await joinRedisBus({ url: redis.url, env, cluster: cluster.id }))
  const commands = started.use(
    new CommandClient({
      bus,
      env,
      instance: `bench-${process.pid}`,
      partitions: 64,
      commands: commandCatalogue(),
    }),
  )
  const resources = started.move()
  return {
    name: 'cluster',
    server,
    processes: {
      ...named(
        'cm',
        server.doors.map((door) => door.process),
      ),
      ...named('router', server.routers),
      redis: redis.pid ?? 0,
      postgres: postgres.pid ?? 0,
    },
    addAccounts: accountMaker((jid) => commands.run('user add', { jid, password })),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

const named = (
  name: string,
  processes: readonly { readonly pid: number }[],
): Readonly<Record<string, number>> =>
  Object.fromEntries(processes.map(({ pid }, index) => [`${name}-${index}`, pid]))

function accountMaker(add: (jid: string) => Promise<unknown>): (count: number) => Promise<void> {
  let made = 0
  return async (count) => {
    const worker = async (): Promise<void> => {
      while (made < count) await add(`user${made++}@${domain}`)
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
  }
}
