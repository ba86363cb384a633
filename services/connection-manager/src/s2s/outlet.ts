import { NS_SERVER } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { WrittenMarks } from '../session/written.ts'
import type { OutgoingStream } from './outgoing-stream.ts'

/** Whatever stanzas go to another server by. */
export interface Outlet {
  readonly isOpen: boolean
  /** More may be sent now. */
  readonly hasRoom: boolean
  /** The other server tells what it has, and may be asked later what it had (XEP-0198). */
  readonly isManaged: boolean
  /** Bytes of a stanza that the other server takes at most, where it says so (XEP-0478). */
  readonly mostBytes: number | undefined
  /** Number of the last stanza that need not be kept any longer. */
  readonly delivered: number
  /** Sends the stanza of this number; they rise by one. */
  send(stanza: Stanza, n: number): void
  /** All of a turn was sent. */
  flushed(): void
  /** Asks how far it is, where that is not told by itself or asked already. */
  look(): void
  /** Whether an answer is overdue. */
  isMute(): boolean
  /** Nothing more will come. */
  close(): void
  /** Hangs up without a word, so that what was left may be resumed. */
  drop(): void
}

/** A stream that we opened. */
export class StreamOutlet implements Outlet {
  readonly hasRoom = true
  readonly isManaged: boolean
  readonly mostBytes: number | undefined
  readonly stream: OutgoingStream
  readonly #idle: number
  readonly #patience: number
  readonly #marks: WrittenMarks

  /**
   * @param stream one that is ready
   * @param from number of the last stanza that the other server has
   * @param idle milliseconds after which it is closed when nothing is sent
   * @param patience milliseconds that an acknowledgement may take
   */
  constructor(
    stream: OutgoingStream,
    {
      from,
      idle,
      patience,
    }: { readonly from: number; readonly idle: number; readonly patience: number },
  ) {
    this.stream = stream
    this.isManaged = stream.management.isOn
    this.mostBytes = stream.mostBytes
    if (this.isManaged) stream.management.count(from)
    this.#idle = idle
    this.#patience = patience
    this.#marks = new WrittenMarks(from)
    stream.idleAfter = idle
    this.#touch()
  }

  get isOpen(): boolean {
    return this.stream.connection.isOpen
  }

  get delivered(): number {
    const { management, connection } = this.stream
    if (this.isManaged) return management.acknowledged
    return this.#marks.advance(connection.bytesWritten - connection.transport.writableLength)
  }

  send(stanza: Stanza, n: number): void {
    const { connection } = this.stream
    const end = connection.sendBytes(connection.framing.stanza(stanza.inNamespace(NS_SERVER)))
    if (!this.isManaged) this.#marks.mark(n, end, connection.bytesWritten)
    this.stream.management.sent(n)
  }

  flushed(): void {
    this.stream.management.request()
    this.#touch()
  }

  look(): void {
    this.stream.management.request()
  }

  isMute(): boolean {
    const { askedAt } = this.stream.management
    return (
      askedAt !== undefined && this.stream.connection.context.wheel.now - askedAt > this.#patience
    )
  }

  close(): void {
    this.stream.connection.finish('closed')
  }

  drop(): void {
    this.stream.connection.transport.destroy()
  }

  #touch(): void {
    const { wheel } = this.stream.connection.context
    this.stream.idleUntil = wheel.now + this.#idle
    this.stream.connection.wakeAt(this.stream.idleUntil)
  }
}
