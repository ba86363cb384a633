import { NS_STREAM_MANAGEMENT, StreamError } from '@tactus/stanza'
import {
  ackElement,
  ackRequest,
  countTooHigh,
  enabledElement,
  failedElement,
  readCount,
  readEnable,
  resumedElement,
  StreamCounters,
  unexpected,
} from '@tactus/stream'
import type { Stanza, XmlElement } from '@tactus/xml'
import type { Reception } from './intake.ts'
import type { Mark } from './ledger.ts'

/** What the management of an incoming stream needs of it. */
export interface IncomingManagementPorts {
  send(element: XmlElement): void
  /** The pair of domains that was proved first, `remote local`; undefined before. */
  readonly pair: () => string | undefined
  readonly resumable: ResumablePorts
  /** Another stream goes on where this one was. */
  superseded(): void
  /** Stanzas are counted from now on, in both directions. */
  begun(): void
  /** What was asked for cannot be; something else may be asked for. */
  undecided(): void
  now(): number
}

/** Streams that may be resumed, on whatever instance. */
export interface ResumablePorts {
  /** Seconds for which a broken stream may be resumed; 0 for not at all. */
  readonly max: number
  token(): string
  /** Begins to keep how far a stream is; `noted` once that is on the bus. */
  open(
    token: string,
    stream: Yielding,
    about: { readonly pair: string; readonly h: number },
    noted: () => void,
  ): void
  /** What goes with the stanza that is number `h` of a stream. */
  mark(token: string, h: number): Mark
  /** Whoever has the stream gives it up; how far it came, all of it committed by its owners. Undefined where there is none to be resumed by this pair. */
  take(token: string, pair: string): Promise<number | undefined>
  /** The stream is over, and all of it is committed; `isFinal`: in good order, so that nothing is left to be resumed. */
  gone(token: string, stream: Yielding, isFinal: boolean): void
}

/** A stream that can be taken over from. */
export interface Yielding {
  /** Ends it; resolves with how many of its stanzas there were, once all of them are committed. */
  yield(): Promise<number>
}

/**
 * XEP-0198 on a stream that another server opened. What is acknowledged its recipient's owner has committed, like what a
 * client sent; how far the stream is stands on the bus with what it brought, so that it may be resumed on any instance (§5).
 */
export class IncomingManagement implements Yielding {
  readonly #ports: IncomingManagementPorts
  #counters: StreamCounters | undefined
  #token: string | undefined
  /** Stanzas that came, and are on the bus, since it was enabled. */
  #received = 0
  #committed = 0
  /** Stanzas that went back (XEP-0288), since it was enabled. */
  sent = 0
  /** When the other server was asked what it has, and has not answered yet. */
  askedAt: number | undefined
  /** Numbers of those that their recipients' owners have not committed yet, rising. */
  readonly #open = new Set<number>()
  #answering = false
  #isAnnounced = false
  #isOver = false
  #isFinal = false
  #settled: ((h: number) => void)[] = []

  constructor(ports: IncomingManagementPorts) {
    this.#ports = ports
  }

  get isOn(): boolean {
    return this.#counters !== undefined
  }

  /** With which the stream may be resumed, once it may. */
  get token(): string | undefined {
    return this.#token
  }

  /** Number of the last stanza that the other server has. */
  get acknowledged(): number {
    return this.#counters?.acknowledged ?? 0
  }

  /** It was asked for, and is not yet. */
  isDeciding = false

  /** A stanza went back. */
  wrote(): void {
    this.sent += 1
  }

  /** Asks what has arrived, unless it is asked already. */
  request(): void {
    if (!this.#isAnnounced || this.askedAt !== undefined || this.sent === this.acknowledged) return
    this.askedAt = this.#ports.now()
    this.#ports.send(ackRequest())
  }

  element(element: Stanza): Promise<void> | undefined {
    switch (element.name) {
      case 'enable':
        this.#enable(element)
        return undefined
      case 'resume':
        return this.#resume(element)
      case 'r':
        this.#asked(element)
        return undefined
      case 'a':
        this.#answered(element)
        return undefined
      default:
        throw unexpected(element)
    }
  }

  /** A stanza came in; what is to be noted when it goes onto the bus, and to be called then and once its owner has it. */
  received(): Reception {
    if (!this.#counters) return nothing
    this.#counters.received()
    this.#received += 1
    const h = this.#received
    const token = this.#token
    const marks = token === undefined ? [] : [this.#ports.resumable.mark(token, h)]
    this.#open.add(h)
    return { marks, done: () => this.#done(h), passed: () => this.#passed(h) }
  }

  /** The stream is over. @param isFinal the other side closed it in good order */
  ended(isFinal: boolean): void {
    this.#isOver = true
    this.#isFinal = isFinal
    this.#settle()
  }

  yield(): Promise<number> {
    this.#ports.superseded()
    return new Promise((resolve) => {
      this.#settled.push(resolve)
      this.#settle()
    })
  }

  #enable(element: Stanza): void {
    const pair = this.#ports.pair()
    if (this.#counters) throw new StreamError('policy-violation', 'It is enabled already.')
    if (pair === undefined) return this.#ports.send(failedElement('unexpected-request'))
    const { resumable } = this.#ports
    this.isDeciding = true
    this.#counters = new StreamCounters({ base: 0, acknowledged: 0, handled: 0 })
    if (!readEnable(element).resume || resumable.max === 0) return this.#announce(undefined)
    const token = resumable.token()
    this.#token = token
    resumable.open(token, this, { pair, h: 0 }, () => this.#announce(token))
  }

  /** Most likely it asks for management without resumption now. */
  #notResumed(): void {
    this.isDeciding = false
    this.#ports.send(failedElement('item-not-found'))
    this.#ports.undecided()
  }

  #begun(): void {
    this.isDeciding = false
    this.#ports.begun()
  }

  #announce(token: string | undefined): void {
    const { resumable, send } = this.#ports
    send(enabledElement(token, token === undefined ? undefined : resumable.max))
    this.#isAnnounced = true
    this.#begun()
    if (this.#counters && this.#counters.handled > 0) this.#answerSoon()
  }

  async #resume(element: Stanza): Promise<void> {
    const { resumable, send, pair: proved } = this.#ports
    const pair = proved()
    const { previd = '' } = element.attrs
    if (pair === undefined || this.#counters) return send(failedElement('unexpected-request'))
    this.isDeciding = true
    const isOne = /^[\w-]{16,64}$/.test(previd)
    const h = isOne ? await resumable.take(previd, pair) : undefined
    // Whoever asked may have had no patience; then the next stream asks again.
    if (this.#isOver) return
    if (h === undefined) return this.#notResumed()
    // What it has of what went back: whoever writes next goes on behind that.
    const acknowledged = readCount(element) ?? 0
    this.#counters = new StreamCounters({ base: 0, acknowledged, handled: h })
    this.sent = acknowledged
    this.#token = previd
    this.#received = h
    this.#committed = h
    this.#isAnnounced = true
    await new Promise<void>((resolve) => resumable.open(previd, this, { pair, h }, resolve))
    send(resumedElement(previd, h >>> 0))
    this.#begun()
  }

  #asked(element: Stanza): void {
    if (!this.#counters) throw unexpected(element)
    this.#counters.asked()
    this.#answerSoon()
  }

  /** What has been read together is answered once. */
  #answerSoon(): void {
    if (this.#answering || !this.#isAnnounced) return
    this.#answering = true
    queueMicrotask(() => {
      this.#answering = false
      if (this.#counters) this.#ports.send(ackElement(this.#counters.handled))
    })
  }

  #answered(element: Stanza): void {
    const h = readCount(element)
    if (!this.#counters || h === undefined) throw unexpected(element)
    this.askedAt = undefined
    const before = this.acknowledged
    if (this.#counters.acknowledge(h, this.sent) === undefined) {
      const application = countTooHigh(h, this.#counters.sent(this.sent))
      throw new StreamError('undefined-condition', undefined, { application })
    }
    // One that commits before it acknowledges has the same answer for a while: it is asked again later.
    if (this.acknowledged !== before) this.request()
  }

  #done(h: number): void {
    this.#committed = h
    this.#settle()
  }

  /** Recipients differ, and so do their owners: what counts is that nothing before it is open. */
  #passed(h: number): void {
    this.#open.delete(h)
    const [next = this.#received + 1] = this.#open
    if (this.#counters?.committed((next - 1) >>> 0)) this.#answerSoon()
  }

  #settle(): void {
    if (!this.#isOver || this.#committed < this.#received) return
    for (const resolve of this.#settled.splice(0)) resolve(this.#received)
    if (this.#token !== undefined) this.#ports.resumable.gone(this.#token, this, this.#isFinal)
  }
}

const nothing = { marks: [], done: () => {}, passed: undefined } as const

/** Whether an element belongs to stream management. */
export const isManagement = ({ ns }: Stanza): boolean => ns === NS_STREAM_MANAGEMENT
