import type { Env } from '@tactus/env'
import {
  type Bus,
  BusFull,
  type BusRecord,
  BusUnavailable,
  type CommitOutcome,
  type Entry,
  IncarnationChanged,
  type InstanceInfo,
  type Position,
  type QueueEntry,
  type Request,
  type StepRecord,
  type StreamName,
} from '../bus.ts'
import { type BusLimits, defaultLimits } from '../limits.ts'
import { checkRecord } from '../operations.ts'
import type { InputFrame, OutputFrame } from '../proto/frames.ts'
import { Batch, frameBytes } from './batch.ts'
import { collect, MemoryBroker } from './memory-broker.ts'
import type { MemoryState } from './memory-state.ts'
import type { Extent } from './memory-stream.ts'
import type { Scored } from './sorted-set.ts'

/** How a `MemoryBus` is made. */
export interface MemoryBusOptions {
  readonly env: Env
  readonly limits?: Partial<BusLimits>
  /** Shared by the handles of several instances; a handle of its own by default. */
  readonly broker?: MemoryBroker
  /** The broker's by default. */
  readonly incarnation?: number
  /** Writes the marker where it is missing or older; only for who raised the incarnation in the store. */
  readonly create?: boolean
}

type Frames = readonly (InputFrame | OutputFrame)[]
type ReadOptions = Parameters<Bus['read']>[1]

/**
 * The bus within one process: what standalone, tests and the simulation run on, and the executable specification of
 * the scripts in Redis.
 *
 * Frames are handed over by reference and are frozen by convention. Memory is given back only by removal, as in Redis.
 */
export class MemoryBus implements Bus {
  readonly incarnation: number
  readonly #env: Env
  readonly #limits: BusLimits
  readonly #broker: MemoryBroker
  readonly #batches = new Map<StreamName, Batch>()
  readonly #closing = new Set<() => void>()
  #closed = false

  /** @throws {IncarnationChanged} when the broker holds another incarnation */
  constructor(options: MemoryBusOptions) {
    this.#env = options.env
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#broker = options.broker ?? new MemoryBroker(options.incarnation)
    this.incarnation = options.incarnation ?? this.#broker.marker ?? 1
    this.#broker.open(this.incarnation, options.create ?? false)
  }

  publish(stream: StreamName, frames: Frames): Promise<void> {
    if (frames.length === 0) return Promise.resolve()
    let bytes = 0
    for (const frame of frames) bytes += frameBytes(frame)
    try {
      this.#admit(stream, bytes)
    } catch (error) {
      return Promise.reject(error)
    }
    let batch = this.#batches.get(stream)
    if (!batch) {
      if (this.#batches.size === 0) queueMicrotask(() => this.#flush())
      batch = new Batch()
      this.#batches.set(stream, batch)
    }
    batch.add(frames, bytes)
    return batch.accepted
  }

  read(
    positions: ReadonlyMap<StreamName, Position>,
    { count, wait, signal }: ReadOptions,
  ): Promise<Entry[]> {
    return new Promise((resolve, reject) => {
      const take = (): Entry[] => collect(this.#state(), positions, count)
      const entries = take()
      if (entries.length > 0 || wait <= 0 || signal?.aborted) return resolve(entries)

      const end = (): void => {
        cancel()
        this.#broker.waiters.delete(waiter)
        this.#closing.delete(stop)
        signal?.removeEventListener('abort', stop)
      }
      const stop = (): void => {
        end()
        resolve([])
      }
      const waiter = {
        positions,
        wake: (): void => {
          end()
          resolve(take())
        },
        fail: (error: Error): void => {
          end()
          reject(error)
        },
      }
      const cancel = this.#env.clock.after(wait, stop)
      this.#broker.waiters.add(waiter)
      this.#closing.add(stop)
      signal?.addEventListener('abort', stop)
    })
  }

  async remove(stream: StreamName, upTo: Position): Promise<void> {
    const state = this.#state()
    state.bytes -= state.streams.get(stream)?.removeUpTo(upTo) ?? 0
  }

  async extent(streams: readonly StreamName[]): Promise<ReadonlyMap<StreamName, Extent>> {
    const state = this.#state()
    const nothing: Extent = { first: undefined, last: '0', length: 0 }
    return new Map(streams.map((name) => [name, state.streams.get(name)?.extent() ?? nothing]))
  }

  async commit(record: StepRecord): Promise<CommitOutcome> {
    checkRecord(record)
    return this.#state().commit(record)
  }

  async fence(router: string, record: StepRecord | undefined): Promise<void> {
    if (record) checkRecord(record)
    if (!this.#state().fence(router, record))
      throw new IncarnationChanged(`steps of ${router} before ${record?.step} are missing`)
  }

  async step(router: string): Promise<number> {
    return this.#state().step(router)
  }

  async claim(
    name: string,
    believed: string | undefined,
    next: string | undefined,
  ): Promise<string | undefined> {
    return this.#state().claim(name, believed, next)
  }

  async claims(): Promise<ReadonlyMap<string, string>> {
    return new Map(this.#state().claims)
  }

  async record(name: string): Promise<BusRecord | undefined> {
    const found = this.#state().record(name, this.#env.clock.monotonic())
    return found && { version: found.version, value: found.value }
  }

  async replace(
    name: string,
    version: number,
    value: Uint8Array | undefined,
    ttl: number,
  ): Promise<boolean> {
    return this.#state().replace(name, version, { value, ttl, now: this.#env.clock.monotonic() })
  }

  async hashes(
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>> {
    const { hashes } = this.#state()
    return new Map(keys.map((key) => [key, new Map(hashes.get(key))]))
  }

  async due(
    keys: readonly string[],
    max: number,
    limit: number,
  ): Promise<ReadonlyMap<string, readonly Scored[]>> {
    const { sortedSets } = this.#state()
    return new Map(keys.map((key) => [key, sortedSets.get(key)?.upTo(max, limit) ?? []]))
  }

  async queue(queue: string, from: number, to: number): Promise<readonly QueueEntry[]> {
    return this.#state().queue(queue, from, to)
  }

  async beat(instance: InstanceInfo, ttl: number): Promise<void> {
    this.#state()
    const deadline = this.#env.clock.monotonic() + ttl
    this.#broker.announcements.set(instance.id, { instance, deadline })
  }

  async leave(id: string): Promise<void> {
    this.#state()
    this.#broker.announcements.delete(id)
  }

  async instances(): Promise<readonly InstanceInfo[]> {
    this.#state()
    const now = this.#env.clock.monotonic()
    const alive: InstanceInfo[] = []
    for (const [id, { instance, deadline }] of this.#broker.announcements) {
      if (deadline > now) alive.push(instance)
      else this.#broker.announcements.delete(id)
    }
    return alive.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  request(instance: string, request: Request, timeout: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#state()
      const end = (): void => {
        cancel()
        forget()
        this.#closing.delete(stop)
      }
      const stop = (): void => {
        end()
        reject(new BusUnavailable(`${instance} did not answer ${request.method}`))
      }
      const cancel = this.#env.clock.after(timeout, stop)
      this.#closing.add(stop)
      const forget = this.#broker.requests.ask(instance, {
        request,
        settle: (answer) => answer.then(resolve, reject).finally(end),
      })
    })
  }

  serve(instance: string, handler: (request: Request) => Promise<unknown>): AsyncDisposable {
    const stop = this.#broker.requests.serve(instance, handler)
    this.#closing.add(stop)
    return {
      [Symbol.asyncDispose]: async () => {
        stop()
        this.#closing.delete(stop)
      },
    }
  }

  pressure(): number {
    if (this.#limits.memory === 0 || this.#broker.marker !== this.incarnation) return 0
    return this.#broker.state(this.incarnation).bytes / this.#limits.memory
  }

  /** Ends what this handle waits for; what it put on the bus stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush()
    this.#closed = true
    for (const stop of [...this.#closing]) stop()
  }

  #state(): MemoryState {
    if (this.#closed) throw new BusUnavailable('this handle of the bus was closed')
    return this.#broker.state(this.incarnation)
  }

  #admit(stream: StreamName, bytes: number): void {
    const { streamEntries, streamBytes, memory, pressure } = this.#limits
    const state = this.#state()
    const target = state.streams.get(stream)
    const waiting = this.#batches.get(stream)
    const entries = (target?.length ?? 0) + (waiting?.length ?? 0)
    const full = entries >= streamEntries && !waiting?.fits()
    const held = (target?.bytes ?? 0) + (waiting?.bytes ?? 0)
    if (full || held + bytes > streamBytes) throw new BusFull(`${stream} is full`)
    if (memory > 0 && (state.bytes + bytes) / memory >= pressure)
      throw new BusFull('the memory of the bus is nearly used up')
  }

  #flush(): void {
    const batches = [...this.#batches]
    this.#batches.clear()
    for (const [stream, batch] of batches) {
      try {
        const state = this.#state()
        for (const { frames, bytes } of batch.entries) state.append(stream, frames, bytes)
        batch.accept()
      } catch (error) {
        batch.refuse(error)
      }
    }
  }
}
