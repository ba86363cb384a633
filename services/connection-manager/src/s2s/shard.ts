import type { Entry, Operation, Position, Remote, StreamName } from '@tactus/bus'
import type { Ledger, Work } from './ledger.ts'

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
  /** Works that are not committed yet. */
  #uncommitted = 0

  constructor(
    stream: StreamName,
    {
      ledger,
      before,
    }: {
      readonly ledger: Ledger
      readonly before: ReadonlyMap<Position, Uint8Array>
    },
  ) {
    this.stream = stream
    this.#ledger = ledger
    this.#before = new Map(before)
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
  settle(item: Item, inputs: NonNullable<Work['inputs']> = []): void {
    const open = this.#open.get(item.position)
    if (!open || isSet(open.done, item.index)) return
    open.done[item.index >> 3] = (open.done[item.index >> 3] ?? 0) | (1 << (item.index & 7))
    open.left -= 1
    const bytes = inputs.reduce((sum, { frame }) => sum + sizeOf(frame), 64)
    const outcome = open.left === 0 ? this.#removal(item.position) : this.#note(item.position, open)
    this.#commit({ ...outcome, inputs, bytes })
  }

  #commit(work: Work): void {
    this.#uncommitted += 1
    this.#ledger.settle({
      ...work,
      done: () => {
        this.#uncommitted -= 1
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
  #note(position: Position, { done }: OpenEntry): Work {
    this.#before.set(position, done)
    const fields = [[position, Uint8Array.from(done)]] as const
    return { operations: [{ op: 'hset', key: doneKey(this.stream), fields }], bytes: 64 }
  }
}

/** Which frames of entries that are not gone yet are done, by position. */
export const doneKey = (stream: StreamName): string => `done:${stream}`

const isSet = (bits: Uint8Array, index: number): boolean =>
  ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0

const bytesOf = ({ stanza, recipients }: Remote): number =>
  (stanza.bytes.length + 128) * recipients.length

const sizeOf = (frame: NonNullable<Work['inputs']>[number]['frame']): number =>
  'stanza' in frame ? frame.stanza.bytes.length + 128 : 128
