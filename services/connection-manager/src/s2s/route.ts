import type { Env } from '@tactus/env'
import type { Mark } from './ledger.ts'
import type { OutgoingListener, OutgoingStream, Problem } from './outgoing-stream.ts'
import { type Outlet, StreamOutlet } from './outlet.ts'
import { RouteSession } from './route-session.ts'
import type { Item, Shard } from './shard.ts'

/** Bounds of what waits for one remote domain. */
export interface RouteLimits {
  readonly stanzas: number
  readonly bytes: number
  /** Milliseconds that a stanza may wait. */
  readonly delivery: number
  /** Milliseconds after which an unused stream is closed. */
  readonly idle: number
  /** Milliseconds that an acknowledgement may take (XEP-0198). */
  readonly acknowledgement: number
}

/** What a route asks of the federation. */
export interface RoutePorts {
  readonly env: Env
  readonly limits: RouteLimits
  /** Begins to make a stream; the listener is told what becomes of it. */
  dial(route: Route, listener: OutgoingListener): void
  /** Whether what is written now cannot be another instance's to write. */
  isSure(): boolean
  /** The other server has it, as far as it tells; `marks` go with it. */
  written(item: Item, marks: readonly Mark[]): void
  /** Goes back to its sender. */
  bounced(item: Item, why: Returned, marks: readonly Mark[]): void
}

/** Why a stanza goes back. */
export type Bounce = NonNullable<Problem['final']> | 'resource-constraint'

/** Why a stanza goes back, for programs and for people. */
export interface Returned {
  readonly condition: Bounce
  readonly text: string
}

const firstBackOff = 1_000
const longestBackOff = 120_000
/** How long a final refusal is believed. */
const refusedFor = 30_000
/** Stanzas that may be with the other server and not acknowledged. */
const mostUnacked = 1_000
/** Milliseconds that a route which goes to another instance waits for what it wrote. */
const leaveWithin = 2_000

interface Sent {
  readonly item: Item
  /** Number of its last stanza. */
  readonly n: number
}

/** What waits for a remote domain, from one of ours, and what it goes by. */
export class Route implements OutgoingListener {
  readonly local: string
  readonly remote: string
  stream: OutgoingStream | undefined
  /** Why there is no stream. */
  problem = ''
  readonly #ports: RoutePorts
  readonly #session: RouteSession
  #outlet: Outlet | undefined
  #queue: Item[] = []
  #queuedBytes = 0
  /** Sent, and maybe not arrived yet. */
  #sent: Sent[] = []
  #n = 0
  #dialing = false
  #stalled = false
  #failures = 0
  #retryAt = 0
  #readyAt = 0
  #leaveBy: number | undefined
  #refusal: Problem | undefined

  constructor(
    pair: { readonly local: string; readonly remote: string },
    shard: Shard,
    ports: RoutePorts,
  ) {
    this.local = pair.local
    this.remote = pair.remote
    this.#ports = ports
    this.#session = new RouteSession(shard, `${pair.local} ${pair.remote}`)
  }

  /** What it belongs to. */
  get shard(): Shard {
    return this.#session.shard
  }

  get queued(): number {
    return this.#queue.length + this.#sent.length
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get state(): string {
    if (this.stream) return 'open'
    if (this.#dialing) return 'connecting'
    return this.#retryAt > 0 ? 'waiting' : 'idle'
  }

  /** The last attempt led nowhere. */
  get hasFailed(): boolean {
    return this.#failures > 0
  }

  /** Id of the stream that may be resumed (XEP-0198 §5). */
  get resumes(): string | undefined {
    return this.#session.id
  }

  /** Nothing of it need be remembered. */
  isForgettable(now: number): boolean {
    return this.queued === 0 && !this.stream && !this.#dialing && now >= this.#retryAt
  }

  /** @param isFull no more may wait, for all domains together */
  add(item: Item, isFull: boolean): void {
    this.#queue.push(item)
    this.#queuedBytes += item.bytes
    // What an earlier holder sent comes first, and the other server may have said that it has it.
    if (this.#session.skipping) return this.#match()
    const why = this.#refuses(item, isFull)
    if (why) {
      this.#queue.pop()
      this.#queuedBytes -= item.bytes
      return this.#return(item, why)
    }
    this.#go()
  }

  /** Looks at what has arrived, what has waited for too long, and whether to try again. */
  tick(): void {
    this.settle()
    this.#expire()
    if (this.#outlet?.isMute()) {
      this.problem = 'it acknowledges nothing'
      this.#outlet.drop()
    }
    this.#go()
  }

  /**
   * What is queued goes to its next holder. Answers whether nothing is on its way any more; is it not, it is to be asked
   * again. The stream is closed, or left to be resumed where the other server does not say what it has.
   */
  leave(isLost: boolean): boolean {
    this.settle()
    this.#queue = []
    this.#queuedBytes = 0
    const outlet = this.#outlet
    if (!outlet) return true
    const { clock } = this.#ports.env
    this.#leaveBy ??= clock.monotonic() + leaveWithin
    if (!isLost && this.#sent.length > 0 && clock.monotonic() < this.#leaveBy) return false
    const isDone = this.#sent.length === 0 && !isLost
    this.#sent = []
    this.#outlet = undefined
    // Closed in good order it could not be resumed, should the commit not come through.
    if (isDone) this.#session.forget(() => outlet.close())
    else outlet.drop()
    return true
  }

  ready(stream: OutgoingStream): void {
    this.#dialing = false
    this.#readyAt = this.#ports.env.clock.monotonic()
    this.#retryAt = 0
    this.#refusal = undefined
    this.problem = ''
    this.stream = stream
    this.#stalled = false
    const { idle, acknowledgement: patience } = this.#ports.limits
    const { beginning } = stream.management
    if (beginning.kind === 'resumed' && !this.#session.resume(beginning.h)) {
      this.#session.forget()
      stream.connection.transport.destroy()
      return
    }
    if (beginning.kind === 'new')
      this.#session.renew(beginning.id, beginning.lost, () => this.#go())
    this.#n = beginning.kind === 'new' ? 0 : this.#session.n
    this.#outlet = new StreamOutlet(stream, { from: this.#n, idle, patience })
    this.#match()
  }

  /** The stream is over, or there was none. What the other server may not have is written again. */
  ended({ message, final }: Problem): void {
    const { env } = this.#ports
    const wasReady = this.stream !== undefined
    if (wasReady && this.#sent.length === 0) this.#failures = 0
    this.settle()
    this.stream = undefined
    this.#outlet = undefined
    this.#dialing = false
    this.problem = message
    if (wasReady && this.#leaveBy === undefined) this.#session.broken(this.#sent.length > 0)
    this.#queue = [...this.#sent.map(({ item }) => item), ...this.#queue]
    this.#queuedBytes = this.#queue.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#sent = []
    const now = env.clock.monotonic()
    if (final !== undefined) {
      this.#refusal = { message, final }
      this.#retryAt = now + refusedFor
      for (let item = this.#take(); item; item = this.#take())
        this.#return(item, { condition: final, text: message })
      return
    }
    // One that lets us in and closes at once must not be tried without end.
    if (wasReady && now - this.#readyAt > longestBackOff) return this.#go()
    this.#retryAt = now + backOff(this.#failures, env)
    this.#failures += 1
  }

  stalled(): void {
    this.#stalled = true
  }

  drained(): void {
    this.#stalled = false
    this.#go()
  }

  acknowledged(): void {
    this.settle()
    this.#go()
  }

  /** Tells of what has arrived, or was taken by the system where the other server does not say. */
  settle(): void {
    if (!this.#outlet || this.#sent.length === 0) return
    const { delivered } = this.#outlet
    const done = this.#sent.findIndex(({ n }) => n > delivered)
    for (const { item, n } of this.#sent.splice(0, done < 0 ? this.#sent.length : done))
      this.#ports.written(item, this.#session.left(n))
  }

  #refuses({ bytes }: Item, isFull: boolean): Returned | undefined {
    const { limits, env } = this.#ports
    const condition = 'resource-constraint'
    if (isFull) return { condition, text: 'too much waits for other servers' }
    const { final, message } = this.#refusal ?? {}
    if (final !== undefined && message !== undefined && env.clock.monotonic() < this.#retryAt)
      return { condition: final, text: message }
    const isOver =
      this.#queue.length > limits.stanzas || this.#queuedBytes > Math.max(limits.bytes, bytes)
    return isOver ? { condition, text: `too much waits for ${this.remote}` } : undefined
  }

  #go(): void {
    if (this.#queue.length === 0 || this.#stalled || this.#leaveBy !== undefined) return
    if (this.#outlet) return this.#write(this.#outlet)
    if (this.#dialing || this.stream || this.#ports.env.clock.monotonic() < this.#retryAt) return
    this.#dialing = true
    this.#ports.dial(this, this)
  }

  /** What the other server said that it has leaves the queue. */
  #match(): void {
    const { written } = this.#ports
    for (let item = this.#queue[0]; item && this.#session.skip(item); item = this.#queue[0]) {
      this.#take()
      written(item, this.#session.skipped(item))
    }
    if (!this.#session.skipping) {
      this.#session.begin()
      this.#n = this.#session.n
      this.#go()
    }
  }

  #write(outlet: Outlet): void {
    if (!this.#ports.isSure() || !this.#session.isOpen) return
    const first = this.#n
    while (this.#hasRoom(outlet)) {
      const item = this.#take()
      if (!item) break
      this.#send(outlet, item)
    }
    if (this.#n > first) outlet.flushed()
  }

  #hasRoom(outlet: Outlet): boolean {
    if (this.#stalled || !outlet.isOpen) return false
    return !outlet.isManaged || this.#n - outlet.delivered < mostUnacked
  }

  #send(outlet: Outlet, item: Item): void {
    const { stanza, recipients } = item.frame
    for (const to of recipients.slice(this.#session.takeOffset())) {
      this.#n += 1
      outlet.send(stanza.to === to ? stanza : stanza.with({ to }), this.#n)
    }
    this.#sent.push({ item, n: this.#n })
  }

  #return(item: Item, why: Returned): void {
    const marks = this.#outlet && this.#session.isOpen ? [] : this.#session.abandon()
    this.#ports.bounced(item, why, marks)
  }

  #expire(): void {
    const { env, limits } = this.#ports
    // One that went to some of its recipients is not for giving up.
    if (this.#session.hasOffset && this.#outlet) return
    const oldest = env.clock.now() - limits.delivery
    while (this.#queue[0] !== undefined && this.#queue[0].frame.at < oldest) {
      const item = this.#take()
      const text = `${this.remote} does not answer`
      if (item) this.#return(item, { condition: 'remote-server-timeout', text })
    }
  }

  #take(): Item | undefined {
    const item = this.#queue.shift()
    this.#queuedBytes -= item?.bytes ?? 0
    return item
  }
}

/** Doubled with each failure, and by chance up to a half longer, so that not all come back at once. */
function backOff(failures: number, env: Env): number {
  const delay = Math.min(firstBackOff * 2 ** failures, longestBackOff)
  const chance = Buffer.from(env.random(2)).readUInt16BE(0) / 2 ** 16
  return delay * (1 + chance / 2)
}
