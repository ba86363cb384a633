import type { InputFrame, SessionFlow, StreamName } from '@tactus/bus'

/** An input with a number of its own (design §3.4). */
export type NumberedFrame = Extract<
  InputFrame,
  { kind: 'session.open' | 'session.stanza' | 'session.enable' | 'session.state' | 'session.close' }
>

/** How much a session may have under way to its owner before its socket is read no further. */
export interface RetentionLimits {
  readonly frames: number
  readonly bytes: number
}

/** Bytes of a frame beside its stanza: ids, addresses, and what an object costs. */
const frameOverhead = 256

/**
 * The way of one session's inputs to their owner.
 *
 * Every input is kept until the owner says that it is committed; until then any instance between may
 * die, and it is published again. So order and completeness hang on this list and the owner's
 * "exactly last + 1", never on what the bus said.
 */
export class SessionLink {
  /** The stream of the partition that owns the session. */
  readonly stream: StreamName
  readonly entity: string
  readonly session: string
  epoch: number
  /** Whether the publisher has this link in its list; the publisher's alone. */
  queued = false
  /** Monotonic milliseconds when something last went forward. */
  progressAt = 0

  #frames: NumberedFrame[] = []
  #bytes = 0
  #committed: number
  #sent: number
  #ack = 0
  #ackSent = 0
  #flow: SessionFlow['state'] = 'ready'
  #flowSent: SessionFlow['state'] = 'ready'
  #flowAt = 0

  /** @param start `seq` is the last input that the owner has already: 0 for a new session. */
  constructor(
    stream: StreamName,
    entity: string,
    session: string,
    { epoch, seq }: { readonly epoch: number; readonly seq: number } = { epoch: 1, seq: 0 },
  ) {
    this.stream = stream
    this.entity = entity
    this.session = session
    this.epoch = epoch
    this.#committed = seq
    this.#sent = seq
  }

  /** Number of the last input. */
  get seq(): number {
    return this.#committed + this.#frames.length
  }

  get committed(): number {
    return this.#committed
  }

  /** Whether anything waits for its commit. */
  get isPending(): boolean {
    return this.#frames.length > 0
  }

  isFull(limits: RetentionLimits): boolean {
    return this.#frames.length >= limits.frames || this.#bytes >= limits.bytes
  }

  /** Below half of the limits: time to read the socket again. */
  hasRoom(limits: RetentionLimits): boolean {
    return this.#frames.length * 2 <= limits.frames && this.#bytes * 2 <= limits.bytes
  }

  /** The next input; its `seq` must be `this.seq + 1`. */
  add(frame: NumberedFrame): void {
    this.#frames.push(frame)
    this.#bytes += sizeOf(frame)
  }

  /** The owner has committed everything up to `seq`. Returns whether that is news. */
  commit(seq: number): boolean {
    const done = Math.min(seq - this.#committed, this.#frames.length)
    if (done <= 0) return false
    for (let at = 0; at < done; at += 1) this.#bytes -= sizeOf(this.#frames[at])
    this.#frames.splice(0, done)
    this.#committed += done
    this.#sent = Math.max(this.#sent, this.#committed)
    return true
  }

  /** Everything above `seq` is to be published again; what is committed never is. */
  rewind(seq: number): void {
    this.#sent = Math.max(this.#committed, Math.min(this.#sent, seq))
  }

  /** The client has taken everything up to out-number `n`. */
  acknowledge(n: number): void {
    if (n > this.#ack) this.#ack = n
  }

  /** The socket stalled, or can take more above out-number `n`. */
  flow(state: SessionFlow['state'], n: number): void {
    this.#flow = state
    this.#flowAt = n
  }

  /** Out-number up to which the client is known to have taken everything. */
  get acknowledged(): number {
    return this.#ack
  }

  /**
   * Moves what is to be published next to `into`; acknowledgements go before the inputs.
   *
   * @returns how things stood before, for `untake`.
   */
  take(into: InputFrame[]): Taken {
    const { entity, session, epoch } = this
    const before = { sent: this.#sent, ack: this.#ackSent, flow: this.#flowSent }
    if (this.#ack > this.#ackSent) {
      into.push({ kind: 'session.ack', entity, session, epoch, n: this.#ack })
      this.#ackSent = this.#ack
    }
    if (this.#flow !== this.#flowSent) {
      const state = this.#flow
      into.push({ kind: 'session.flow', entity, session, epoch, state, n: this.#flowAt })
      this.#flowSent = state
    }
    for (let at = this.#sent - this.#committed; at < this.#frames.length; at += 1) {
      const frame = this.#frames[at]
      if (frame) into.push(frame)
    }
    this.#sent = this.seq
    return before
  }

  /**
   * What a publish that failed had taken is to be taken again.
   *
   * Acknowledgements and flow are repeated as well: they say how things stand, so a repeat is
   * harmless, and a lost `ready` would leave the session silent.
   */
  untake(before: Taken): void {
    this.rewind(before.sent)
    this.#ackSent = Math.min(this.#ackSent, before.ack)
    this.#flowSent = before.flow
  }
}

/** How far a link had published. */
export interface Taken {
  readonly sent: number
  readonly ack: number
  readonly flow: SessionFlow['state']
}

function sizeOf(frame: NumberedFrame | undefined): number {
  return frame?.kind === 'session.stanza'
    ? frame.stanza.bytes.length + frameOverhead
    : frameOverhead
}
