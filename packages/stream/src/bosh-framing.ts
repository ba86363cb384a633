import { NS_CLIENT, NS_STREAMS, StreamError } from '@tactus/stanza'
import {
  NS_FRAMING,
  type ReaderLimits,
  type StreamEvent,
  type StreamHeader,
  type XmlElement,
  XmlError,
} from '@tactus/xml'
import type { BoshBody } from './bosh-body.ts'
import type { Farewell, Framing, StreamInput } from './framing.ts'
import type { ResponseHeader } from './header.ts'
import { isStanza } from './negotiate.ts'
import { standalone } from './standalone.ts'

const nothing = new Uint8Array()

/** Something that comes in: an event, or the end of a request, behind which all before it has been looked at. */
type Incoming = StreamEvent | { readonly kind: 'end'; readonly taken: () => void }

/** The first word of a stream that a body stands for. */
export interface Opening {
  readonly to: string | undefined
  readonly from: string | undefined
  readonly lang: string | undefined
  readonly version: string | undefined
}

/**
 * XEP-0206: bodies carry the stream's elements, the header becomes attributes, and an error of the stream ends the
 * session. Each session has a framing of its own, which is told what its requests bring and tells what its answers
 * have to say.
 */
export class BoshFraming implements Framing {
  readonly name = 'bosh'
  readonly isAnswered = false
  readonly keepAlive: Uint8Array = nothing
  /** Our header, until an answer has told it. */
  header: ResponseHeader | undefined
  /** The error that the stream ended with. */
  error: XmlElement | undefined
  farewell: Farewell = {}
  /** Made for each connection, of which a framing has one. */
  incoming: BoshInput | undefined

  input(limits: ReaderLimits): BoshInput {
    this.incoming = new BoshInput(limits)
    return this.incoming
  }

  open(header: ResponseHeader): string {
    this.header = header
    return ''
  }

  element(element: XmlElement): string {
    if (element.name !== 'error' || element.attrs.xmlns !== NS_STREAMS)
      return standalone(element, NS_CLIENT)
    this.error = element
    return ''
  }

  stanza(stanza: { wire(): Uint8Array }): Uint8Array {
    return stanza.wire()
  }

  close(farewell: Farewell = {}): string {
    this.farewell = farewell
    return ''
  }

  message(payload: Uint8Array): Uint8Array {
    return payload
  }

  end(): undefined {}
}

/** What a session's requests bring, in their order. */
export class BoshInput implements StreamInput {
  readonly midItem = false
  readonly isOver = false
  /** Stanzas that come next and were handled already, before the session went to another instance. */
  skip = 0
  #limits: ReaderLimits
  #total = 0
  #incoming: Incoming[] = []
  #expectsOpen = true

  constructor(limits: ReaderLimits) {
    this.#limits = limits
  }

  get buffered(): number {
    return this.#incoming.length
  }

  /** The stream was opened before, on another instance. */
  resume(): void {
    this.#expectsOpen = false
  }

  /**
   * Takes a request's body; `taken` is called when all of it has been handled as far as that does not wait.
   * `opening` is there where it opens a stream, the first or the next.
   *
   * @throws {XmlError} for one that is larger than its sender may send at this time
   */
  offer(body: BoshBody, opening: Opening | undefined, taken: () => void): void {
    const { bytes, totalBytes = Number.POSITIVE_INFINITY } = this.#limits
    this.#total += body.bytes.length
    if (body.bytes.length > bytes || this.#total > totalBytes)
      throw new XmlError('policy-violation', 'more bytes than allowed')
    if (opening) this.#incoming.push({ kind: 'open', header: headerOf(opening) })
    // XEP-0206 §5: what comes with a restart is ignored.
    else for (const stanza of body.payload) this.#incoming.push({ kind: 'stanza', stanza })
    this.#incoming.push({ kind: 'end', taken })
  }

  /** The client has taken leave. */
  close(): void {
    this.#incoming.push({ kind: 'close' })
  }

  /** What is fed was offered before. */
  feed(): void {}

  next(): StreamEvent | undefined {
    for (let next = this.#incoming.shift(); next; next = this.#incoming.shift()) {
      if (next.kind === 'end') next.taken()
      else if (!this.#isHandled(next)) return this.#inTurn(next)
    }
    return undefined
  }

  setLimits(limits: ReaderLimits): void {
    this.#limits = limits
  }

  reset(): void {
    this.#expectsOpen = true
  }

  #isHandled(event: StreamEvent): boolean {
    if (this.skip === 0 || event.kind !== 'stanza' || !isStanza(event.stanza)) return false
    this.skip -= 1
    return true
  }

  #inTurn(event: StreamEvent): StreamEvent {
    const isOpen = event.kind === 'open'
    if (isOpen !== this.#expectsOpen && event.kind !== 'close')
      throw isOpen
        ? new StreamError('policy-violation', 'The stream is open already.')
        : new StreamError('policy-violation', 'The stream has to be restarted first.')
    this.#expectsOpen = false
    return event
  }
}

/** As over WebSocket, where nothing is inside the header either. */
function headerOf({ to, from, lang, version = '1.0' }: Opening): StreamHeader {
  const named = Object.entries({ to, from, 'xml:lang': lang, version })
  const attrs = Object.fromEntries(named.filter(([, value]) => value !== undefined))
  return {
    name: 'open',
    ns: NS_FRAMING,
    attrs: attrs as Record<string, string>,
    defaultNs: '',
    lang,
    version,
    prefixes: new Map(),
  }
}
