import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findInPath } from './find-in-path.ts'
import { exchange, ServiceProcess, type User } from './service-process.ts'

/** How Postgres is asked to end: waiting for its clients, dropping them, or without a checkpoint. */
export type StopMode = 'smart' | 'fast' | 'immediate'

/** A Postgres for tests. */
export interface PostgresService extends AsyncDisposable {
  readonly url: string
  /** Undefined while it does not run, and for one that is not ours. */
  readonly pid: number | undefined
  /** Sends a signal to the server and all its processes; waits for the death of `SIGKILL`. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Lets it end, by default without waiting for its clients. */
  stop(mode?: StopMode): Promise<void>
  /** Starts it again at the same port with the same data; stops it first if it runs. */
  restart(): Promise<void>
}

const stopSignals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const

/**
 * Losing power is not among the tests: a killed server needs no fsync, the system keeps what it
 * wrote.
 */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  max_connections: '100',
}

const loginName = 'postgres'

/** The folder of the newest `initdb` and `postgres` of this machine, or undefined. */
export function findPostgres(): string | undefined {
  const onPath = findInPath('initdb')
  if (onPath && findInPath('postgres')) return dirname(onPath)
  return globSync('/usr/lib/postgresql/*/bin')
    .toSorted((left, right) => versionIn(right) - versionIn(left))
    .find((folder) => existsSync(join(folder, 'initdb')))
}

const versionIn = (path: string): number => Number(/\/(\d+)\//.exec(path)?.[1] ?? 0)

/** Postgres refuses to run as root: then it runs as the user it was installed for, or as nobody. */
function unprivileged(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user =
    users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (!user)
    throw new Error('root cannot run Postgres, and there is no user "postgres" or "nobody"')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

/** The first message of a connection (protocol 3.0), which a server that is ready answers with R. */
function startupMessage(): Buffer {
  const fields = Buffer.from(`user\0${loginName}\0database\0postgres\0\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(head.length + fields.length, 0)
  head.writeInt32BE(3 << 16, 4)
  return Buffer.concat([head, fields])
}

/** Starts a Postgres of one's own on a free port; loopback clients are trusted. */
export async function startPostgres(bin: string): Promise<PostgresService> {
  const user = unprivileged()
  const service = new ServiceProcess('postgres', {
    command: join(bin, 'postgres'),
    args: (port, folder) => [
      ...['-D', join(folder, 'data'), '-p', String(port)],
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    isReady: async (port) => (await exchange(port, startupMessage()))?.[0] === 'R'.charCodeAt(0),
    user,
  })
  const initdb = ['-D', join(service.folder, 'data'), '-U', loginName, '-A', 'trust', '-E', 'UTF8']
  execFileSync(join(bin, 'initdb'), [...initdb, '--locale=C.UTF-8', '-N', '--wal-segsize=1'], {
    cwd: service.folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...user,
  })
  await service.start()
  return {
    url: `postgres://${loginName}@127.0.0.1:${service.port}/postgres`,
    get pid() {
      return service.pid
    },
    kill: (signal) => service.kill(signal),
    stop: (mode = 'fast') => service.stop(stopSignals[mode]),
    async restart() {
      await service.stop(stopSignals.fast)
      await service.start()
    },
    [Symbol.asyncDispose]: () => service.remove('SIGQUIT'),
  }
}
