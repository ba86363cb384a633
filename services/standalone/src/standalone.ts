import type { AddressInfo } from 'node:net'
import { MemoryBroker, MemoryBus } from '@tactus/bus'
import type { Config } from '@tactus/config'
import { type ConnectionManager, startConnectionManager } from '@tactus/connection-manager'
import { CommandClient } from '@tactus/core'
import type { Env } from '@tactus/env'
import {
  dataFolder,
  makeFolder,
  openStorage,
  type RunningRouter,
  startRouter,
} from '@tactus/router'
import { Health, type Logger, Metrics, serveOperations } from '@tactus/telemetry'
import { serveControlSocket } from './control-socket.ts'

/** What the standalone server is started with. */
export interface StandaloneOptions {
  readonly config: Config
  readonly env: Env
  readonly log: Logger
  readonly version: string
}

/** A running standalone server: connection manager and router in one process, on a bus in memory. */
export interface Standalone extends AsyncDisposable {
  /** Ports that are bound, by listener. */
  readonly ports: Readonly<Record<string, readonly number[]>>
  /** Runs admin commands. */
  readonly commands: CommandClient
  drain(deadline: AbortSignal): Promise<void>
}

/** Starts the server without any listener: storage, router and commands, as `tactusctl` needs them. */
export async function startOffline(
  options: StandaloneOptions & { readonly health?: Health },
): Promise<Offline> {
  await using started = new AsyncDisposableStack()
  const { config, env } = options
  const storage = started.use(await openStorage(config, env))
  const broker = new MemoryBroker()
  const openBus = (incarnation: number): Promise<MemoryBus> =>
    Promise.resolve(new MemoryBus({ env, broker, incarnation, create: true }))
  const metrics = new Metrics({ runtime: true })
  const router = started.use(
    await startRouter({ ...options, storage, openBus, metrics, alone: true }),
  )
  await router.serving
  const bus = started.use(new MemoryBus({ env, broker }))
  const commands = started.use(
    new CommandClient({
      bus,
      env,
      instance: `control-${Buffer.from(env.random(9)).toString('base64url')}`,
      partitions: config.cluster.partitions,
      commands: router.commands,
    }),
  )
  const resources = started.move()
  return { router, bus, commands, metrics, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** A server that nobody can connect to. */
export interface Offline extends AsyncDisposable {
  readonly router: RunningRouter
  readonly bus: MemoryBus
  readonly commands: CommandClient
  readonly metrics: Metrics
}

/** Starts the whole server; it serves when this resolves. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  await using started = new AsyncDisposableStack()
  const { config, env, log } = options
  const health = new Health()
  const { bus, commands, metrics, router } = started.use(await startOffline({ ...options, health }))
  const folder = dataFolder(config)
  makeFolder(folder)
  const operations = started.use(await serveOperations(config.listen.metrics, { health, metrics }))
  const manager = started.use(
    await startConnectionManager({ config, bus, env, log, metrics, health, dataFolder: folder }),
  )
  started.use(await serveControlSocket(folder, commands))
  health.started()
  const resources = started.move()
  return {
    ports: portsOf(manager, operations.addresses),
    commands,
    drain: async (deadline) => {
      await manager.drain({ deadline })
      await router.drain()
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function portsOf(
  { ports }: ConnectionManager,
  metrics: readonly AddressInfo[],
): Standalone['ports'] {
  const of = (list: readonly AddressInfo[]): number[] => list.map(({ port }) => port)
  return {
    c2s: of(ports.c2s),
    c2sTls: of(ports.c2sTls),
    s2s: of(ports.s2s),
    s2sTls: of(ports.s2sTls),
    component: of(ports.component),
    http: of(ports.http),
    https: of(ports.https),
    metrics: of(metrics),
  }
}
