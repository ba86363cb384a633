import { type Cancel, type Env, sleep } from '@tactus/env'
import { type ChainableCommander, Redis, type RedisOptions, ReplyError } from 'ioredis'
import { BusFull, BusUnavailable, IncarnationChanged } from '../bus.ts'
import { type Script, scripts } from './scripts.ts'

/** What a link needs to know of its Redis. */
export interface LinkOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string
  /** What a URL cannot say: Sentinels, certificates. */
  readonly redis?: RedisOptions
  readonly env: Env
  /** Milliseconds in which every call settles. */
  readonly commandTimeout: number
  /** Told of every connection that could not be made or was lost. */
  readonly onDisconnect?: (reason: Error) => void
}

/** A call that waits for the connection. */
interface Waiting {
  begin(redis: Redis): void
  /** The link is closed before there was one. */
  end(): void
}

/** Milliseconds before another attempt to connect: the first, and the most. */
const backoff = { first: 50, most: 1_000 }

/**
 * One connection to Redis that is made again when it is lost, and on which every call settles in time.
 *
 * The client library is used without its own retries: it resends what it does not know the outcome of, which doubles
 * an append, or waits for ever. Here a lost connection fails all its calls at once, an answer that does not come in
 * time takes the connection with it (what would follow on it is late as well), and each attempt is a new client.
 */
export class RedisLink implements AsyncDisposable {
  readonly #options: LinkOptions
  readonly #closed = new AbortController()
  readonly #waiting = new Set<Waiting>()
  readonly #loop: Promise<void>
  #redis: Redis | undefined
  /** Why there is no connection. */
  #fault: Error | undefined
  /** Redis' number of this connection, for CLIENT UNBLOCK; 0 when there is none. */
  clientId = 0

  constructor(options: LinkOptions) {
    this.#options = options
    this.#loop = this.#keepConnected()
  }

  /**
   * Runs commands on the connection, waiting for it where it is being made.
   *
   * @throws {BusUnavailable} after `timeout` ms, or when the connection is lost: the outcome is unknown
   */
  run<T>(
    work: (redis: Redis) => Promise<T>,
    timeout: number = this.#options.commandTimeout,
  ): Promise<T> {
    if (this.#closed.signal.aborted) return Promise.reject(new BusUnavailable('the bus was closed'))
    return new Promise((resolve, reject) => {
      let used: Redis | undefined
      const waiting: Waiting = {
        begin: (redis) => {
          used = redis
          work(redis)
            .then(resolve, (error) => reject(asBusError(error)))
            .finally(cancel)
        },
        end: () => {
          cancel()
          reject(new BusUnavailable('the bus was closed'))
        },
      }
      const cancel: Cancel = this.#options.env.clock.after(timeout, () => {
        this.#waiting.delete(waiting)
        reject(this.#late(timeout))
        if (used) this.#drop(used)
      })
      if (this.#redis) waiting.begin(this.#redis)
      else this.#waiting.add(waiting)
    })
  }

  /** Sends several commands at once; the first that fails is the failure of all. */
  pipeline(
    add: (pipeline: ChainableCommander) => unknown,
    timeout?: number,
  ): Promise<readonly unknown[]> {
    return this.run(async (redis) => {
      const pipeline = redis.pipeline()
      add(pipeline)
      const results = (await pipeline.exec()) ?? []
      return results.map(([error, reply]) => {
        if (error) throw error
        return reply
      })
    }, timeout)
  }

  /** Runs a script by its name; Redis is told the text where it has forgotten it. */
  async script(
    script: Script,
    keys: readonly string[],
    args: readonly (string | Buffer | number)[],
  ): Promise<unknown> {
    const call = (redis: Redis): Promise<unknown> =>
      redis.callBuffer('EVALSHA', script.sha, keys.length, ...keys, ...args)
    return this.run(async (redis) => {
      try {
        return await call(redis)
      } catch (error) {
        if (!isReply(error, 'NOSCRIPT')) throw error
        await redis.call('SCRIPT', 'LOAD', script.lua)
        return call(redis)
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort()
    if (this.#redis) this.#drop(this.#redis)
    for (const { end } of this.#waiting) end()
    this.#waiting.clear()
    await this.#loop
  }

  async #keepConnected(): Promise<void> {
    const { env, onDisconnect } = this.#options
    const { signal } = this.#closed
    let attempts = 0
    while (!signal.aborted) {
      const redis = this.#client()
      const ended = new Promise<void>((resolve) => redis.once('end', () => resolve()))
      let fault: Error | undefined
      redis.on('error', (error: Error) => {
        fault = error
      })
      try {
        await this.#connect(redis)
        attempts = 0
        this.#fault = undefined
        this.#begin(redis)
        await ended
      } catch (error) {
        // The event says why (refused, wrong password), the rejection often only that it is over.
        if (error instanceof Error) fault ??= error
      }
      this.#drop(redis)
      if (signal.aborted) return
      this.#fault = fault ?? new BusUnavailable('the connection to Redis was lost')
      onDisconnect?.(this.#fault)
      await sleep(env.clock, this.#delay(attempts), signal)
      attempts += 1
    }
  }

  #client(): Redis {
    const { url, redis, commandTimeout } = this.#options
    const own: RedisOptions = {
      connectTimeout: commandTimeout,
      ...redis,
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      disableClientInfo: true,
      retryStrategy: () => null,
    }
    return new Redis(url, { ...own, protocol: 2, replyMapping: 'legacy' })
  }

  async #connect(redis: Redis): Promise<void> {
    const { env, commandTimeout } = this.#options
    const cancel = env.clock.after(commandTimeout, () => redis.disconnect())
    const stop = (): void => redis.disconnect()
    this.#closed.signal.addEventListener('abort', stop)
    try {
      await redis.connect()
      this.clientId = Number(await redis.call('CLIENT', 'ID'))
      const texts = Object.values(scripts).map(({ lua }) => lua)
      await Promise.all(texts.map((lua) => redis.call('SCRIPT', 'LOAD', lua)))
    } finally {
      cancel()
      this.#closed.signal.removeEventListener('abort', stop)
    }
  }

  #late(timeout: number): BusUnavailable {
    const cause = this.#fault
    return cause
      ? new BusUnavailable(`Redis cannot be reached: ${cause.message}`, { cause })
      : new BusUnavailable(`Redis did not answer within ${timeout} ms`)
  }

  #begin(redis: Redis): void {
    if (redis.status !== 'ready') return
    this.#redis = redis
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { begin } of waiting) begin(redis)
  }

  #drop(redis: Redis): void {
    // Every late answer asks for it.
    if (this.#redis !== redis) return
    this.#redis = undefined
    redis.disconnect()
  }

  /** Doubles, with jitter so that a whole cluster does not come back in one moment. */
  #delay(attempts: number): number {
    const longest = Math.min(backoff.most, backoff.first * 2 ** Math.min(attempts, 16))
    const [byte = 0] = this.#options.env.random(1)
    return longest / 2 + (longest / 2) * (byte / 255)
  }
}

/** Whether Redis itself answered with this error code. */
export function isReply(error: unknown, code: string): boolean {
  return error instanceof Error && error instanceof ReplyError && error.message.startsWith(code)
}

/** Answers of a Redis that cannot serve now, but may later. */
const notNow = [
  'LOADING',
  'BUSY',
  'MASTERDOWN',
  'READONLY',
  'MISCONF',
  'NOREPLICAS',
  'UNBLOCKED',
  'CLUSTERDOWN',
]

/** What a caller sees of a failed command: whatever may have been carried out is `BusUnavailable`. */
function asBusError(error: unknown): unknown {
  if (isBusError(error)) return error
  if (!(error instanceof Error && error instanceof ReplyError))
    return new BusUnavailable('the connection to Redis was lost', { cause: error })
  if (notNow.some((code) => isReply(error, code)))
    return new BusUnavailable(`Redis refused: ${error.message}`, { cause: error })
  return error
}

function isBusError(error: unknown): boolean {
  return [BusFull, BusUnavailable, IncarnationChanged].some((kind) => error instanceof kind)
}
