import type { Env } from '@tactus/env'
import { NS_SERVER } from '@tactus/stanza'
import { WrittenMarks } from '../session/written.ts'
import type { OutgoingListener, OutgoingStream, Problem } from './outgoing-stream.ts'
import type { Item } from './shard.ts'

/** Bounds of what waits for one remote domain. */
export interface RouteLimits {
  readonly stanzas: number
  readonly bytes: number
  /** Milliseconds that a stanza may wait. */
  readonly delivery: number
  /** Milliseconds after which an unused stream is closed. */
  readonly idle: number
}

/** What a route asks of the federation. */
export interface RoutePorts {
  readonly env: Env
  readonly limits: RouteLimits
  /** Begins to make a stream; the listener is told what becomes of it. */
  dial(route: Route, listener: OutgoingListener): void
  /** Whether what is written now cannot be another instance's to write. */
  isSure(): boolean
  /** Written to the other server. */
  written(item: Item): void
  /** Goes back to its sender. */
  bounced(item: Item, condition: Bounce, text: string): void
}

/** Why a stanza goes back. */
export type Bounce = NonNullable<Problem['final']> | 'resource-constraint'

const firstBackOff = 1_000
const longestBackOff = 120_000
/** How long a final refusal is believed. */
const refusedFor = 30_000

interface Sent {
  readonly item: Item
  readonly n: number
}

/** What waits for a remote domain, from one of ours, and the stream that it goes by. */
export class Route implements OutgoingListener {
  readonly local: string
  readonly remote: string
  stream: OutgoingStream | undefined
  /** Why there is no stream. */
  problem = ''
  readonly #ports: RoutePorts
  #queue: Item[] = []
  #queuedBytes = 0
  /** Given to the socket, and maybe not taken by the system yet. */
  #sent: Sent[] = []
  #marks = new WrittenMarks()
  #n = 0
  #dialing = false
  #stalled = false
  #failures = 0
  #retryAt = 0
  #readyAt = 0
  #refusal: Problem | undefined

  constructor(local: string, remote: string, ports: RoutePorts) {
    this.local = local
    this.remote = remote
    this.#ports = ports
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

  /** Nothing of it need be remembered. */
  isForgettable(now: number): boolean {
    return this.queued === 0 && !this.stream && !this.#dialing && now >= this.#retryAt
  }

  add(item: Item): void {
    const { limits, env } = this.#ports
    const now = env.clock.monotonic()
    if (this.#refusal?.final && now < this.#retryAt)
      return this.#ports.bounced(item, this.#refusal.final, this.#refusal.message)
    if (
      this.#queue.length >= limits.stanzas ||
      this.#queuedBytes + item.bytes > Math.max(limits.bytes, item.bytes)
    )
      return this.#ports.bounced(item, 'resource-constraint', `too much waits for ${this.remote}`)
    this.#queue.push(item)
    this.#queuedBytes += item.bytes
    this.#go()
  }

  /** Looks at what was written, what has waited for too long, and whether to try again. */
  tick(): void {
    this.settleWritten()
    this.#expire()
    this.#go()
  }

  /** What is queued of a shard goes to its next holder, and so does the stream. */
  leave(belongs: (item: Item) => boolean): void {
    this.settleWritten()
    this.#queue = this.#queue.filter((item) => !belongs(item))
    this.#count()
    if (!this.#sent.some(({ item }) => belongs(item)) && this.queued > 0) return
    this.#sent = this.#sent.filter(({ item }) => !belongs(item))
    this.stream?.connection.finish('closed')
  }

  close(): void {
    this.stream?.connection.finish('closed')
  }

  ready(stream: OutgoingStream): void {
    this.#dialing = false
    this.#readyAt = this.#ports.env.clock.monotonic()
    this.#retryAt = 0
    this.#refusal = undefined
    this.problem = ''
    this.stream = stream
    this.#stalled = false
    this.#marks = new WrittenMarks(this.#n)
    stream.idleAfter = this.#ports.limits.idle
    this.#touch(stream)
    this.#go()
  }

  /** The stream is over, or there was none. What the system had not taken is written again. */
  ended({ message, final }: Problem): void {
    const { env } = this.#ports
    const wasReady = this.stream !== undefined
    if (wasReady && this.#sent.length === 0) this.#failures = 0
    this.settleWritten()
    this.stream = undefined
    this.#dialing = false
    this.problem = message
    this.#queue = [...this.#sent.map(({ item }) => item), ...this.#queue]
    this.#sent = []
    this.#count()
    const now = env.clock.monotonic()
    if (final !== undefined) {
      this.#refusal = { message, final }
      this.#retryAt = now + refusedFor
      for (const item of this.#queue.splice(0)) this.#ports.bounced(item, final, message)
      this.#count()
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

  /** Tells of what the system has taken. */
  settleWritten(): void {
    const { stream } = this
    if (!stream || this.#sent.length === 0) return
    const { connection } = stream
    const upTo = this.#marks.advance(connection.bytesWritten - connection.transport.writableLength)
    const done = this.#sent.findIndex(({ n }) => n > upTo)
    for (const { item } of this.#sent.splice(0, done < 0 ? this.#sent.length : done))
      this.#ports.written(item)
  }

  #go(): void {
    if (this.#queue.length === 0 || this.#stalled) return
    if (this.stream) return this.#write(this.stream)
    if (this.#dialing || this.#ports.env.clock.monotonic() < this.#retryAt) return
    this.#dialing = true
    this.#ports.dial(this, this)
  }

  #write(stream: OutgoingStream): void {
    if (!this.#ports.isSure()) return
    const { connection } = stream
    while (!this.#stalled && connection.isOpen) {
      const item = this.#queue.shift()
      if (!item) break
      this.#n += 1
      this.#sent.push({ item, n: this.#n })
      const stanza = item.frame.stanza.inNamespace(NS_SERVER)
      for (const to of item.frame.recipients) {
        const bytes = connection.framing.stanza(stanza.to === to ? stanza : stanza.with({ to }))
        this.#marks.mark(this.#n, connection.sendBytes(bytes), connection.bytesWritten)
      }
    }
    this.#count()
    this.#touch(stream)
  }

  #touch(stream: OutgoingStream): void {
    const { wheel } = stream.connection.context
    stream.idleUntil = wheel.now + this.#ports.limits.idle
    stream.connection.wakeAt(stream.idleUntil)
  }

  #expire(): void {
    const { env, limits } = this.#ports
    const oldest = env.clock.now() - limits.delivery
    while (this.#queue[0] !== undefined && this.#queue[0].frame.at < oldest) {
      const item = this.#queue.shift()
      if (item) this.#ports.bounced(item, 'remote-server-timeout', `${this.remote} does not answer`)
    }
    this.#count()
  }

  #count(): void {
    this.#queuedBytes = this.#queue.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

/** Doubled with each failure, and by chance up to a half longer, so that not all come back at once. */
function backOff(failures: number, env: Env): number {
  const delay = Math.min(firstBackOff * 2 ** failures, longestBackOff)
  const chance = Buffer.from(env.random(2)).readUInt16BE(0) / 2 ** 16
  return delay * (1 + chance / 2)
}
