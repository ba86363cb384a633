import type { SessionEnabled } from '@tactus/bus'
import { NS_STREAM_MANAGEMENT, StreamError } from '@tactus/stanza'
import {
  ackElement,
  ackRequest,
  countTooHigh,
  type EnableRequest,
  enabledElement,
  failedElement,
  readCount,
  readEnable,
  StreamCounters,
  unexpected,
} from '@tactus/stream'
import type { Stanza, XmlElement } from '@tactus/xml'

/** What stream management does to its session. */
export interface ManagedSession {
  send(element: XmlElement): void
  /** Hands `<enable/>` to the owner, at its place among the inputs. */
  enable(request: EnableRequest): void
  /** The client has everything up to out-number `n`. */
  acknowledged(n: number): void
}

/** How what a session sends and gets is counted and acknowledged: by the client's elements, or by what carries it. */
export interface SessionManagement {
  /** Whether the client acknowledges by itself what it gets. */
  readonly isOn: boolean
  /** When to look whether the client has answered; undefined where it was not asked. */
  readonly dueAt: number | undefined
  /** Stanzas of the client so far, modulo 2^32. */
  readonly count: number
  /** Takes an element of the namespace. `out` is the last out-number that was sent. */
  element(element: Stanza, out: number): void
  /** A stanza of the client has come in. */
  received(): void
  /** The owner has committed the client's stanzas up to `h`. */
  committed(h: number): void
  /** The owner has taken `<enable/>`. */
  enabled(frame: SessionEnabled, out: number): void
  /** Everything up to out-number `out` is with the client; `<enabled/>` may be next. */
  wrote(out: number): void
  /** Tells the client what is handled. */
  acknowledge(): void
  /** Asks the client what it has, unless it was asked; true when it was asked now. */
  request(until: number): boolean
  /** Whether something was sent that the client has not acknowledged. */
  owes(out: number): boolean
}

/**
 * Stream management of one session (XEP-0198), as far as the connection has a part in it: the owner
 * decides what is handled and keeps the queue; here are the elements between.
 */
export class Management implements SessionManagement {
  readonly #session: ManagedSession
  #counters: StreamCounters | undefined
  #enabling = false
  /** The answer, until everything before it is written: it says from where on to count. */
  #enabled: SessionEnabled | undefined
  /** What came in after `<enable/>` and before its answer. */
  #early = { received: 0, handled: 0, asked: false }
  #answering = false
  /** When an asked for acknowledgement is too late. */
  #dueAt: number | undefined

  constructor(session: ManagedSession, counters?: StreamCounters) {
    this.#session = session
    this.#counters = counters
  }

  get isOn(): boolean {
    return this.#counters !== undefined
  }

  get dueAt(): number | undefined {
    return this.#dueAt
  }

  get count(): number {
    return this.#counters?.count ?? this.#early.received
  }

  element(element: Stanza, out: number): void {
    switch (element.name) {
      case 'enable':
        this.#enable(element)
        break
      case 'r':
        this.#asked(element)
        break
      case 'a':
        this.#answered(element, out)
        break
      case 'resume':
        // §5: only before binding.
        this.#session.send(failedElement('unexpected-request'))
        break
      default:
        throw unexpected(element)
    }
  }

  received(): void {
    if (this.#counters) this.#counters.received()
    else if (this.#enabling) this.#early.received += 1
  }

  committed(h: number): void {
    if (!this.#counters) this.#early.handled = h
    else if (this.#counters.committed(h)) this.acknowledge()
  }

  enabled(frame: SessionEnabled, out: number): void {
    this.#enabled = frame
    this.wrote(out)
  }

  wrote(out: number): void {
    const frame = this.#enabled
    if (!frame || out < frame.n) return
    this.#enabled = undefined
    this.#session.send(enabledElement(frame.id, frame.max))
    const { received, handled, asked } = this.#early
    const counters = new StreamCounters({ base: frame.n, acknowledged: frame.n, handled: 0 })
    for (let count = 0; count < received; count += 1) counters.received()
    this.#counters = counters
    counters.committed(handled)
    if (!asked) return
    counters.asked()
    this.acknowledge()
  }

  acknowledge(): void {
    if (this.#counters) this.#session.send(ackElement(this.#counters.handled))
  }

  request(until: number): boolean {
    if (!this.#counters || this.#dueAt !== undefined) return false
    this.#dueAt = until
    this.#session.send(ackRequest())
    return true
  }

  owes(out: number): boolean {
    return this.#counters !== undefined && out > this.#counters.acknowledged
  }

  #enable(element: Stanza): void {
    // §3: one attempt; a client that has lost count of that is not to be trusted with others.
    if (this.#enabling || this.#counters)
      throw new StreamError('policy-violation', 'Stream management is enabled already.')
    this.#enabling = true
    this.#session.enable(readEnable(element))
  }

  #asked(element: Stanza): void {
    if (this.#counters) {
      this.#counters.asked()
      this.#answerSoon()
    } else if (this.#enabling) this.#early.asked = true
    else throw unexpected(element)
  }

  /** What has been read together is answered once: a flood of requests is not sent back as a flood. */
  #answerSoon(): void {
    if (this.#answering) return
    this.#answering = true
    queueMicrotask(() => {
      this.#answering = false
      this.acknowledge()
    })
  }

  #answered(element: Stanza, out: number): void {
    const h = readCount(element)
    if (!this.#counters) throw unexpected(element)
    if (h === undefined) throw new StreamError('policy-violation', 'The count is not a number.')
    this.#dueAt = undefined
    const n = this.#counters.acknowledge(h, out)
    if (n !== undefined) {
      this.#session.acknowledged(n)
      return
    }
    const application = countTooHigh(h, this.#counters.sent(out))
    throw new StreamError('undefined-condition', undefined, { application })
  }
}

/** Whether an element belongs to stream management. */
export function isManagement(element: Stanza): boolean {
  return element.ns === NS_STREAM_MANAGEMENT
}
