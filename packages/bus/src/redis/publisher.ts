import { BusFull, BusUnavailable, IncarnationChanged, type StreamName } from '../bus.ts'
import { type BusLimits, entryBytes, entryFrames } from '../limits.ts'
import { encodeFrame, joinEntry } from '../proto/codec.ts'
import type { InputFrame, OutputFrame } from '../proto/frames.ts'
import type { Keys } from './keys.ts'
import { isReply, type RedisLink } from './link.ts'
import { scripts } from './scripts.ts'

interface PublisherOptions {
  readonly link: RedisLink
  readonly keys: Keys
  readonly incarnation: number
  readonly limits: BusLimits
  /** Share of Redis' memory in use. */
  readonly pressure: () => number
  /** Told when Redis holds another incarnation. */
  readonly onChanged: () => void
}

/** Pipelines on their way at once: enough to hide the round trip, few enough that entries grow with load. */
const inFlightMost = 4
/** Bytes that wait for a place in a pipeline before more is refused. */
const waitingMost = 16 * 1024 * 1024

interface Sending {
  readonly stream: StreamName
  readonly batch: Batch
}

/** What is published to one stream until the next pipeline leaves: one entry, or more where it is much. */
class Batch {
  readonly accepted = Promise.withResolvers<void>()
  readonly entries: Buffer[][] = []
  bytes = 0
  #lastBytes = 0

  add(frames: readonly Buffer[], bytes: number): void {
    const last = this.entries.at(-1)
    if (last && last.length < entryFrames && this.#lastBytes < entryBytes) {
      last.push(...frames)
      this.#lastBytes += bytes
    } else {
      this.entries.push([...frames])
      this.#lastBytes = bytes
    }
    this.bytes += bytes
  }
}

/** Appends to streams: what comes in one turn of the event loop leaves in one pipeline, one entry a stream. */
export class Publisher {
  readonly #options: PublisherOptions
  #waiting = new Map<StreamName, Batch>()
  #waitingBytes = 0
  readonly #inFlight = new Set<Promise<void>>()
  #scheduled = false

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  publish(stream: StreamName, frames: readonly (InputFrame | OutputFrame)[]): Promise<void> {
    if (frames.length === 0) return Promise.resolve()
    const { limits, pressure } = this.#options
    if (pressure() >= limits.pressure)
      return Promise.reject(new BusFull('the memory of Redis is nearly used up'))
    if (this.#waitingBytes >= waitingMost)
      return Promise.reject(new BusFull('more waits to be published than Redis takes'))
    const encoded = frames.map(encodeFrame)
    const bytes = encoded.reduce((sum, frame) => sum + frame.length, 0)
    const batch = this.#batch(stream)
    batch.add(encoded, bytes)
    this.#waitingBytes += bytes
    this.#schedule()
    return batch.accepted.promise
  }

  /** Resolves when nothing is on its way any more. */
  async drain(): Promise<void> {
    while (this.#waiting.size > 0 || this.#inFlight.size > 0) {
      const waiting = [...this.#waiting.values()].map(({ accepted }) => accepted.promise)
      await Promise.allSettled([...waiting, ...this.#inFlight])
    }
  }

  #batch(stream: StreamName): Batch {
    let batch = this.#waiting.get(stream)
    if (!batch) {
      batch = new Batch()
      this.#waiting.set(stream, batch)
    }
    return batch
  }

  #schedule(): void {
    if (this.#scheduled || this.#inFlight.size >= inFlightMost) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#send()
    })
  }

  #send(): void {
    if (this.#waiting.size === 0 || this.#inFlight.size >= inFlightMost) return
    const sending = [...this.#waiting].map(([stream, batch]) => ({ stream, batch }))
    this.#waiting = new Map()
    this.#waitingBytes = 0
    const sent = this.#pipeline(sending)
      .then((outcomes) => {
        for (const [index, { stream, batch }] of sending.entries())
          this.#settle(stream, batch, outcomes[index])
      })
      .catch((error: unknown) => {
        for (const { stream, batch } of sending) this.#settle(stream, batch, error)
      })
      .finally(() => {
        this.#inFlight.delete(sent)
        this.#schedule()
      })
    this.#inFlight.add(sent)
  }

  /** One pipeline; answers what went wrong with each batch, `undefined` for nothing. */
  async #pipeline(sending: readonly Sending[]): Promise<readonly unknown[]> {
    const { link, keys, incarnation, limits } = this.#options
    const { sha } = scripts.publish
    const replies = await link.run(async (redis) => {
      const pipeline = redis.pipeline()
      for (const { stream, batch } of sending)
        for (const frames of batch.entries)
          pipeline.call(
            'EVALSHA',
            sha,
            2,
            keys.marker,
            keys.stream(stream),
            incarnation,
            limits.streamEntries,
            limits.streamBytes,
            joinEntry(frames),
          )
      return pipeline.exec()
    })
    let next = 0
    return sending.map(({ stream, batch }) => {
      const mine = replies?.slice(next, next + batch.entries.length) ?? []
      next += batch.entries.length
      return mine.map(([error, reply]) => this.#fault(stream, error, reply)).find(Boolean)
    })
  }

  #fault(stream: StreamName, error: Error | null, reply: unknown): Error | undefined {
    if (!error && reply === 'accepted') return undefined
    if (reply === 'full') return new BusFull(`${stream} is full`)
    if (reply === 'changed') {
      this.#options.onChanged()
      return new IncarnationChanged('Redis holds another incarnation')
    }
    if (isReply(error, 'OOM')) return new BusFull('the memory of Redis is used up')
    // Sent again here it would overtake what was published after it: only the producer knows the order.
    if (isReply(error, 'NOSCRIPT')) this.#reload()
    return new BusUnavailable('Redis did not take an entry', { cause: error })
  }

  #reload(): void {
    this.#options.link
      .run((redis) => redis.call('SCRIPT', 'LOAD', scripts.publish.lua))
      .catch(() => {})
  }

  #settle(stream: StreamName, batch: Batch, fault: unknown): void {
    if (fault === undefined) {
      batch.accepted.resolve()
      return
    }
    batch.accepted.reject(fault)
    const next = this.#waiting.get(stream)
    if (!next) return
    this.#waiting.delete(stream)
    this.#waitingBytes -= next.bytes
    next.accepted.reject(fault)
  }
}
