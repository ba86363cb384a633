import { exchange, ServiceProcess } from './service-process.ts'

/** A Redis for tests. */
export interface RedisService extends AsyncDisposable {
  readonly url: string
  /** Undefined while it does not run, and for one that is not ours. */
  readonly pid: number | undefined
  /** Sends a signal; waits for the death that `SIGKILL` brings. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Lets it end in good order. */
  stop(): Promise<void>
  /** Starts it again at the same port with the same data; stops it first if it runs. */
  restart(): Promise<void>
  /** Takes everything away that it holds. */
  flush(): Promise<void>
  /** Entries that were appended to streams since it started. */
  appended(): Promise<number>
}

const configuration = [
  ...['--bind', '127.0.0.1', '--appendonly', 'yes', '--appendfsync', 'everysec'],
  ...['--maxmemory-policy', 'noeviction', '--save', '', '--daemonize', 'no'],
]

/** Starts a Redis of one's own, configured as the bus asks for, on a free port. */
export async function startRedis(command: string): Promise<RedisService> {
  const service = new ServiceProcess('redis', {
    command,
    args: (port, folder) => ['--port', String(port), '--dir', folder, ...configuration],
    isReady: async (port) => {
      const answer = await exchange(port, Buffer.from('PING\r\n'))
      return answer?.toString('latin1').startsWith('+PONG') ?? false
    },
  })
  await service.start()
  return {
    url: `redis://127.0.0.1:${service.port}`,
    get pid() {
      return service.pid
    },
    kill: (signal) => service.kill(signal),
    stop: () => service.stop('SIGTERM'),
    async restart() {
      await service.stop('SIGTERM')
      await service.start()
    },
    async flush() {
      await exchange(service.port, Buffer.from('FLUSHALL\r\n'))
    },
    async appended() {
      const statistics = await exchange(service.port, Buffer.from('INFO commandstats\r\n'))
      return Number(/^cmdstat_xadd:calls=(\d+)/m.exec(statistics?.toString() ?? '')?.[1] ?? 0)
    },
    [Symbol.asyncDispose]: () => service.remove('SIGKILL'),
  }
}
