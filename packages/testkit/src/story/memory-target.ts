import { randomBytes } from 'node:crypto'
import {
  type Bus,
  MemoryBroker,
  MemoryBus,
  type OutputFrame,
  type Position,
  protocol,
} from '@tactus/bus'
import { deliveryStream, jobsKey, liveKey, partitionStream, timersKey } from '@tactus/cluster'
import { type Config, loadConfig } from '@tactus/config'
import { CommandClient } from '@tactus/core'
import { type Env, sleep } from '@tactus/env'
import { type RunningRouter, startRouter } from '@tactus/router'
import { credentials, openMemorySqlite, type Storage } from '@tactus/storage'
import { createLogger, Metrics } from '@tactus/telemetry'
import { storyHosts } from '../servers/configuration.ts'
import { MemoryConnection } from './memory-connection.ts'
import type { StoryOptions } from './story.ts'
import type { Connection, StoryTarget } from './target.ts'
import { TestClock } from './test-clock.ts'

const instance = 'cm-story'
/** Milliseconds that the engine's steady clock may be before the wall clock: a timer of `now` is due in a moment. */
const clockDrift = 50

/** Any keys: a story's clients do not authenticate, so nothing needs to be derived. */
const octets = Buffer.alloc(32, 7).toString('base64')
const keys = {
  'sha-256': { salt: octets, iterations: 10_000, storedKey: octets, serverKey: octets },
}

/**
 * Stories against the real engine, core and modules, on a bus in memory and SQLite; the connection manager is replaced
 * by what stands for it in frames.
 */
export class MemoryTarget implements StoryTarget {
  readonly #clock = new TestClock()
  readonly #env: Env
  readonly #config: Config
  #broker = new MemoryBroker()
  #resources = new AsyncDisposableStack()
  readonly #connections = new Map<string, MemoryConnection>()
  #stop = new AbortController()
  #bus!: Bus
  #commands!: CommandClient
  #storage!: Storage
  #problems: string[] = []

  private constructor(options: StoryOptions) {
    this.#env = { clock: this.#clock, random: (length) => randomBytes(length), failpoint: () => {} }
    const text = JSON.stringify({
      hosts: storyHosts,
      modules: options.modules ?? {},
      ...options.config,
    })
    this.#config = loadConfig({ text, environment: {} }).config
  }

  static async open(options: StoryOptions): Promise<MemoryTarget> {
    const target = new MemoryTarget(options)
    target.#storage = openMemorySqlite(target.#env)
    await target.#start()
    return target
  }

  async connect(jid: string): Promise<Connection> {
    const [account = '', resource] = jid.split('/')
    if (!(await credentials(this.#storage.reader, account)))
      await this.#withProblems(this.#commands.submit('user add', { jid: account, keys }))
    const version = (await credentials(this.#storage.reader, account))?.version ?? 0
    const id = randomBytes(16).toString('base64url')
    const connection = new MemoryConnection(this.#bus, id, account, this.#config.cluster.partitions)
    this.#connections.set(id, connection)
    await connection.open(instance, resource, version)
    return connection
  }

  /** What the server logged tells why something did not come. */
  async #withProblems<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (this.#problems.length === 0) throw error
      throw new Error(`the server logged errors:\n${this.#problems.join('')}`, { cause: error })
    }
  }

  command(name: string, given: unknown): Promise<unknown> {
    return this.#commands.run(name, given)
  }

  /** An input leaves its stream in the commit that puts what came of it somewhere: empty streams mean silence. */
  async settle(): Promise<void> {
    const streams = Array.from({ length: this.#config.cluster.partitions }, (_, partition) =>
      partitionStream(partition),
    )
    const timers = Array.from({ length: this.#config.cluster.partitions }, (_, partition) =>
      timersKey(partition),
    )
    const jobs = Array.from({ length: this.#config.cluster.partitions }, (_, partition) =>
      jobsKey(partition),
    )
    streams.push(deliveryStream(instance))
    for (let looks = 0; ; looks += 1) {
      // What was published in this turn of the event loop is in its stream in the next one.
      await new Promise((resolve) => setImmediate(resolve))
      // Both at the same moment: one after the other would miss what goes from a timer to a stream in between.
      const [extents, due, noted] = await Promise.all([
        this.#bus.extent(streams),
        this.#bus.due(timers, this.#clock.now() + clockDrift, 1),
        this.#bus.hashes(jobs),
      ])
      const isQuiet = [...extents.values(), ...due.values()].every(({ length }) => length === 0)
      if (isQuiet && [...noted.values()].every(({ size }) => size === 0)) break
      if (looks > 50) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    if (this.#problems.length > 0)
      throw new Error(`the server logged errors:\n${this.#problems.join('')}`)
  }

  async pass(milliseconds: number): Promise<void> {
    this.#clock.advance(milliseconds)
    await this.#beat()
  }

  async live(entity: string): Promise<readonly string[]> {
    const key = liveKey(entity)
    return [...((await this.#bus.hashes([key])).get(key)?.keys() ?? [])]
  }

  async loseBus(): Promise<void> {
    await this.#end()
    this.#connections.clear()
    this.#broker = new MemoryBroker()
    this.#resources = new AsyncDisposableStack()
    this.#stop = new AbortController()
    await this.#start()
  }

  async close(): Promise<void> {
    await this.#end()
    await this.#storage[Symbol.asyncDispose]()
  }

  async #end(): Promise<void> {
    this.#stop.abort()
    await this.#resources.disposeAsync()
  }

  async #start(): Promise<void> {
    const log = createLogger({
      level: 'error',
      format: 'json',
      write: (line) => void this.#problems.push(line),
    })
    const router: RunningRouter = this.#resources.use(
      await startRouter({
        config: this.#config,
        env: this.#env,
        log,
        metrics: new Metrics(),
        version: 'story',
        storage: this.#storage,
        openBus: (incarnation) =>
          Promise.resolve(
            new MemoryBus({ env: this.#env, broker: this.#broker, incarnation, create: true }),
          ),
        alone: true,
      }),
    )
    this.#bus = this.#resources.use(new MemoryBus({ env: this.#env, broker: this.#broker }))
    await this.#beat()
    await router.serving
    const { partitions } = this.#config.cluster
    const commands = new CommandClient({
      bus: this.#bus,
      env: this.#env,
      instance: 'control-story',
      partitions,
      commands: router.commands,
    })
    this.#commands = this.#resources.use(commands)
    const loops = [this.#readDeliveries(), this.#keepBeating()]
    this.#resources.defer(async () => {
      await Promise.all(loops)
    })
  }

  #beat(): Promise<void> {
    return this.#bus.beat({ id: instance, role: 'connection-manager', protocol, info: {} }, 60_000)
  }

  async #keepBeating(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#beat()
      await sleep(this.#clock, 1_000, this.#stop.signal)
    }
  }

  async #readDeliveries(): Promise<void> {
    const stream = deliveryStream(instance)
    let position: Position = '0'
    while (!this.#stop.signal.aborted) {
      const entries = await this.#bus.read(new Map([[stream, position]]), {
        count: 64,
        wait: 60_000,
        signal: this.#stop.signal,
      })
      for (const entry of entries) {
        for (const frame of entry.frames) this.#take(frame as OutputFrame)
        position = entry.position
      }
      for (const connection of this.#connections.values()) connection.acknowledge()
      if (entries.length > 0) await this.#bus.remove(stream, position)
    }
  }

  #take(frame: OutputFrame): void {
    if (frame.kind === 'deliver')
      for (const target of frame.targets)
        this.#connections.get(target.session)?.deliver(frame.stanza, target)
    else if ('session' in frame) this.#connections.get(frame.session)?.take(frame)
  }
}
