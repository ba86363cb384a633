import { StreamError } from '@tactus/stanza'
import type { Farewell, Framing, ResponseHeader, StreamInput } from '@tactus/stream'
import { type ReaderLimits, Stanza, type StreamEvent, type XmlElement, XmlError } from '@tactus/xml'
import type { Bucket, Rate } from '../limits/token-bucket.ts'
import { take } from '../limits/token-bucket.ts'
import type { Timed, Wheel } from '../limits/wheel.ts'
import type { Flushable, Flusher } from './flusher.ts'
import type { Ending, StreamHandler } from './handler.ts'
import type { Transport } from './transport.ts'

/** Why a connection is not read; each reason comes and goes by itself. */
export const hold = {
  /** A step of negotiation waits for something. */
  busy: 1,
  /** The session has as much under way to its owner as it may. */
  retention: 2,
  /** The peer sent faster than it may. */
  rate: 4,
  /** The account made the server do more than it may. */
  cost: 8,
  /** What it is for goes to another instance. */
  leaving: 16,
} as const

/** Reasons that also keep what has arrived already from being looked at. */
const keepsUnread = hold.busy | hold.retention

interface Pauses {
  pause(connection: Connection, milliseconds: number): void
}

/** What all connections share. */
export interface ConnectionContext {
  readonly wheel: Wheel
  readonly flusher: Flusher
  /** Leave a connection unread for a while: for its rate, and for what its account costs. */
  readonly throttle: Pauses
  readonly costs: Pauses
  /** Sustained rate of what is read; undefined for none. */
  readonly rate: Rate | undefined
  /** Unsent bytes in a socket's buffer from which on it counts as stalled. */
  readonly stallBytes: number
  readonly hooks: ConnectionHooks
}

/** What a connection tells, for metrics and logs. */
export interface ConnectionHooks {
  received(bytes: number): void
  sent(bytes: number): void
  /** The stream was ended by us, with an error. */
  failed(connection: Connection, error: StreamError): void
  /** A bug: something threw that should not have. */
  crashed(connection: Connection, error: unknown): void
  closed(connection: Connection): void
}

/** How long a peer may take to close after we did, and how much it may still send meanwhile. */
const lingerTime = 5_000
const lingerBytes = 1_048_576

const encoder = new TextEncoder()

/**
 * One transport with its XML stream: reads, orders, writes and ends it; what the stream is about is
 * the handler's.
 *
 * There are very many of these, mostly idle: no closures, no timers and no buffers of their own.
 */
export class Connection implements Timed, Flushable {
  readonly address: string
  readonly framing: Framing
  readonly context: ConnectionContext
  transport: Transport
  handler: StreamHandler
  deadline = Number.POSITIVE_INFINITY
  wheelSlot = -1
  /** Wheel time when the peer last sent something. */
  heardAt: number
  /** All bytes given to the transport. */
  bytesWritten = 0

  readonly #input: StreamInput
  #phase: 'open' | 'closing' | 'closed' = 'open'
  #holds = 0
  /** The transport brings nothing more. */
  #isOver = false
  #processing = false
  #pending: Uint8Array[] = []
  #headerSent = false
  #bytesQueued = 0
  #lingered = 0
  #stalled = false
  #gone = false
  #bucket: Bucket | undefined

  constructor(options: {
    readonly transport: Transport
    /** Of the peer; a transport that is gone cannot tell it any more. */
    readonly address: string
    readonly framing: Framing
    readonly context: ConnectionContext
    readonly limits: ReaderLimits
    readonly handler: (connection: Connection) => StreamHandler
  }) {
    this.transport = options.transport
    this.framing = options.framing
    this.context = options.context
    this.address = options.address
    this.heardAt = options.context.wheel.now
    this.#input = options.framing.input(options.limits, (bytes) => this.#answer(bytes))
    this.handler = options.handler(this)
  }

  get isOpen(): boolean {
    return this.#phase === 'open'
  }

  /** Whether an element has begun and not ended. */
  get midItem(): boolean {
    return this.#input.midItem
  }

  /** Whether anything has arrived that was not looked at. */
  get hasUnread(): boolean {
    return this.#input.buffered > 0
  }

  /** Takes bytes from the transport. */
  receive(chunk: Uint8Array): void {
    this.context.hooks.received(chunk.length)
    if (this.#phase !== 'open') {
      this.#linger(chunk.length)
      return
    }
    this.heardAt = this.context.wheel.now
    this.#charge(chunk.length)
    this.#input.feed(chunk)
    this.#process()
  }

  /** The peer has said its last; it may still read. */
  lost(): void {
    this.#isOver = true
    this.#process()
  }

  /** The transport is gone altogether: nothing can be written either. */
  broken(): void {
    this.#gone = true
    if (this.#phase === 'open') this.lost()
    else this.#forget()
  }

  /** Stops reading for a reason. */
  hold(reason: number): void {
    if (this.#holds === 0 && this.#phase === 'open') this.transport.pause()
    this.#holds |= reason
  }

  /** A reason is gone; goes on when there is no other. */
  release(reason: number): void {
    if ((this.#holds & reason) === 0) return
    this.#holds &= ~reason
    this.#process()
    if (this.#holds === 0 && this.#phase === 'open') this.transport.resume()
  }

  /** The reader's limits from here on, and the rate that goes with them. */
  setLimits(limits: ReaderLimits): void {
    this.#input.setLimits(limits)
  }

  /** A new stream begins on the same transport (RFC 6120 §4.3.3). */
  restart(keepBuffered: boolean): void {
    this.#input.reset({ keepBuffered })
    this.#headerSent = false
  }

  /** Looks at the connection again at `deadline`, monotonic milliseconds. */
  wakeAt(deadline: number): void {
    this.deadline = deadline
    this.context.wheel.watch(this)
  }

  expire(now: number): void {
    if (this.#phase === 'open') this.handler.expired(now)
    else this.transport.destroy()
  }

  open(header: ResponseHeader): void {
    this.#headerSent = true
    this.#say(this.framing.open(header))
  }

  send(element: XmlElement | Stanza): void {
    if (element instanceof Stanza) this.sendBytes(this.framing.stanza(element))
    else this.#say(this.framing.element(element))
  }

  /**
   * Sends what the framing has made already.
   *
   * @returns at which byte of the stream it ends, to be compared with `bytesWritten`.
   */
  sendBytes(bytes: Uint8Array): number {
    this.#write(this.framing.message(bytes))
    return this.#bytesQueued
  }

  /** Says nothing, so that the transport does not look dead. */
  keepAlive(): void {
    this.#write(this.framing.keepAlive)
  }

  /** Ends the stream with an error (RFC 6120 §4.9). */
  fail(error: StreamError, ending: Ending = 'error'): void {
    if (this.#phase !== 'open') return
    this.context.hooks.failed(this, error)
    // §4.9.1.2: an error is said inside a stream, so ours has to be open.
    if (!this.#headerSent) this.open(this.handler.header())
    this.send(error.toElement())
    this.#close(ending, {}, error)
  }

  /** Ends the stream in good order (RFC 6120 §4.4). */
  finish(ending: Ending, farewell: Farewell = {}): void {
    if (this.#phase !== 'open') return
    this.#close(ending, farewell)
  }

  /** Ends the stream because of a bug of ours. */
  crash(error: unknown): void {
    this.context.hooks.crashed(this, error)
    this.fail(new StreamError('internal-server-error'))
  }

  /** Writes what the turn has gathered. */
  flush(): void {
    const chunks = this.#pending
    this.#pending = []
    const [first] = chunks
    if (first === undefined || this.#phase === 'closed') return
    const bytes = chunks.length === 1 ? first : Buffer.concat(chunks)
    this.bytesWritten += bytes.length
    this.context.hooks.sent(bytes.length)
    this.transport.write(bytes)
    if (this.#stalled || this.transport.writableLength <= this.context.stallBytes) return
    this.#stalled = true
    this.handler.stalled()
  }

  /** The transport has taken everything that was written. */
  drained(): void {
    if (!this.#stalled) return
    this.#stalled = false
    if (this.#phase === 'open') this.handler.drained()
  }

  #close(ending: Ending, farewell: Farewell, cause?: StreamError): void {
    if (this.#headerSent) this.#say(this.framing.close(farewell))
    const last = this.framing.end(cause)
    if (last) this.#write(last)
    this.#end(ending)
  }

  /** What the transport owes the peer. Who does not read is owed nothing, or a flood of questions would pile up here. */
  #answer(bytes: Uint8Array): void {
    if (!this.#stalled) this.#write(bytes)
  }

  #say(text: string): void {
    this.#write(this.framing.message(encoder.encode(text)))
  }

  #write(bytes: Uint8Array): void {
    if (this.#phase !== 'open') return
    this.#pending.push(bytes)
    this.#bytesQueued += bytes.length
    if (this.#pending.length === 1) this.context.flusher.add(this)
  }

  /** One event after the other, because each may change how the next is to be read. */
  #process(): void {
    if (this.#processing) return
    this.#processing = true
    while (this.#phase === 'open' && (this.#holds & keepsUnread) === 0) {
      if (!this.#step()) break
    }
    this.#processing = false
  }

  /** Takes the next event; false when there is none. What was sent before the end counts. */
  #step(): boolean {
    try {
      const event = this.#input.next()
      if (event === undefined) {
        if (this.#isOver || this.#input.isOver) this.finish('dropped')
        return false
      }
      const waiting = this.#handle(event)
      if (waiting !== undefined) this.#await(waiting)
    } catch (error) {
      this.#threw(error)
    }
    return true
  }

  #await(waiting: Promise<void>): void {
    this.hold(hold.busy)
    waiting.then(
      () => this.release(hold.busy),
      (error: unknown) => this.#threw(error),
    )
  }

  #handle(event: StreamEvent): Promise<void> | undefined {
    if (event.kind === 'open') return this.handler.opened(event.header)
    if (event.kind === 'stanza') return this.handler.element(event.stanza)
    this.handler.closing()
    this.finish('closed')
    return undefined
  }

  #threw(error: unknown): void {
    if (error instanceof StreamError) this.fail(error)
    else if (error instanceof XmlError) this.fail(new StreamError(error.condition, error.message))
    else this.crash(error)
  }

  #charge(bytes: number): void {
    const { rate, wheel, throttle } = this.context
    if (!rate) return
    this.#bucket ??= { tokens: rate.burst, at: wheel.now }
    const wait = take(this.#bucket, rate, bytes, wheel.now)
    if (wait === 0) return
    throttle.pause(this, wait)
  }

  /**
   * We said good-bye. The peer is read on for a moment: closing a socket with unread data resets it,
   * and then our last words may be lost.
   */
  #end(ending: Ending): void {
    this.flush()
    this.#phase = 'closing'
    this.transport.end()
    this.transport.resume()
    this.handler.ended(ending)
    if (this.#gone) this.#forget()
    else this.wakeAt(this.context.wheel.now + lingerTime)
  }

  #linger(bytes: number): void {
    this.#lingered += bytes
    if (this.#lingered > lingerBytes) this.transport.destroy()
  }

  #forget(): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.context.wheel.forget(this)
    this.context.hooks.closed(this)
  }
}
