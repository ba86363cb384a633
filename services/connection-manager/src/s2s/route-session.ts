import type { Mark } from './ledger.ts'
import type { Item, RemoteSession, Shard } from './shard.ts'

/** More than may ever be on its way: a count so far from ours is none of the same stream. */
const mostNews = 2 ** 31

/** A stream that begins. */
export interface Renewal {
  /** With which it may be resumed; undefined where it may not. */
  readonly id: string | undefined
  readonly way?: RemoteSession['way']
  /** Stanzas of it that were sent already, by others; none when absent. */
  readonly count?: number
  /** Stanzas may be written now. */
  readonly noted: () => void
}

/**
 * How far a pair of domains is with the other server's count of what it got (XEP-0198 §5), on the bus and here.
 *
 * The bus knows the stream's id and how many of its stanzas have left the shard; what is left in the shard is, in order,
 * what follows. So whoever holds the shard next learns from the other server's `h` what of that arrived. Nothing may leave
 * the shard but with that number, and nothing be written before the id is on the bus.
 */
export class RouteSession {
  readonly shard: Shard
  readonly #pair: string
  #id: string | undefined
  #way: RemoteSession['way']
  /** Number of the last stanza that has left the shard; below 0 where the first was begun on an earlier stream. */
  #acked = 0
  /** Stanzas that arrived and whose turn has not come yet. */
  #skip = 0
  /** Recipients of the next item that have it. */
  #offset = 0
  #isNoted = true
  /** Stanzas that go back to their senders, and have not left the shard. */
  #returning = 0
  /** What begins once the other server's count of the stream before is used up. */
  #next: Renewal | undefined

  constructor(shard: Shard, pair: string) {
    this.shard = shard
    this.#pair = pair
    const inherited = shard.inherit(pair)
    this.#id = inherited?.id
    this.#way = inherited?.way
    this.#acked = inherited?.acked ?? 0
  }

  get id(): string | undefined {
    return this.#id
  }

  /** Which way the stream is that the id is of. */
  get way(): RemoteSession['way'] {
    return this.#id === undefined ? undefined : this.#way
  }

  /** Whether the next items are such that the other server has. */
  get skipping(): boolean {
    return this.#skip > 0
  }

  get hasOffset(): boolean {
    return this.#offset > 0
  }

  /** Whether what waits has not arrived. */
  get isBegun(): boolean {
    return this.#skip === 0 && this.#next === undefined
  }

  /** Whether stanzas may be written. */
  get isOpen(): boolean {
    return this.isBegun && this.#isNoted && this.#returning === 0
  }

  /** Number of the last stanza that the other server has, of those that this side knows of. */
  get n(): number {
    return this.#acked + this.#skip + this.#offset
  }

  /** The stream goes on; `h` is what the other server has. False when that cannot be. */
  resume(h: number): boolean {
    return this.#arrived(h)
  }

  /** Another stream begins; `lost` is what the other server has of the one before, where it says so. */
  renew(lost: number | undefined, renewal: Renewal): void {
    this.#next = renewal
    if (this.#id === undefined || lost === undefined || !this.#arrived(lost)) this.#skip = 0
  }

  /** Begins what was renewed, once everything that arrived before has left. */
  begin(): void {
    if (!this.#next) return
    const { id, way, count = 0, noted } = this.#next
    this.#next = undefined
    const isKnown = this.#id !== undefined || id !== undefined
    this.#id = id
    this.#way = way
    this.#acked = count - this.#offset
    if (!isKnown) return
    this.#isNoted = false
    const begun = Symbol('stream')
    this.#noting = begun
    this.shard.note(this.#pair, this.#record, () => {
      if (this.#noting !== begun) return
      this.#isNoted = true
      noted()
    })
  }

  #noting: symbol | undefined

  /** Whether all of an item has arrived before. Where only some of its recipients have it, the rest is for `takeOffset`. */
  skip({ frame }: Item): boolean {
    const count = frame.recipients.length
    if (this.#skip >= count) return true
    if (this.#skip > 0) this.#offset = this.#skip
    this.#skip = 0
    return false
  }

  /** What goes with an item that is skipped. */
  skipped({ frame }: Item): readonly Mark[] {
    this.#skip -= frame.recipients.length
    return this.left(this.#acked + frame.recipients.length)
  }

  /** Recipients of the item that is written now who have it. */
  takeOffset(): number {
    const offset = this.#offset
    this.#offset = 0
    return offset
  }

  /** What goes with an item that leaves the shard, whose last stanza has number `n`. */
  left(n: number): readonly Mark[] {
    this.#acked = n
    return this.#id === undefined ? [] : [this.shard.sessionMark(this.#pair, this.#record)]
  }

  /** The stream broke. Where nothing is open there is nothing to be resumed. */
  broken(isOpen: boolean): void {
    const isKept = isOpen || this.#skip > 0 || this.#offset > 0
    this.#next = undefined
    this.#skip = 0
    this.#offset = 0
    this.#noting = undefined
    this.#isNoted = true
    if (!isKept) this.forget()
  }

  /** Nothing will be resumed; `forgotten` once the bus knows, and what left the shard before is committed. */
  forget(forgotten: () => void = () => {}): void {
    if (this.#id === undefined) forgotten()
    else this.shard.note(this.#pair, undefined, forgotten)
    this.#id = undefined
    this.#acked = 0
  }

  /**
   * Something goes back to its sender, though the stream goes on. Nothing is written until that has left the shard, as
   * whoever holds the shard next would take it for the first of what was written after it; `left` then.
   */
  pause(left: () => void): void {
    if (this.#id === undefined) return
    this.#returning += 1
    this.shard.note(this.#pair, this.#record, () => {
      this.#returning -= 1
      left()
    })
  }

  /** Something that may have been sent goes back to its sender: then the counts say nothing any more. */
  abandon(): readonly Mark[] {
    if (this.#id === undefined) return []
    this.#id = undefined
    this.#skip = 0
    this.#offset = 0
    this.#acked = 0
    return [this.shard.sessionMark(this.#pair, undefined)]
  }

  #arrived(h: number): boolean {
    const news = (h - this.#acked) >>> 0
    if (news >= mostNews) return false
    this.#skip = news
    this.#offset = 0
    return true
  }

  get #record(): RemoteSession | undefined {
    if (this.#id === undefined) return undefined
    return { id: this.#id, acked: this.#acked, ...(this.#way && { way: this.#way }) }
  }
}
