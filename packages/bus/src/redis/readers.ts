import type { Entry, Position, StreamName } from '../bus.ts'
import { decodeEntry, type UnreadableFrame } from '../proto/codec.ts'
import type { Keys } from './keys.ts'
import type { RedisLink } from './link.ts'

/** Where an unreadable frame was found, with its bytes. */
export interface Fault {
  readonly stream: StreamName
  readonly position: Position
  readonly error: UnreadableFrame
}

interface ReadersOptions {
  readonly keys: Keys
  readonly commandTimeout: number
  readonly connect: () => RedisLink
  /** Ends a blocked read of another connection. */
  readonly unblock: (clientId: number) => Promise<unknown>
  /** @throws {IncarnationChanged} when this is not the marker of this handle */
  readonly checkMarker: (marker: unknown) => void
  readonly onFault: (fault: Fault) => void
}

interface Wanted {
  readonly positions: ReadonlyMap<StreamName, Position>
  readonly count: number
  readonly wait: number
  readonly signal: AbortSignal | undefined
}

type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]]
type RawStream = readonly [key: Buffer, entries: readonly RawEntry[]]

/** Connections kept for the next read. */
const idleMost = 4
/** Bytes of one reply above which the next reads ask for half as many entries, and below which for twice as many. */
const replyBytes = { most: 8 * 1024 * 1024, few: 1024 * 1024 }
/** Entries of a stream in one reply, however many a caller would take. */
const entriesMost = 4_096

/** Blocking reads: each has a connection of its own while it lasts, because nothing else gets through meanwhile. */
export class Readers implements AsyncDisposable {
  readonly #options: ReadersOptions
  readonly #idle: RedisLink[] = []
  readonly #busy = new Set<RedisLink>()
  /** After an outage all streams are long, and Redis knows no limit of bytes: this is what keeps a reply small. */
  #entries = entriesMost

  constructor(options: ReadersOptions) {
    this.#options = options
  }

  async read({ positions, count, wait, signal }: Wanted): Promise<Entry[]> {
    if (signal?.aborted || positions.size === 0) return []
    const link = this.#idle.pop() ?? this.#options.connect()
    this.#busy.add(link)
    const reading = this.#xread(link, positions, count, wait).finally(() => this.#release(link))
    if (!signal) return reading

    const stopped = Promise.withResolvers<Entry[]>()
    const stop = (): void => {
      stopped.resolve([])
      if (this.#busy.has(link)) this.#options.unblock(link.clientId).catch(() => {})
    }
    signal.addEventListener('abort', stop)
    try {
      return await Promise.race([reading, stopped.promise])
    } finally {
      signal.removeEventListener('abort', stop)
      reading.catch(() => {}) // stopped: what it ends with concerns nobody
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const links = [...this.#busy, ...this.#idle]
    await Promise.all(links.map((link) => link[Symbol.asyncDispose]()))
  }

  #release(link: RedisLink): void {
    this.#busy.delete(link)
    if (this.#idle.length < idleMost) this.#idle.push(link)
    else link[Symbol.asyncDispose]().catch(() => {})
  }

  async #xread(
    link: RedisLink,
    positions: ReadonlyMap<StreamName, Position>,
    count: number,
    wait: number,
  ): Promise<Entry[]> {
    const { keys, commandTimeout, checkMarker } = this.#options
    const block = wait > 0 ? ['BLOCK', Math.ceil(wait)] : []
    const names = [...positions.keys()].map((name) => keys.stream(name))
    const [marker, streams] = await link.pipeline((pipeline) => {
      pipeline.get(keys.marker)
      pipeline.callBuffer(
        'XREAD',
        'COUNT',
        Math.min(count, this.#entries),
        ...block,
        'STREAMS',
        ...names,
        ...positions.values(),
      )
    }, wait + commandTimeout)
    checkMarker(marker)
    return this.#decode((streams ?? []) as readonly RawStream[])
  }

  #adapt(streams: readonly RawStream[]): void {
    let bytes = 0
    let longest = 0
    for (const [, entries] of streams) {
      longest = Math.max(longest, entries.length)
      for (const [, [, entry]] of entries) bytes += entry?.length ?? 0
    }
    if (bytes > replyBytes.most) this.#entries = Math.max(1, longest >> 1)
    else if (bytes < replyBytes.few) this.#entries = Math.min(entriesMost, this.#entries * 2)
  }

  #decode(streams: readonly RawStream[]): Entry[] {
    const { keys, onFault } = this.#options
    this.#adapt(streams)
    return streams.flatMap(([key, entries]) => {
      const stream = keys.streamName(key.toString())
      return entries.map(([id, [, bytes = Buffer.alloc(0)]]) => {
        const position = id.toString()
        const frames = decodeEntry(bytes, (error) => onFault({ stream, position, error }))
        return { stream, position, frames }
      })
    })
  }
}
