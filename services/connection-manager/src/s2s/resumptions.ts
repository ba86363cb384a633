import { type Bus, RequestFailed } from '@tactus/bus'
import { type Env, sleep } from '@tactus/env'
import type { ResumablePorts, Yielding } from './incoming-management.ts'
import type { Ledger, Mark } from './ledger.ts'

/** What keeping streams resumable needs. */
export interface ResumptionPorts {
  readonly bus: Bus
  readonly env: Env
  readonly instance: string
  readonly ledger: Ledger
  /** Resolves once all that is in partitions now is committed by their owners. */
  readonly passed: () => Promise<void>
  /** Milliseconds for which a broken stream may be resumed. */
  readonly within: number
  /** Milliseconds after which an instance that is not heard of counts as dead. */
  readonly ttl: number
}

interface Noted {
  readonly instance: string
  readonly pair: string
  readonly h: number
}

const fields = { instance: 'cm', pair: 'pair', h: 'h' } as const
/** When what may be resumed is forgotten, by token. */
const expiryKey = 'si'
const keyOf = (token: string): string => `si:${token}`
const askWithin = 1_000
const askEvery = 250
/** Forgotten at a time. */
const mostForgotten = 100
const bytes = 128

/** Streams of other servers that may be resumed on any instance (XEP-0198 §5): how far each is stands on the bus. */
export class Resumptions implements ResumablePorts {
  readonly max: number
  readonly #ports: ResumptionPorts
  readonly #live = new Map<string, Yielding>()
  #refreshAt = 0

  constructor(ports: ResumptionPorts) {
    this.#ports = ports
    this.max = Math.floor(ports.within / 1_000)
  }

  token(): string {
    return Buffer.from(this.#ports.env.random(18)).toString('base64url')
  }

  open(
    token: string,
    stream: Yielding,
    { pair, h }: { readonly pair: string; readonly h: number },
    noted: () => void,
  ): void {
    this.#live.set(token, stream)
    const mark = (field: string, value: string): Mark => ({
      key: keyOf(token),
      field,
      value: Buffer.from(value),
    })
    const marks = [
      mark(fields.instance, this.#ports.instance),
      mark(fields.pair, pair),
      mark(fields.h, String(h)),
    ]
    const members = [[token, this.#expiry]] as const
    const operations = [{ op: 'zadd', key: expiryKey, members }] as const
    this.#ports.ledger.receive({ marks, operations, bytes, done: noted })
  }

  mark(token: string, h: number): Mark {
    return { key: keyOf(token), field: fields.h, value: Buffer.from(String(h)) }
  }

  gone(token: string, stream: Yielding, isFinal: boolean): void {
    // Another stream may have taken its place here.
    if (this.#live.get(token) !== stream) return
    this.#live.delete(token)
    if (isFinal) this.#forget([token])
  }

  /** Another instance goes on with a stream of this one. */
  async yield(token: string): Promise<void> {
    await this.#live.get(token)?.yield()
  }

  async take(token: string, pair: string): Promise<number | undefined> {
    const noted = await this.#read(token)
    if (noted?.pair !== pair) return undefined
    if (!(await this.#end(token, noted.instance))) return undefined
    // Only now is it as far as it will ever be, and to be told only once it cannot be lost any more.
    await this.#ports.passed()
    return (await this.#read(token))?.h
  }

  /** Keeps what is alive, and forgets what nobody came back for where that is this instance's to do. */
  async tick(isSweeper: boolean): Promise<void> {
    const { env, bus, ledger, within } = this.#ports
    const now = env.clock.monotonic()
    if (now < this.#refreshAt) return
    this.#refreshAt = now + within / 2
    const members = [...this.#live.keys()].map((token) => [token, this.#expiry] as const)
    if (members.length > 0)
      ledger.receive({ operations: [{ op: 'zadd', key: expiryKey, members }], bytes })
    if (!isSweeper) return
    const due = await bus.due([expiryKey], env.clock.now(), mostForgotten)
    this.#forget((due.get(expiryKey) ?? []).map(([token]) => token))
  }

  /** Live streams are noted anew in half the time. */
  get #expiry(): number {
    return this.#ports.env.clock.now() + 2 * this.#ports.within
  }

  #forget(tokens: readonly string[]): void {
    if (tokens.length === 0) return
    const operations = [
      { op: 'unlink', keys: tokens.map(keyOf) },
      { op: 'zrem', key: expiryKey, members: tokens },
    ] as const
    // Behind what the stream brought, or that would note it again.
    this.#ports.ledger.receive({ operations, bytes: bytes * tokens.length })
  }

  async #read(token: string): Promise<Noted | undefined> {
    const key = keyOf(token)
    const found = (await this.#ports.bus.hashes([key])).get(key)
    const text = (field: string): string => Buffer.from(found?.get(field) ?? []).toString('utf8')
    const instance = text(fields.instance)
    if (instance === '') return undefined
    return { instance, pair: text(fields.pair), h: Number(text(fields.h)) }
  }

  /**
   * Has the instance that holds a stream end it, and commit all that came by it. One that is dead is fenced, so that
   * nothing it may still try is applied. False where neither could be done in time.
   */
  async #end(token: string, instance: string): Promise<boolean> {
    const { bus, env, ttl } = this.#ports
    if (instance === this.#ports.instance) {
      await this.yield(token)
      return true
    }
    let missingSince: number | undefined
    const deadline = env.clock.monotonic() + 4 * ttl
    while (env.clock.monotonic() < deadline) {
      const answer = await this.#askToEnd(token, instance)
      if (answer !== undefined) return answer
      const isThere = (await bus.instances()).some(({ id }) => id === instance)
      const now = env.clock.monotonic()
      missingSince = isThere ? undefined : (missingSince ?? now)
      if (missingSince !== undefined && now - missingSince >= ttl) {
        await bus.fence(instance, undefined)
        return true
      }
      await sleep(env.clock, askEvery)
    }
    return false
  }

  /** Undefined where nobody answers. */
  async #askToEnd(token: string, instance: string): Promise<boolean | undefined> {
    const request = { method: 's2s.yield', input: { token } }
    try {
      await this.#ports.bus.request(instance, request, askWithin)
      return true
    } catch (error) {
      return error instanceof RequestFailed ? false : undefined
    }
  }
}
