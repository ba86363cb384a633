import type { Env } from '@tactus/env'
import type { ChainableCommander } from 'ioredis'
import {
  type Bus,
  type BusRecord,
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
import type { BusLimits } from '../limits.ts'
import { decodeAnnouncement, encodeAnnouncement } from '../proto/announcement.ts'
import type { InputFrame, OutputFrame } from '../proto/frames.ts'
import { decodeQueueEntry } from '../proto/queue-entry.ts'
import { encodeRecord } from '../proto/record.ts'
import type { Keys } from './keys.ts'
import type { RedisLink } from './link.ts'
import { Monitor } from './monitor.ts'
import { Publisher } from './publisher.ts'
import { type Fault, Readers } from './readers.ts'
import { Requests } from './requests.ts'
import { type Script, scripts } from './scripts.ts'

/** What `openRedisBus` hands to the bus it made. */
export interface RedisBusParts {
  readonly env: Env
  readonly keys: Keys
  readonly incarnation: number
  readonly limits: BusLimits
  readonly commandTimeout: number
  readonly pollInterval: number
  readonly link: RedisLink
  readonly connect: () => RedisLink
  readonly onFault: (fault: Fault) => void
  /** Plain sentences about what is wrong with this Redis' configuration. */
  readonly warnings: readonly string[]
}

type Extents = Awaited<ReturnType<Bus['extent']>>

/** One page of a queue: enough for most resumptions, little enough not to hold up others. */
const queuePage = { entries: 256, bytes: 512 * 1024 }
/** Milliseconds that the delivery stream of a silent instance is kept. */
const orphaned = 600_000

/** The bus over one Redis primary: streams, scripts and lists, described in this package's README. */
export class RedisBus implements Bus {
  readonly incarnation: number
  /** Plain sentences about what is wrong with Redis' configuration, to be logged at start. */
  readonly warnings: readonly string[]
  readonly #parts: RedisBusParts
  readonly #publisher: Publisher
  readonly #readers: Readers
  readonly #requests: Requests
  readonly #monitor: Monitor
  #changed = false

  /** Made by `openRedisBus`. */
  constructor(parts: RedisBusParts) {
    this.#parts = parts
    this.incarnation = parts.incarnation
    this.warnings = parts.warnings
    const { link, keys } = parts
    const checkMarker = (marker: unknown): void => this.#checkMarker(marker)
    this.#monitor = new Monitor({ ...parts, checkMarker })
    this.#publisher = new Publisher({
      ...parts,
      pressure: () => this.pressure(),
      onChanged: () => {
        this.#changed = true
      },
    })
    this.#readers = new Readers({
      ...parts,
      checkMarker,
      unblock: (id) => link.run((redis) => redis.call('CLIENT', 'UNBLOCK', id)),
    })
    this.#requests = new Requests({ ...parts, keys })
  }

  publish(stream: StreamName, frames: readonly (InputFrame | OutputFrame)[]): Promise<void> {
    if (this.#changed) return Promise.reject(this.#lost())
    return this.#publisher.publish(stream, frames)
  }

  async read(
    positions: ReadonlyMap<StreamName, Position>,
    { count, wait, signal }: Parameters<Bus['read']>[1],
  ): Promise<Entry[]> {
    if (this.#changed) throw this.#lost()
    return this.#readers.read({ positions, count, wait, signal })
  }

  async remove(stream: StreamName, upTo: Position): Promise<void> {
    const [major = '0', minor = '0'] = upTo.split('-')
    const next = `${major}-${Number(minor) + 1}`
    const key = this.#parts.keys.stream(stream)
    await this.#ask((pipeline) => pipeline.xtrim(key, 'MINID', '=', next))
  }

  async extent(streams: readonly StreamName[]): Promise<Extents> {
    if (streams.length === 0) return new Map()
    const { keys } = this.#parts
    const names = streams.map((name) => keys.stream(name))
    const reply = await this.#script(scripts.extent, [keys.marker, ...names], [this.incarnation])
    const extents = reply as readonly (readonly [Buffer, Buffer, number])[]
    return new Map(
      extents.map(([first, last, length], index) => [
        streams[index] ?? '',
        { first: first.length > 0 ? first.toString() : undefined, last: last.toString(), length },
      ]),
    )
  }

  async commit(record: StepRecord): Promise<CommitOutcome> {
    const { keys } = this.#parts
    const reply = await this.#script(
      scripts.commit,
      [keys.marker, keys.steps, keys.fenced],
      [keys.prefix, this.incarnation, encodeRecord(record)],
    )
    const [name, positions] = reply as readonly [Buffer, readonly Buffer[] | undefined]
    const outcome = name.toString() as CommitOutcome['outcome']
    if (outcome === 'gap' || outcome === 'fenced') return { outcome }
    return { outcome, positions: (positions ?? []).map(String) }
  }

  async fence(router: string, record: StepRecord | undefined): Promise<void> {
    const { keys } = this.#parts
    const outcome = await this.#script(
      scripts.fence,
      [keys.marker, keys.steps, keys.fenced],
      [keys.prefix, this.incarnation, router, record ? encodeRecord(record) : ''],
    )
    if (String(outcome) === 'gap')
      throw new IncarnationChanged(`steps of ${router} before ${record?.step} are missing`)
  }

  async step(router: string): Promise<number> {
    const [step] = await this.#ask((pipeline) => pipeline.hget(this.#parts.keys.steps, router))
    return Number(step ?? 0)
  }

  async claim(
    name: string,
    believed: string | undefined,
    next: string | undefined,
  ): Promise<string | undefined> {
    const { keys } = this.#parts
    const reply = await this.#script(
      scripts.claim,
      [keys.marker, keys.claims],
      [this.incarnation, name, believed ?? '', next ?? ''],
    )
    const [, holder] = reply as readonly [Buffer, Buffer]
    return holder.length > 0 ? holder.toString() : undefined
  }

  async claims(): Promise<ReadonlyMap<string, string>> {
    const [reply] = await this.#ask((pipeline) => pipeline.hgetall(this.#parts.keys.claims))
    return new Map(Object.entries(reply as Readonly<Record<string, string>>))
  }

  async record(name: string): Promise<BusRecord | undefined> {
    const key = this.#parts.keys.record(name)
    const [reply] = await this.#ask((pipeline) =>
      pipeline.callBuffer('HMGET', key, 'version', 'value'),
    )
    const [version, value] = reply as readonly (Buffer | null)[]
    return version && value ? { version: Number(version.toString()), value } : undefined
  }

  async replace(
    name: string,
    version: number,
    value: Uint8Array | undefined,
    ttl: number,
  ): Promise<boolean> {
    const { keys } = this.#parts
    const lives = value === undefined ? 0 : Math.max(1, Math.ceil(ttl))
    const reply = await this.#script(
      scripts.replace,
      [keys.marker, keys.record(name)],
      [this.incarnation, version, Buffer.from(value ?? ''), lives],
    )
    return String((reply as readonly Buffer[])[0]) === 'replaced'
  }

  async hashes(
    names: readonly string[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>> {
    const { keys } = this.#parts
    const replies = await this.#ask((pipeline) => {
      for (const name of names) pipeline.callBuffer('HGETALL', keys.hash(name))
    })
    return new Map(names.map((name, index) => [name, pairs(replies[index])]))
  }

  async due(
    names: readonly string[],
    max: number,
    limit: number,
  ): Promise<ReadonlyMap<string, readonly (readonly [member: string, score: number])[]>> {
    const { keys } = this.#parts
    const top = Number.isFinite(max) ? max : '+inf'
    const replies = await this.#ask((pipeline) => {
      for (const name of names)
        pipeline.zrangebyscore(keys.sortedSet(name), '-inf', top, 'WITHSCORES', 'LIMIT', 0, limit)
    })
    return new Map(names.map((name, index) => [name, scored(replies[index])]))
  }

  async queue(queue: string, from: number, to: number): Promise<readonly QueueEntry[]> {
    const { keys } = this.#parts
    const entries: QueueEntry[] = []
    const last = Math.min(to, Number.MAX_SAFE_INTEGER)
    for (let after = from; ; ) {
      const reply = await this.#script(
        scripts.queue,
        [keys.marker, keys.queue(queue)],
        [this.incarnation, keys.payloads, after, last, queuePage.entries, queuePage.bytes],
      )
      const page = queueEntries(queue, reply as readonly (Buffer | null)[])
      entries.push(...page)
      const end = page.at(-1)
      if (!end || end.n >= last) return entries
      after = end.n
    }
  }

  async beat(instance: InstanceInfo, ttl: number): Promise<void> {
    const { keys } = this.#parts
    const { id } = instance
    await this.#script(
      scripts.beat,
      [keys.marker, keys.announcement(id), keys.instances, keys.stream(`d:${id}`)],
      [this.incarnation, id, encodeAnnouncement(instance), Math.ceil(ttl), orphaned],
    )
  }

  async leave(id: string): Promise<void> {
    const { keys } = this.#parts
    await this.#ask((pipeline) => {
      pipeline.unlink(keys.announcement(id))
      pipeline.zrem(keys.instances, id)
    })
  }

  async instances(): Promise<readonly InstanceInfo[]> {
    const { keys } = this.#parts
    const [ids] = await this.#ask((pipeline) => pipeline.zrange(keys.instances, 0, '-1'))
    const listed = ids as readonly string[]
    if (listed.length === 0) return []
    const names = listed.map((id) => keys.announcement(id))
    const [found] = await this.#ask((pipeline) => pipeline.mgetBuffer(...names))
    return (found as readonly (Buffer | null)[])
      .filter((bytes) => bytes !== null)
      .map(decodeAnnouncement)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  async request(instance: string, request: Request, timeout: number): Promise<unknown> {
    if (this.#changed) throw this.#lost()
    return this.#requests.request(instance, request, timeout)
  }

  serve(
    instance: string,
    handler: (request: Request) => Promise<unknown>,
    options?: { readonly atWork?: number },
  ): AsyncDisposable {
    return this.#requests.serve(instance, handler, options)
  }

  pressure(): number {
    return this.#monitor.pressure
  }

  /** Sends what was published, then closes all connections; calls that still wait end with `BusUnavailable`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher.drain()
    this.#monitor.stop()
    await Promise.all([
      this.#readers[Symbol.asyncDispose](),
      this.#requests[Symbol.asyncDispose](),
      this.#parts.link[Symbol.asyncDispose](),
    ])
  }

  /** One pipeline of commands behind a look at the marker; answers their replies. */
  async #ask(add: (pipeline: ChainableCommander) => unknown): Promise<readonly unknown[]> {
    const [marker, ...replies] = await this.#parts.link.pipeline((pipeline) => {
      pipeline.get(this.#parts.keys.marker)
      add(pipeline)
    })
    this.#checkMarker(marker)
    return replies
  }

  async #script(
    script: Script,
    keys: readonly string[],
    args: readonly (string | Buffer | number)[],
  ): Promise<unknown> {
    const reply = await this.#parts.link.script(script, keys, args)
    const name = Array.isArray(reply) ? reply[0] : reply
    if (Buffer.isBuffer(name) && name.equals(changed)) {
      this.#changed = true
      throw this.#lost()
    }
    return reply
  }

  #checkMarker(marker: unknown): void {
    if (marker === String(this.incarnation)) return
    this.#changed = true
    throw this.#lost()
  }

  #lost(): IncarnationChanged {
    return new IncarnationChanged(`Redis no longer holds incarnation ${this.incarnation}`)
  }
}

const changed = Buffer.from('changed')

function pairs(reply: unknown): Map<string, Uint8Array> {
  const flat = (reply ?? []) as readonly Buffer[]
  const map = new Map<string, Uint8Array>()
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const value = flat[index + 1]
    // Copied: a slice would keep the whole reply of Redis alive for as long as the value is cached.
    if (value) map.set(String(flat[index]), Buffer.from(value))
  }
  return map
}

function scored(reply: unknown): (readonly [member: string, score: number])[] {
  const flat = (reply ?? []) as readonly string[]
  const members: (readonly [string, number])[] = []
  for (let index = 0; index + 1 < flat.length; index += 2)
    members.push([flat[index] ?? '', Number(flat[index + 1])])
  return members
}

function queueEntries(queue: string, reply: readonly (Buffer | null)[]): QueueEntry[] {
  const entries: QueueEntry[] = []
  for (let index = 0; index + 1 < reply.length; index += 2) {
    const entry = decodeQueueEntry(reply[index] ?? Buffer.alloc(0))
    const payload = reply[index + 1]
    if (!payload) throw new Error(`queue ${queue}: the payload of entry ${entry.n} is gone`)
    entries.push('bytes' in entry.payload ? entry : { ...entry, payload: { bytes: payload } })
  }
  return entries
}
