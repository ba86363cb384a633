import type { Entry, Operation, Position, Remote, StreamName } from '@tactus/bus'
import type { Ledger, Mark, Work } from './ledger.ts'

/** One stanza for a remote domain, and where it came from. */
export interface Item {
  readonly shard: Shard
  readonly position: Position
  /** Which frame of its entry it is. */
  readonly index: number
  readonly frame: Remote
  readonly bytes: number
}

interface OpenEntry {
  readonly done: Uint8Array
  left: number
}

/** A shard that this instance holds: what was read of it and is not done (design §4). */
export class Shard {
  readonly stream: StreamName
  /** Since when it is held, on the monotonic clock. */
  readonly since: number
  /** Up to where it was read. */
  position: Position = '0'
  /** It is being handed over: what is not under way stays for the next holder. */
  leaving = false
  readonly #ledger: Ledger
  readonly #open = new Map<Position, OpenEntry>()
  /** Which frames of entries an earlier holder had done. */
  readonly #before: Map<Position, Uint8Array>
  /** Stanzas that were given to a connection, and that nobody else may write meanwhile. */
  busy = 0
  /** What earlier holders left of streams that may be resumed (XEP-0198 §5), by pair of domains, until it is used. */
  readonly #sessions: Map<string, RemoteSession>
  readonly #handled: Map<string, HandledCount>
  /** Works that are not committed yet. */
  #uncommitted = 0

  constructor(
    stream: StreamName,
    {
      ledger,
      since,
      before,
      sessions,
      handled = new Map(),
    }: {
      readonly since: number
      readonly ledger: Ledger
      readonly before: ReadonlyMap<Position, Uint8Array>
      readonly sessions: ReadonlyMap<string, Uint8Array>
      readonly handled?: ReadonlyMap<string, Uint8Array>
    },
  ) {
    this.stream = stream
    this.since = since
    this.#ledger = ledger
    this.#before = new Map(before)
    this.#sessions = new Map([...sessions].map(([pair, bytes]) => [pair, readSession(bytes)]))
    this.#handled = new Map([...handled].map(([pair, bytes]) => [pair, readHandled(bytes)]))
  }

  /** Pairs whose stream the other server writes by, until it is used: it may have something that nobody else can fetch. */
  get drawn(): readonly string[] {
    return [...this.#sessions].flatMap(([pair, { way }]) => (way === 'both' ? [pair] : []))
  }

  /** What an earlier holder had of the stream of a pair; once. */
  inheritHandled(pair: string): HandledCount | undefined {
    const handled = this.#handled.get(pair)
    this.#handled.delete(pair)
    return handled
  }

  handledMark(pair: string, handled: HandledCount | undefined): Mark {
    const value = handled && Buffer.from(JSON.stringify(handled))
    return { key: handledKey(this.stream), field: pair, value }
  }

  /** What an earlier holder left of the stream of a pair of domains; once. */
  inherit(pair: string): RemoteSession | undefined {
    const session = this.#sessions.get(pair)
    this.#sessions.delete(pair)
    return session
  }

  /** Nothing was to be sent for so long that no other server remembers. */
  forgetSessions(): void {
    const marks = [
      ...[...this.#sessions.keys()].map((pair) => this.sessionMark(pair, undefined)),
      ...[...this.#handled.keys()].map((pair) => this.handledMark(pair, undefined)),
    ]
    this.#sessions.clear()
    this.#handled.clear()
    if (marks.length > 0) this.#commit({ marks, bytes: 64 * marks.length })
  }

  /** How far the stream of a pair is, to be noted together with what leaves the shard. */
  sessionMark(pair: string, session: RemoteSession | undefined): Mark {
    const value = session && Buffer.from(JSON.stringify(session))
    return { key: sessionsKey(this.stream), field: pair, value }
  }

  /** Notes how far the stream of a pair is; `noted` once it is. */
  note(pair: string, session: RemoteSession | undefined, noted?: () => void): void {
    const marks = [this.sessionMark(pair, session)]
    if (!session) marks.push(this.handledMark(pair, undefined))
    this.#commit({ marks, bytes: 64 }, noted)
  }

  get isSettled(): boolean {
    return this.#uncommitted === 0 && this.busy === 0
  }

  /** Takes an entry that was read; answers what is to be done of it. */
  take(entry: Entry): readonly Item[] {
    this.position = entry.position
    const frames = entry.frames.filter((frame): frame is Remote => frame.kind === 'remote')
    const done = this.#before.get(entry.position) ?? new Uint8Array(Math.ceil(frames.length / 8))
    const items = frames.flatMap((frame, index): Item[] =>
      isSet(done, index)
        ? []
        : [{ shard: this, position: entry.position, index, frame, bytes: bytesOf(frame) }],
    )
    this.#open.set(entry.position, { done: Uint8Array.from(done), left: items.length })
    if (items.length === 0) this.#commit(this.#removal(entry.position))
    return items
  }

  /** A stanza was written, or goes back to its sender with `inputs`. */
  settle(item: Item, { inputs = [], marks = [] }: Pick<Work, 'inputs' | 'marks'> = {}): void {
    const open = this.#open.get(item.position)
    if (!open || isSet(open.done, item.index)) return
    open.done[item.index >> 3] = (open.done[item.index >> 3] ?? 0) | (1 << (item.index & 7))
    open.left -= 1
    const bytes = inputs.reduce((sum, { frame }) => sum + sizeOf(frame), 64)
    const outcome = open.left === 0 ? this.#removal(item.position) : this.#keep(item.position, open)
    this.#commit({ ...outcome, inputs, marks, bytes })
  }

  #commit(work: Work, done?: () => void): void {
    this.#uncommitted += 1
    this.#ledger.settle({
      ...work,
      done: () => {
        this.#uncommitted -= 1
        done?.()
      },
    })
  }

  #removal(position: Position): Work {
    this.#open.delete(position)
    const forget: Operation[] = this.#before.delete(position)
      ? [{ op: 'hdel', key: doneKey(this.stream), fields: [position] }]
      : []
    return { remove: { stream: this.stream, position }, operations: forget, bytes: 64 }
  }

  /** An entry that holds stanzas of several domains waits for the slowest; the next holder must not repeat the others. */
  #keep(position: Position, { done }: OpenEntry): Work {
    this.#before.set(position, done)
    const fields = [[position, Uint8Array.from(done)]] as const
    return { operations: [{ op: 'hset', key: doneKey(this.stream), fields }], bytes: 64 }
  }
}

/** How far a stream to another server is that may be resumed (XEP-0198 §5). */
export interface RemoteSession {
  /** As whoever was connected to named it. */
  readonly id: string
  /** Stanzas of it that have left the shard. */
  readonly acked: number
  /** Absent: we opened it, and it is ours alone; `both`: the other server writes by it, too; `back`: it opened it (XEP-0288). */
  readonly way?: 'both' | 'back' | undefined
}

/** How many of the other server's stanzas came by a stream of ours (XEP-0288), and are where they belong. */
export interface HandledCount {
  /** The stream's. */
  readonly id: string
  readonly h: number
}

function readSession(bytes: Uint8Array): RemoteSession {
  const { id, acked, way } = JSON.parse(Buffer.from(bytes).toString('utf8')) as RemoteSession
  return { id: String(id), acked: Number(acked), ...(way && { way }) }
}

function readHandled(bytes: Uint8Array): HandledCount {
  const { id, h } = JSON.parse(Buffer.from(bytes).toString('utf8')) as HandledCount
  return { id: String(id), h: Number(h) }
}

/** What may be resumed of a shard's streams, by pair of domains. */
export const sessionsKey = (stream: StreamName): string => `sm:${stream}`

/** How far what came by those streams is, by pair of domains. */
export const handledKey = (stream: StreamName): string => `sh:${stream}`

/** Which frames of entries that are not gone yet are done, by position. */
export const doneKey = (stream: StreamName): string => `done:${stream}`

const isSet = (bits: Uint8Array, index: number): boolean =>
  ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0

const bytesOf = ({ stanza, recipients }: Remote): number =>
  (stanza.bytes.length + 128) * recipients.length

const sizeOf = (frame: NonNullable<Work['inputs']>[number]['frame']): number =>
  'stanza' in frame ? frame.stanza.bytes.length + 128 : 128
