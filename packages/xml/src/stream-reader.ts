import { isBlank, isSpace } from './byte-kinds.ts'
import type { ReaderLimits } from './limits.ts'
import { NS_FRAMING, NS_STREAMS } from './namespaces.ts'
import { asBuffer } from './scan-document.ts'
import { type Found, foundElement, foundEnd, foundHeader, nothing, Scanner } from './scanner.ts'
import { Stanza } from './stanza.ts'
import type { StreamEvent, StreamHeader } from './stream-event.ts'
import { exceeded, malformed, XmlError } from './xml-error.ts'

/** How elements are told apart on the transport: RFC 6120, or one a message as in RFC 7395. */
export type Framing = 'tcp' | 'websocket'

const noBuffer = Buffer.alloc(0)
/** What the first buffer for an unfinished item holds at least. */
const smallest = 1_024

/**
 * Turns the bytes of a stream into events, validating on the way.
 *
 * Every byte is read once, however the bytes are cut into chunks, and what is kept is never more than
 * `limits.bytes` and the last chunk. `push` does it all at once. Where an event changes how the rest is
 * to be read (`<starttls/>`, `<auth/>`, raised limits), call `feed` and then `next` for one event after
 * another: what follows the event is still unread when it is returned.
 */
export class StreamReader {
  readonly #scanner: Scanner
  readonly #framing: Framing
  #buffer: Buffer = noBuffer
  /** Where the bytes in the buffer end. */
  #end = 0
  /** Bytes taken since the beginning. */
  #taken = 0
  #closed = false
  #failure: unknown

  constructor({ limits, framing = 'tcp' }: { limits: ReaderLimits; framing?: Framing }) {
    this.#scanner = new Scanner(limits)
    this.#framing = framing
    this.#scanner.expectsHeader = framing === 'tcp'
  }

  /**
   * Takes a chunk and returns the events it completes. Over WebSocket, a chunk is a whole message.
   *
   * The reader and its stanzas keep the chunk's memory: do not write to it afterwards.
   *
   * @throws {XmlError} with the `events` before the fault; the reader is dead from then on
   */
  push(chunk: Uint8Array): StreamEvent[] {
    const events: StreamEvent[] = []
    try {
      this.feed(chunk)
      for (let event = this.next(); event; event = this.next()) events.push(event)
    } catch (error) {
      if (error instanceof XmlError) error.events = events
      throw error
    }
    return events
  }

  /** Takes a chunk without reading it yet. */
  feed(chunk: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure
    const bytes = asBuffer(chunk)
    this.#taken += bytes.length
    if (this.buffered === 0) this.#use(bytes)
    else this.#extend(bytes)
  }

  /**
   * Reads the next event, or returns undefined when the bytes end before it does.
   *
   * @throws {XmlError} the reader is dead from then on
   */
  next(): StreamEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure
    try {
      const event = this.#framing === 'tcp' ? this.#nextInStream() : this.#nextMessage()
      if (event === undefined && this.buffered === 0) this.#release()
      return event
    } catch (error) {
      this.#failure = error
      this.#release()
      throw error
    }
  }

  /** Applies to the item being read, too. */
  setLimits(limits: ReaderLimits): void {
    this.#scanner.limits = limits
  }

  /**
   * Begins a new stream on the same transport, after SASL or TLS.
   *
   * `keepBuffered` reads what is still unread, an unfinished item from its beginning, as part of the new
   * stream. After STARTTLS that would let anybody put words into the encrypted stream (RFC 6120 §5.3.5).
   */
  reset({ keepBuffered }: { keepBuffered: boolean }): void {
    const from = keepBuffered ? this.#unread : this.#end
    this.#scanner.reset('', true)
    this.#scanner.expectsHeader = this.#framing === 'tcp'
    this.#scanner.feed(this.#buffer, from, from, this.#end)
    this.#closed = false
  }

  /** Bytes kept: an incomplete item, and what `next` has not been asked for. */
  get buffered(): number {
    return this.#end - this.#unread
  }

  /** Has an item begun that is not complete? */
  get midItem(): boolean {
    return this.#scanner.midItem
  }

  /** Where what is still needed begins. */
  get #unread(): number {
    return this.#scanner.midItem ? this.#scanner.start : this.#scanner.position
  }

  #use(bytes: Buffer): void {
    this.#buffer = bytes
    this.#end = bytes.length
    this.#scanner.feed(bytes, 0, 0, bytes.length)
  }

  #release(): void {
    this.#buffer = noBuffer
    this.#end = 0
    this.#scanner.release()
  }

  /** Puts a chunk behind what is unread. Earlier stanzas share the buffer: nothing moves inside it. */
  #extend(bytes: Buffer): void {
    const from = this.#unread
    const kept = this.#end - from
    const size = kept + bytes.length
    // The caller's chunk is always full; only a buffer made here has room.
    if (this.#end + bytes.length > this.#buffer.length) {
      const room = Math.min(size * 2, this.#scanner.limits.bytes + bytes.length)
      const larger = Buffer.allocUnsafeSlow(Math.max(size, room, smallest))
      this.#buffer.copy(larger, 0, from, this.#end)
      this.#scanner.feed(larger, 0, this.#scanner.position - from, kept)
      this.#buffer = larger
      this.#end = kept
    }
    bytes.copy(this.#buffer, this.#end)
    this.#end += bytes.length
  }

  /** Up to where the bytes may be read; less than all where `totalBytes` forbids the rest. */
  #allowed(): number {
    const { totalBytes } = this.#scanner.limits
    if (totalBytes === undefined || this.#taken <= totalBytes) return this.#end
    return Math.max(this.#scanner.position, this.#end - (this.#taken - totalBytes))
  }

  #scan(): Found {
    const scanner = this.#scanner
    const limit = this.#allowed()
    scanner.feed(this.#buffer, scanner.start, scanner.position, limit)
    const found = scanner.scan()
    if (found === nothing && limit < this.#end) exceeded('bytes in all')
    return found
  }

  #nextInStream(): StreamEvent | undefined {
    if (this.#closed) return this.#expectSilence()
    switch (this.#scan()) {
      case foundHeader:
        return { kind: 'open', header: streamHeader(this.#scanner) }
      case foundElement:
        return { kind: 'stanza', stanza: Stanza.fromScanner(this.#scanner) }
      case foundEnd:
        this.#closed = true
        return { kind: 'close' }
      default:
        return undefined
    }
  }

  /** Only white space may follow the end of a stream. */
  #expectSilence(): undefined {
    const scanner = this.#scanner
    if (!isBlank(this.#buffer, scanner.position, this.#end)) malformed('bytes after the end')
    scanner.feed(this.#buffer, 0, this.#end, this.#end)
    return undefined
  }

  /** One message is one element (RFC 7395 §3.3.3); one of nothing but white space keeps alive. */
  #nextMessage(): StreamEvent | undefined {
    const scanner = this.#scanner
    if (scanner.position === this.#end) return undefined
    scanner.reset('', false)
    const first = this.#buffer[scanner.position] as number
    if (this.#scan() === nothing) {
      if (scanner.midItem) malformed('message without a whole element')
      return undefined
    }
    if (isSpace(first)) throw new XmlError('bad-format', 'message begins with white space')
    if (!isBlank(this.#buffer, scanner.position, this.#end)) malformed('message of two elements')
    scanner.feed(this.#buffer, scanner.start, this.#end, this.#end)
    if (scanner.ns === NS_FRAMING && scanner.name === 'open')
      return { kind: 'open', header: headerOf(scanner) }
    if (scanner.ns === NS_FRAMING && scanner.name === 'close') return { kind: 'close' }
    return { kind: 'stanza', stanza: Stanza.fromScanner(scanner) }
  }
}

function headerOf(scanner: Scanner): StreamHeader {
  const { name, ns, attrs, scope } = scanner
  const { defaultNs, prefixes } = scope
  return { name, ns, attrs, defaultNs, lang: attrs['xml:lang'], version: attrs.version, prefixes }
}

/** @throws {XmlError} for what opens no stream (RFC 6120 §4.9.3.2, §4.9.3.10) */
function streamHeader(scanner: Scanner): StreamHeader {
  const header = headerOf(scanner)
  if (header.ns !== NS_STREAMS) {
    // Bound, but not used where it is needed.
    const bound = [...header.prefixes.values()].includes(NS_STREAMS)
    throw new XmlError(
      bound ? 'bad-namespace-prefix' : 'invalid-namespace',
      'stream is not in its namespace',
    )
  }
  if (header.name !== 'stream') throw new XmlError('bad-format', 'stream has another name')
  if (scanner.empty) malformed('stream without content')
  return header
}
