import type { WayBack, WayBackProgress } from '@tactus/bus'
import { WrittenMarks } from '../session/written.ts'
import type { Connection } from '../stream/connection.ts'
import type { IncomingManagement } from './incoming-management.ts'

/** What a way back is made of. */
export interface ReturnWayOptions {
  readonly tag: string
  readonly local: string
  readonly remote: string
  readonly connection: Connection
  readonly management: IncomingManagement
  readonly random: (length: number) => Uint8Array
  /** Bytes of a stanza that the other server takes at most, where it says so (XEP-0478). */
  readonly mostBytes: number | undefined
}

/** How long it is waited for the other side to ask for stream management. */
const patience = 2_000

/**
 * The way back on a stream that another server opened (XEP-0288): for the pair of domains that was proved first, as only
 * one pair's stanzas can be counted when the stream is resumed (XEP-0198 §5). One at a time writes to it: whoever holds
 * the shard of the pair, on whatever instance.
 */
export class ReturnWay {
  readonly tag: string
  readonly local: string
  readonly remote: string
  isStalled = false
  readonly #connection: Connection
  readonly #management: IncomingManagement
  readonly #random: (length: number) => Uint8Array
  readonly #mostBytes: number | undefined
  #key: string | undefined
  /** Of who wrote before the other side wanted it managed, and may not know how far that came. */
  #plainKey: string | undefined
  #isBegun = false
  #isManaged = false
  #readyAt = Number.POSITIVE_INFINITY
  /** Stanzas written where nobody counts them. */
  #plain = 0
  #marks = new WrittenMarks()

  constructor(options: ReturnWayOptions) {
    const { tag, local, remote, connection, management, random } = options
    this.tag = tag
    this.local = local
    this.remote = remote
    this.#connection = connection
    this.#management = management
    this.#random = random
    this.#mostBytes = options.mostBytes
  }

  /** The other side may be written to from now on, unless it wants to have that managed first. */
  settled(now: number): void {
    this.#readyAt = now + patience
  }

  /** Stanzas are counted from now on. Whoever wrote before has to begin anew. */
  begin(): void {
    const key = this.#key
    this.#isBegun = true
    this.#isManaged = true
    this.release()
    this.#plainKey = key
  }

  /** Something else came: it takes stanzas, though it may want to have them managed later. */
  heard(): void {
    this.#isBegun = true
  }

  isReady(now: number): boolean {
    if (!this.#connection.isOpen || this.#management.isDeciding) return false
    return this.#isBegun || now >= this.#readyAt
  }

  /** With which the other server may resume the stream. */
  get id(): string | undefined {
    return this.#management.token
  }

  /** What was asked of the other server is not answered since, on the wheel's clock. */
  get askedAt(): number | undefined {
    return this.#management.askedAt
  }

  /** Somebody wants to write. Answers `busy` while what others have written is on its way still. */
  attach(): WayBack | 'busy' | undefined {
    if (!this.isReady(this.#connection.context.wheel.now)) return undefined
    // Nobody else writes meanwhile.
    this.release()
    const count = this.#last
    if (this.#delivered < count) {
      this.#management.request()
      return 'busy'
    }
    this.#key = Buffer.from(this.#random(9)).toString('base64url')
    const { id } = this
    return { key: this.#key, id, isManaged: this.#isManaged, mostBytes: this.#mostBytes, count }
  }

  /** Takes stanzas, of which the first has number `first`; undefined for who may not, or not any more. */
  carry(key: string, first: number, stanzas: readonly Uint8Array[]): WayBackProgress | undefined {
    if (!this.#connection.isOpen) return undefined
    const taken = { ...this.#plainProgress, isStalled: true }
    if (key === this.#plainKey) return { ...taken, isOver: true }
    if (key !== this.#key) return undefined
    // Where stanzas begin to be counted is not known yet.
    if (this.#management.isDeciding) return taken
    if (first > this.#last + 1) return undefined
    const fresh = stanzas.slice(this.#last + 1 - first)
    for (const bytes of fresh) this.#write(bytes)
    this.#management.request()
    return { next: this.#last + 1, delivered: this.#delivered, isStalled: this.isStalled }
  }

  detach(key: string): void {
    if (key === this.#key || key === this.#plainKey) this.release()
  }

  /** Whoever wrote has to begin anew. */
  release(): void {
    this.#key = undefined
    this.#plainKey = undefined
  }

  /** Hangs up, so that the other server may resume the stream. */
  drop(): void {
    this.#connection.transport.destroy()
  }

  get #last(): number {
    return this.#isManaged ? this.#management.sent : this.#plain
  }

  get #delivered(): number {
    return this.#isManaged ? this.#management.acknowledged : this.#plainProgress.delivered
  }

  get #plainProgress(): WayBackProgress {
    const { bytesWritten, transport } = this.#connection
    const delivered = this.#marks.advance(bytesWritten - transport.writableLength)
    return { next: this.#plain + 1, delivered, isStalled: this.isStalled }
  }

  #write(bytes: Uint8Array): void {
    const end = this.#connection.sendBytes(bytes)
    if (this.#isManaged) return this.#management.wrote()
    this.#plain += 1
    this.#marks.mark(this.#plain, end, this.#connection.bytesWritten)
  }
}
