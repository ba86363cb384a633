import {
  type Bus,
  type Entry,
  IncarnationChanged,
  type OutputFrame,
  type Position,
  type StreamName,
} from '@tactus/bus'
import { type Env, sleep } from '@tactus/env'

/** Who takes what the delivery stream brings. */
export interface DeliverySink {
  frame(frame: OutputFrame): void
  /** What this says of a session that was taken up elsewhere makes all before it void: called before any of them. */
  ahead(frame: OutputFrame): void
  /** Everything of this read is with the sockets. */
  batchDone(): void
  failed(error: unknown): void
  /** The bus began anew: nothing that was on it is true any more (design §3.11). */
  incarnationChanged(): void
}

const batch = 256
const wait = 5_000
const firstPause = 50
const longestPause = 2_000
/** Milliseconds without a beat after which this process was frozen, and others may have gone on without it. */
const frozenAfter = 1_000
/** Reads that are gathered at most before a process that was frozen goes on. */
const mostAhead = 16

/**
 * Reads this instance's delivery stream, the one way back from the owners.
 *
 * Positions are remembered and never skipped; what the sockets have is removed in bulk.
 */
export class DeliveryReader {
  readonly #bus: Bus
  readonly #env: Env
  readonly #stream: StreamName
  readonly #sink: DeliverySink
  readonly #stop = new AbortController()
  #position: Position = '0'
  #removed: Position = '0'
  #removing = false
  #beatAt: number
  #wasFrozen = false
  #loop: Promise<void> | undefined

  constructor(bus: Bus, env: Env, stream: StreamName, sink: DeliverySink) {
    this.#bus = bus
    this.#env = env
    this.#stream = stream
    this.#sink = sink
    this.#beatAt = env.clock.monotonic()
  }

  /** To be called several times a second: a beat that comes late shows that this process was frozen. */
  beat(): void {
    const now = this.#env.clock.monotonic()
    if (now - this.#beatAt > frozenAfter) this.#wasFrozen = true
    this.#beatAt = now
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    let pause = firstPause
    while (!signal.aborted) {
      try {
        const positions = new Map([[this.#stream, this.#position]])
        const entries = await this.#bus.read(positions, { count: batch, wait, signal })
        pause = firstPause
        this.beat()
        this.#take(this.#wasFrozen ? await this.#readAhead(entries) : entries)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof IncarnationChanged) return this.#sink.incarnationChanged()
        this.#sink.failed(error)
        await sleep(this.#env.clock, pause, signal)
        pause = Math.min(longestPause, pause * 2)
      }
    }
  }

  /** All that has come meanwhile, because the newest may say that the oldest is void (design §3.7). */
  async #readAhead(first: readonly Entry[]): Promise<readonly Entry[]> {
    const all = [...first]
    for (let reads = 0; reads < mostAhead; reads += 1) {
      const positions = new Map([[this.#stream, all.at(-1)?.position ?? this.#position]])
      const { signal } = this.#stop
      const next = await this.#bus.read(positions, { count: batch, wait: 1, signal })
      if (next.length === 0) break
      all.push(...next)
    }
    this.#wasFrozen = false
    return all
  }

  #take(entries: readonly Entry[]): void {
    if (entries.length === 0) return
    for (const { frames } of entries)
      for (const frame of frames) this.#sink.ahead(frame as OutputFrame)
    for (const { position, frames } of entries) {
      for (const frame of frames) this.#sink.frame(frame as OutputFrame)
      this.#position = position
    }
    this.#sink.batchDone()
    void this.#remove()
  }

  /** One removal at a time; what arrives meanwhile goes with the next. */
  async #remove(): Promise<void> {
    if (this.#removing) return
    this.#removing = true
    while (this.#removed !== this.#position) {
      const upTo = this.#position
      try {
        await this.#bus.remove(this.#stream, upTo)
        this.#removed = upTo
      } catch (error) {
        // Left where it is; the next removal takes it along.
        this.#sink.failed(error)
        break
      }
    }
    this.#removing = false
  }
}
