import type { Env } from '@tactus/env'
import { sleep } from '@tactus/env'
import { BusUnavailable, type Request, RequestFailed } from '../bus.ts'
import { packPlain, unpackPlain } from '../proto/codec.ts'
import { flag, plain, text, tuple } from '../proto/shape.ts'
import type { Keys } from './keys.ts'
import type { RedisLink } from './link.ts'

type Handler = (request: Request) => Promise<unknown>

interface RequestsOptions {
  readonly env: Env
  readonly keys: Keys
  /** For commands that do not block. */
  readonly link: RedisLink
  readonly connect: () => RedisLink
  readonly commandTimeout: number
}

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** Requests an instance may leave untaken before the oldest are dropped. */
const untakenMost = 1_000
/** Milliseconds that an untaken request or answer is kept: far beyond any timeout. */
const kept = 60_000
/** Milliseconds of one blocking wait. */
const turn = 2_000
/** Such waits without a question pending before the connection for answers is given up. */
const quietTurns = 15
/** Handlers at work at once; more requests wait in Redis, where they are bounded. */
const atWorkMost = 64

const question = tuple<readonly [string, string, string, unknown]>(text, text, text, plain)
const answer = tuple<readonly [string, boolean, unknown]>(text, flag, plain)

/** Questions and answers over short lists in Redis; what is lost with a process ends in a timeout. */
export class Requests implements AsyncDisposable {
  readonly #options: RequestsOptions
  readonly #caller: string
  readonly #waiting = new Map<string, Waiting>()
  readonly #closed = new AbortController()
  readonly #loops = new Set<Promise<void>>()
  #asked = 0
  #listening = false

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#caller = Buffer.from(options.env.random(16)).toString('hex')
  }

  async request(instance: string, { method, input }: Request, timeout: number): Promise<unknown> {
    const { env } = this.#options
    this.#asked += 1
    const id = String(this.#asked)
    const late = Promise.withResolvers<unknown>()
    // The time may be over before the question is even in Redis: that must not be a rejection that nobody looks at.
    late.promise.catch(() => {})
    const cancel = env.clock.after(timeout, () =>
      late.reject(new BusUnavailable(`${instance} did not answer ${method} within ${timeout} ms`)),
    )
    this.#waiting.set(id, late)
    this.#listen()
    try {
      const list = this.#options.keys.requests(instance)
      const asked = this.#push(list, packPlain([id, this.#caller, method, input]))
      return await Promise.race([asked.then(() => late.promise), late.promise])
    } finally {
      cancel()
      this.#waiting.delete(id)
    }
  }

  serve(
    instance: string,
    handler: Handler,
    { atWork: most = atWorkMost }: { readonly atWork?: number } = {},
  ): AsyncDisposable {
    const stop = new AbortController()
    const list = this.#options.keys.requests(instance)
    const atWork = new Set<Promise<void>>()
    const serving = this.#take(
      list,
      AbortSignal.any([stop.signal, this.#closed.signal]),
      (bytes) => {
        const work = this.#answer(handler, bytes).finally(() => atWork.delete(work))
        atWork.add(work)
        return atWork.size < most ? undefined : Promise.race(atWork)
      },
    )
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort()
        await serving
        await Promise.all(atWork)
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort()
    for (const { reject } of this.#waiting.values())
      reject(new BusUnavailable('the bus was closed'))
    await Promise.all(this.#loops)
  }

  /** Takes answers as long as somebody waits for one. */
  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    const idle = new AbortController()
    let quiet = 0
    const signal = AbortSignal.any([idle.signal, this.#closed.signal])
    const list = this.#options.keys.answers(this.#caller)
    void this.#take(
      list,
      signal,
      (bytes) => this.#settle(bytes),
      () => {
        quiet = this.#waiting.size === 0 ? quiet + 1 : 0
        if (quiet >= quietTurns) idle.abort()
      },
    ).finally(() => {
      this.#listening = false
      if (this.#waiting.size > 0 && !this.#closed.signal.aborted) this.#listen()
    })
  }

  #settle(bytes: Buffer): void {
    const [id, ok, value] = answer.unpack(unpackPlain(bytes))
    const waiting = this.#waiting.get(id)
    if (ok) waiting?.resolve(value)
    else waiting?.reject(new RequestFailed(String(value)))
  }

  async #answer(handler: Handler, bytes: Buffer): Promise<void> {
    const [id, caller, method, input] = question.unpack(unpackPlain(bytes))
    let reply: Buffer
    try {
      reply = packPlain([id, true, await handler({ method, input })])
    } catch (error) {
      reply = packPlain([id, false, error instanceof Error ? error.message : String(error)])
    }
    // An answer that cannot be sent is a timeout for the caller.
    await this.#push(this.#options.keys.answers(caller), reply).catch(() => {})
  }

  async #push(list: string, message: Buffer): Promise<void> {
    await this.#options.link.pipeline((pipeline) => {
      pipeline.rpush(list, message)
      pipeline.ltrim(list, -untakenMost, -1)
      pipeline.pexpire(list, kept)
    })
  }

  #take(
    list: string,
    signal: AbortSignal,
    each: (message: Buffer) => Promise<void> | undefined | void,
    turned?: () => void,
  ): Promise<void> {
    const loop = this.#takeAll(list, signal, each, turned).finally(() => this.#loops.delete(loop))
    this.#loops.add(loop)
    return loop
  }

  async #takeAll(
    list: string,
    signal: AbortSignal,
    each: (message: Buffer) => Promise<void> | undefined | void,
    turned: (() => void) | undefined,
  ): Promise<void> {
    const { env, commandTimeout } = this.#options
    await using link = this.#options.connect()
    const stop = (): void => {
      link[Symbol.asyncDispose]().catch(() => {})
    }
    signal.addEventListener('abort', stop)
    while (!signal.aborted) {
      try {
        const taken = await link.run(
          (redis) => redis.callBuffer('BLMPOP', turn / 1000, 1, list, 'LEFT', 'COUNT', 16),
          turn + commandTimeout,
        )
        const messages = (taken as readonly [Buffer, readonly Buffer[]] | null)?.[1] ?? []
        for (const message of messages) await each(message)
        turned?.()
      } catch {
        // Unreadable, or no connection: whoever asked gets a timeout; the link makes the next connection.
        await sleep(env.clock, 10, signal)
      }
    }
    signal.removeEventListener('abort', stop)
  }
}
