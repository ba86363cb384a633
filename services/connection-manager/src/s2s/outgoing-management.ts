import { NS_STREAM_MANAGEMENT, StreamError } from '@tactus/stanza'
import {
  ackElement,
  ackRequest,
  countTooHigh,
  readCount,
  StreamCounters,
  unexpected,
} from '@tactus/stream'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import type { Handled } from './handled.ts'
import type { Reception } from './intake.ts'

/** How a stream to another server begins, as far as stanzas are counted. */
export type Beginning =
  | {
      readonly kind: 'new'
      /** With which it may be resumed; undefined where it may not. */
      readonly id: string | undefined
      /** Stanzas of the stream before that the other server has, where it says so. */
      readonly lost: number | undefined
    }
  | { readonly kind: 'resumed'; readonly h: number }

/** What the management of an outgoing stream needs of it. */
export interface ManagementPorts {
  send(element: XmlElement): void
  now(): number
  /** Negotiated, or given up. */
  begun(): void
  /** The other server has more. */
  acknowledged(): void
  /** What came by the stream; undefined where nothing may. */
  readonly handled: Handled | undefined
}

/** Ids longer than this are not kept, and not resumed. */
const longestId = 4_000

/** XEP-0198 on a stream that we opened: asks for it, resumes, and learns what the other server has. */
export class OutgoingManagement {
  beginning: Beginning = { kind: 'new', id: undefined, lost: undefined }
  /** When the other server was asked what it has, and has not answered yet. */
  askedAt: number | undefined
  readonly #ports: ManagementPorts
  #state: 'off' | 'resuming' | 'enabling' | 'on' = 'off'
  #lost: number | undefined
  #previd = ''
  /** What was handled before. */
  #begunAt = 0
  #counters: StreamCounters | undefined
  #sent = 0

  constructor(ports: ManagementPorts) {
    this.#ports = ports
  }

  get isOn(): boolean {
    return this.#state === 'on'
  }

  /** Number of the last stanza that the other server has. */
  get acknowledged(): number {
    return this.#counters?.acknowledged ?? 0
  }

  /** Asks for it. @param previd the stream that may be resumed */
  begin(previd: string | undefined): void {
    this.#state = previd === undefined ? 'enabling' : 'resuming'
    this.#previd = previd ?? ''
    const xmlns = NS_STREAM_MANAGEMENT
    const h = String((previd === undefined ? 0 : (this.#ports.handled?.of(previd) ?? 0)) >>> 0)
    if (previd !== undefined) this.#ports.send(xml('resume', { xmlns, h, previd }))
    else this.#ports.send(xml('enable', { xmlns, resume: 'true' }))
  }

  /** Stanzas are counted from here; `from` is the number of the last that the other server has. */
  count(from: number): void {
    this.#counters = new StreamCounters({ base: 0, acknowledged: from, handled: this.#begunAt })
    this.#sent = from
  }

  /** A stanza came by it (XEP-0288); what goes with it. */
  received(): Reception {
    const { handled } = this.#ports
    if (!this.isOn || !handled) return nothing
    this.#counters?.received()
    return handled.received((h) => {
      if (this.#counters?.committed(h >>> 0)) this.#answer()
    })
  }

  #answer(): void {
    this.#ports.send(ackElement(this.#counters?.handled ?? 0))
  }

  sent(n: number): void {
    this.#sent = n
  }

  /** Asks what has arrived, unless it is asked already. */
  request(): void {
    if (!this.isOn || this.askedAt !== undefined || this.#sent === this.acknowledged) return
    this.askedAt = this.#ports.now()
    this.#ports.send(ackRequest())
  }

  element(element: Stanza): void {
    switch (element.name) {
      case 'enabled':
        return this.#enabled(element)
      case 'resumed':
        return this.#resumed(element)
      case 'failed':
        return this.#failed(element)
      case 'r':
        this.#counters?.asked()
        return this.#answer()
      case 'a':
        return this.#answered(element)
      default:
        throw unexpected(element)
    }
  }

  #enabled(element: Stanza): void {
    if (this.#state !== 'enabling') throw unexpected(element)
    const { id, resume } = element.attrs
    const mayResume = (resume === 'true' || resume === '1') && id !== undefined && id !== ''
    const kept = mayResume && id.length <= longestId ? id : undefined
    this.#ports.handled?.begin(kept)
    this.#begun({ kind: 'new', id: kept, lost: this.#lost })
  }

  #resumed(element: Stanza): void {
    const h = readCount(element)
    if (this.#state !== 'resuming' || h === undefined) throw unexpected(element)
    this.#begunAt = this.#ports.handled?.of(this.#previd) ?? 0
    this.#begun({ kind: 'resumed', h })
  }

  /** §5: it may say what it had all the same. */
  #failed(element: Stanza): void {
    if (this.#state === 'resuming') {
      this.#lost = readCount(element)
      return this.begin(undefined)
    }
    if (this.#state !== 'enabling') throw unexpected(element)
    this.#state = 'off'
    this.beginning = { kind: 'new', id: undefined, lost: this.#lost }
    this.#ports.begun()
  }

  #begun(beginning: Beginning): void {
    this.#state = 'on'
    this.beginning = beginning
    this.#ports.begun()
  }

  #answered(element: Stanza): void {
    const h = readCount(element)
    if (!this.#counters || h === undefined) throw unexpected(element)
    this.askedAt = undefined
    const before = this.acknowledged
    if (this.#counters.acknowledge(h, this.#sent) === undefined) {
      const application = countTooHigh(h, this.#counters.sent(this.#sent))
      throw new StreamError('undefined-condition', undefined, { application })
    }
    this.#ports.acknowledged()
    // One that commits before it acknowledges has the same answer for a while: it is asked again later.
    if (this.acknowledged !== before) this.request()
  }
}

const nothing = { marks: [], done: () => {}, passed: undefined } as const
