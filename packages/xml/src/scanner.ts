import { type Attributes, attributes } from './attributes.ts'
import { outside } from './cursor.ts'
import { intern } from './intern.ts'
import type { ReaderLimits } from './limits.ts'
import { NS_STREAMS } from './namespaces.ts'
import { Scope } from './scope.ts'
import { emptyTag, endTag, noToken, streamEnd, Tokenizer } from './tokenizer.ts'
import { XmlError } from './xml-error.ts'

/** A direct child of the item, in bytes from the end of the item's start tag. */
export interface Span {
  readonly name: string
  readonly ns: string
  readonly start: number
  end: number
}

export const nothing = 0
export const foundHeader = 1
export const foundElement = 2
export const foundEnd = 3
/** What `scan` came to. */
export type Found = typeof nothing | typeof foundHeader | typeof foundElement | typeof foundEnd

const noBuffer = Buffer.alloc(0)
const noAttributes = attributes()
const noSpans: Span[] = []
const usualName = Buffer.from('stream:stream')

/** One buffer serves all that name their stream as everybody does. */
function streamNameOf(bytes: Buffer): Buffer {
  if (bytes.equals(usualName)) return usualName
  const own = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(own)
  return own
}

/**
 * The one place where bytes become XML.
 *
 * It finds items (a stream's header, a first-level element, the stream's end) and leaves what it
 * learned about the last one in its fields. All offsets count from `start`.
 */
export class Scanner {
  /** Is the next element the header of a stream, which stays open? */
  expectsHeader = false
  /** May elements of a stream's own namespace stand inside? Only in a document, such as BOSH's. */
  allowsStreams = false

  name = ''
  ns = ''
  attrs: Attributes = noAttributes
  /** Attributes of other namespaces, with the declarations they need, as they were written. */
  foreign = ''
  spans: Span[] = noSpans
  /** Ends of the start tag, of the content, and of the item. */
  headEnd = 0
  bodyEnd = 0
  end = 0
  /** Was the header a whole element by itself? */
  empty = false
  /** Did the item declare its own namespace, not rely on the stream's? */
  declared = false
  readonly scope: Scope = new Scope()

  readonly #tokens: Tokenizer
  #done: Found = nothing

  constructor(limits: ReaderLimits) {
    this.#tokens = new Tokenizer(limits)
  }

  get limits(): ReaderLimits {
    return this.#tokens.cursor.limits
  }

  set limits(limits: ReaderLimits) {
    this.#tokens.cursor.limits = limits
  }

  get buffer(): Buffer {
    return this.#tokens.cursor.buffer
  }

  /** The next byte to read. */
  get position(): number {
    return this.#tokens.cursor.position
  }

  /** Where the current item begins. */
  get start(): number {
    return this.#tokens.cursor.start
  }

  get midItem(): boolean {
    return this.#tokens.cursor.state !== outside
  }

  /** Is the item what `serialize` could have written? */
  get canonical(): boolean {
    return this.#tokens.cursor.canonical
  }

  /** Begins a document anew. `lenient` lets white space of the one before precede its declaration. */
  reset(defaultNs: string, lenient: boolean): void {
    const tokens = this.#tokens
    tokens.streamName = noBuffer
    tokens.atStart = true
    tokens.lenient = lenient
    tokens.cursor.state = outside
    this.scope.reset(defaultNs)
  }

  /** Gives it bytes up to `limit`; an unfinished item must begin at `start` of the same buffer. */
  feed(buffer: Buffer, start: number, position: number, limit: number): void {
    this.#tokens.feed(buffer, start, position, limit)
  }

  /** Lets go of the last item: there may be a hundred thousand scanners with nothing to read. */
  release(): void {
    this.attrs = noAttributes
    this.spans = noSpans
    this.foreign = ''
    this.feed(noBuffer, 0, 0, 0)
  }

  /**
   * Reads on until an item is complete, or there are no more bytes.
   *
   * @throws {XmlError}
   */
  scan(): Found {
    const tokens = this.#tokens
    this.#done = nothing
    for (;;) {
      const token = tokens.next()
      if (token === noToken) return nothing
      if (token === endTag) this.#endElement(tokens.cursor.endTagFrom)
      else if (token === streamEnd) this.#done = foundEnd
      else this.#startTag(token === emptyTag)
      if (this.#done === nothing) continue
      tokens.endItem()
      return this.#done
    }
  }

  #startTag(empty: boolean): void {
    const { scope } = this
    const { cursor, tag } = this.#tokens
    const { depth, buffer, start } = cursor
    cursor.bits |= tag.bits
    scope.unbound = this.expectsHeader ? 'bad-namespace-prefix' : 'not-well-formed'
    const ns = scope.enter(tag, buffer, start, cursor.limits.namespaces)
    if (depth === 0) this.#topTag(ns)
    else this.#innerTag(ns, depth)
    if (this.expectsHeader) {
      this.#endHeader(empty)
      return
    }
    this.#tokens.push()
    if (!empty) return
    cursor.depth = depth
    this.#endElement(this.headEnd)
  }

  #topTag(ns: string): void {
    const { cursor, tag } = this.#tokens
    const { buffer, start, position } = cursor
    const local = Math.max(tag.nameFrom, tag.colon + 1)
    this.spans = []
    this.ns = ns
    this.name = intern(buffer, start + local, start + tag.nameTo)
    this.headEnd = position - start
    this.attrs = tag.attributes(buffer, start, this.headEnd)
    this.foreign = tag.prefixed ? tag.foreign(buffer, start) : ''
    this.declared = this.scope.declaresDefault
    // Only here may `xmlns` repeat what is inherited: a stanza is to stand alone.
    if (tag.prefixed) cursor.canonical = false
  }

  #innerTag(ns: string, depth: number): void {
    const { cursor, tag } = this.#tokens
    if (this.scope.odd) cursor.canonical = false
    if (ns === NS_STREAMS && !this.allowsStreams)
      throw new XmlError('bad-format', 'an element of the stream inside a stanza')
    if (depth > 1) return
    const { buffer, start } = cursor
    const local = Math.max(tag.nameFrom, tag.colon + 1)
    const name = intern(buffer, start + local, start + tag.nameTo)
    this.spans.push({ name, ns, start: tag.nameFrom - 1 - this.headEnd, end: 0 })
  }

  #endHeader(empty: boolean): void {
    const { cursor, tag } = this.#tokens
    cursor.expectText()
    const { buffer, start } = cursor
    this.#tokens.streamName = streamNameOf(
      buffer.subarray(start + tag.nameFrom, start + tag.nameTo),
    )
    this.expectsHeader = false
    this.empty = empty
    this.#done = foundHeader
  }

  #endElement(bodyEnd: number): void {
    const { cursor } = this.#tokens
    this.scope.leave()
    if (cursor.depth === 1) {
      const child = this.spans[this.spans.length - 1] as Span
      child.end = cursor.position - cursor.start - this.headEnd
    } else if (cursor.depth === 0) {
      cursor.expectText()
      this.bodyEnd = bodyEnd
      this.end = cursor.position - cursor.start
      this.#done = foundElement
    }
  }
}
