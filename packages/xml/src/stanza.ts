import { type Attributes, attributes } from './attributes.ts'
import { isNcName } from './characters.ts'
import type { XmlElement } from './element.ts'
import { escapeAttribute } from './escape.ts'
import { documentLimits, type ReaderLimits } from './limits.ts'
import { NS_STREAMS, namespaceOf } from './namespaces.ts'
import { scanDocument } from './scan-document.ts'
import type { Scanner, Span } from './scanner.ts'
import { serialize } from './serialize.ts'
import { buildTree } from './tree.ts'

/** A direct child of a stanza: what it is, and where in `Stanza.bytes` it stands. */
export interface ChildSpan {
  readonly name: string
  readonly ns: string
  /** In bytes, of `<`. */
  readonly start: number
  /** In bytes, behind `>`. */
  readonly end: number
}

/** Canonical content, shared by all stanzas that differ only in their start tag. */
interface Body {
  readonly source: Buffer
  /** Where the element's own start tag was, if it was read. */
  readonly start: number
  readonly from: number
  readonly to: number
  /** Behind the element, so that after content the end tag can be copied along. */
  readonly end: number
  /** From the beginning of the content. */
  readonly spans: readonly Readonly<Span>[]
}

/** The start tag: where it was read, its `xmlns` may have been there or inherited. */
type Head = 'declared' | 'inherited' | 'changed'

interface StanzaParts {
  readonly name: string
  readonly ns: string
  readonly attrs: Attributes
  readonly foreign: string
  readonly body: Body
  readonly head: Head
}

const streamsDeclaration = ` xmlns='${NS_STREAMS}'`
const noPrefixes: ReadonlyMap<string, string> = new Map()

/**
 * A first-level element of a stream: bytes until somebody needs to look inside.
 *
 * Immutable; the methods that change something return another stanza that shares the content's bytes.
 * A stanza may share memory with the chunk it was read from, so nobody may write to that.
 */
export class Stanza {
  readonly name: string
  readonly ns: string
  /** Unprefixed attributes and those of `xml:`, without `xmlns`. Nothing is inherited. */
  readonly attrs: Readonly<Record<string, string>>

  readonly #foreign: string
  readonly #body: Body
  readonly #head: Head
  #attributeText: string | undefined
  #bytes: Buffer | undefined
  #children: readonly ChildSpan[] | undefined
  #element: XmlElement | undefined
  #trees: Map<Span, XmlElement> | undefined

  private constructor(parts: StanzaParts) {
    this.name = parts.name
    this.ns = parts.ns
    this.attrs = parts.attrs
    this.#foreign = parts.foreign
    this.#body = parts.body
    this.#head = parts.head
  }

  /**
   * The stanza that an element built here is.
   *
   * @throws {TypeError} when the tree is not XML
   */
  static from(element: XmlElement): Stanza {
    return scanDocument(serialize(element), { defaultNs: '' }, Stanza.fromCanonical)
  }

  /**
   * Reads a whole stanza from storage or the bus, or with other limits, a BOSH body. `ns` is what it is
   * in if it does not say so.
   *
   * @throws {XmlError} Even these bytes are validated: what is stored may be older than a rule.
   */
  static parse(bytes: Uint8Array | string, ns = '', limits: ReaderLimits = documentLimits): Stanza {
    return scanDocument(bytes, { defaultNs: ns, limits }, Stanza.fromScanner)
  }

  /**
   * @internal What a scanner has just found; rewritten unless its bytes may be passed on.
   *
   * SECURITY: the limits hold for the rewritten text, too. A quote becomes six bytes, and what had grown
   * over the limit of another server would make it close the stream that all our users share.
   */
  static fromScanner(scanner: Scanner): Stanza {
    if (scanner.canonical) return Stanza.fromCanonical(scanner)
    const { buffer, start, end, scope, limits } = scanner
    const tree = buildTree(buffer.toString('utf8', start, start + end), scope)
    return scanDocument(serialize(tree), { defaultNs: '', limits }, Stanza.fromCanonical)
  }

  /** @internal The same where the text is known to be the serializer's. */
  static fromCanonical(scanner: Scanner): Stanza {
    const { buffer: source, start, headEnd, bodyEnd, end, spans } = scanner
    return new Stanza({
      name: scanner.name,
      ns: scanner.ns,
      attrs: scanner.attrs,
      foreign: scanner.foreign,
      body: { source, start, from: start + headEnd, to: start + bodyEnd, end: start + end, spans },
      head: scanner.declared || scanner.ns === '' ? 'declared' : 'inherited',
    })
  }

  /** The canonical text of the whole element; it declares its namespace and so stands alone. */
  get bytes(): Uint8Array {
    this.#bytes ??= this.#whole()
    return this.#bytes
  }

  /** Direct child elements in document order. */
  get children(): readonly ChildSpan[] {
    this.#children ??= this.#place()
    return this.#children
  }

  /** The whole tree, built on first use and then shared: whoever changes it must `clone` it first. */
  get element(): XmlElement {
    this.#element ??= buildTree(this.toString(), { defaultNs: '', prefixes: noPrefixes })
    return this.#element
  }

  get to(): string | undefined {
    return this.attrs.to
  }

  get from(): string | undefined {
    return this.attrs.from
  }

  get id(): string | undefined {
    return this.attrs.id
  }

  get type(): string | undefined {
    return this.attrs.type
  }

  get lang(): string | undefined {
    return this.attrs['xml:lang']
  }

  /** Is there a direct child of that namespace, and of that name unless it is null? */
  hasChild(name: string | null, ns: string): boolean {
    return this.#find(name, ns) !== undefined
  }

  /** The tree of the first such child and of nothing else; shared like `element`. */
  child(name: string | null, ns: string): XmlElement | undefined {
    const span = this.#find(name, ns)
    if (span === undefined) return undefined
    this.#trees ??= new Map()
    let tree = this.#trees.get(span)
    if (tree === undefined) {
      const { source, from } = this.#body
      const text = source.toString('utf8', from + span.start, from + span.end)
      tree = buildTree(text, { defaultNs: this.ns, prefixes: noPrefixes })
      this.#trees.set(span, tree)
    }
    return tree
  }

  /** A direct child as a stanza of its own, such as what a `<forwarded/>` or a BOSH body holds. */
  extract(child: ChildSpan): Stanza {
    return Stanza.parse(this.bytes.subarray(child.start, child.end), this.ns)
  }

  /**
   * The same content under another start tag: attributes are set, or removed where undefined.
   *
   * @throws {TypeError} when a name or a value is not XML
   */
  with(attrs: Readonly<Record<string, string | undefined>>): Stanza {
    return this.#derive(merge(this.attrs, attrs), this.ns, this.#body)
  }

  /**
   * The same stanza in another content namespace, as when it goes from a client's stream to a server's
   * (RFC 6120 §4.8.3). What inherited the old one inherits the new one.
   */
  inNamespace(ns: string): Stanza {
    if (ns === this.ns) return this
    const spans = this.#body.spans.map((span) => (span.ns === this.ns ? { ...span, ns } : span))
    return this.#derive(this.attrs, ns, { ...this.#body, spans })
  }

  /**
   * Adds children at the end.
   *
   * @throws {TypeError} when they are not XML
   */
  append(...children: readonly XmlElement[]): Stanza {
    const { source, from, to, spans } = this.#body
    const pieces = [source.subarray(from, to)]
    const added = [...spans]
    let length = to - from
    for (const child of children) {
      const text = serialize(child, this.ns)
      // Quotes are escaped in text, so this can only be the declaration.
      if (text.includes(streamsDeclaration))
        throw new TypeError('an element of the stream inside a stanza')
      const piece = Buffer.from(text)
      const colon = child.name.indexOf(':')
      const ns = namespaceOf(child, child.name.slice(0, Math.max(colon, 0))) ?? this.ns
      added.push({
        name: child.name.slice(colon + 1),
        ns,
        start: length,
        end: length + piece.length,
      })
      pieces.push(piece)
      length += piece.length
    }
    return this.#derive(this.attrs, this.ns, bodyOf(this.name, pieces, length, added))
  }

  /** Leaves out the children that match, and keeps the rest as it is. */
  without(predicate: (child: ChildSpan) => boolean): Stanza {
    const { source, from, to, spans } = this.#body
    const pieces: Buffer[] = []
    const kept: Span[] = []
    let length = 0
    let next = 0
    this.children.forEach((child, index) => {
      const span = spans[index] as Span
      if (predicate(child)) {
        pieces.push(source.subarray(from + next, from + span.start))
        length += span.start - next
        next = span.end
      } else {
        const shift = next - length
        kept.push({ ...span, start: span.start - shift, end: span.end - shift })
      }
    })
    if (next === 0) return this
    pieces.push(source.subarray(from + next, to))
    return this.#derive(
      this.attrs,
      this.ns,
      bodyOf(this.name, pieces, length + (to - from) - next, kept),
    )
  }

  /**
   * The bytes to send. Over TCP, `contentNs` is the content namespace of the stream, which a stanza
   * then need not repeat; over WebSocket every element stands alone.
   *
   * What belongs to the stream itself gets the prefix `stream`, for the clients that know no other
   * (RFC 6120 §4.8.5).
   */
  wire(contentNs?: string): Uint8Array {
    if (this.ns === NS_STREAMS) return this.#streamElement(contentNs !== undefined)
    if (this.ns !== contentNs)
      return this.ns === '' && contentNs ? this.#write(" xmlns=''") : this.bytes
    return this.#head === 'inherited' ? this.#asRead() : this.#write('')
  }

  toString(): string {
    return (this.bytes as Buffer).toString('utf8')
  }

  #find(name: string | null, ns: string): Span | undefined {
    for (const span of this.#body.spans) {
      if (span.ns === ns && (name === null || span.name === name)) return span
    }
    return undefined
  }

  #derive(attrs: Attributes, ns: string, body: Body): Stanza {
    const { name } = this
    const stanza = new Stanza({ name, ns, attrs, foreign: this.#foreign, body, head: 'changed' })
    // Written at once, so that who sets an impossible value learns of it.
    stanza.#attributes()
    return stanza
  }

  #asRead(): Buffer {
    const { source, start, end } = this.#body
    return source.subarray(start, end)
  }

  #whole(): Buffer {
    if (this.#head === 'declared') return this.#asRead()
    return this.#write(this.ns === '' ? '' : ` xmlns='${escapeAttribute(this.ns)}'`)
  }

  #place(): readonly ChildSpan[] {
    const { from, end, spans } = this.#body
    if (spans.length === 0) return spans
    // Where there are children, the bytes end as the body does.
    const head = this.bytes.length - (end - from)
    return spans.map(({ name, ns, start, end: to }) => ({
      name,
      ns,
      start: head + start,
      end: head + to,
    }))
  }

  #streamElement(inStream: boolean): Uint8Array {
    const { source, from, to } = this.#body
    const name = `stream:${this.name}`
    const declaration = inStream ? '' : ` xmlns:stream='${NS_STREAMS}'`
    const start = `<${name}${declaration}${this.#attributes()}`
    if (from === to) return Buffer.from(`${start}/>`)
    const content = source.subarray(from, to)
    return Buffer.concat([Buffer.from(`${start}>`), content, Buffer.from(`</${name}>`)])
  }

  #attributes(): string {
    if (this.#attributeText === undefined) {
      let text = ''
      for (const key in this.attrs)
        text += ` ${key}='${escapeAttribute(this.attrs[key] as string)}'`
      this.#attributeText = text + this.#foreign
    }
    return this.#attributeText
  }

  #write(xmlns: string): Buffer {
    const { source, from, to, end } = this.#body
    const start = `<${this.name}${xmlns}${this.#attributes()}`
    if (from === to) return Buffer.from(`${start}/>`)
    const head = `${start}>`
    const size = Buffer.byteLength(head)
    const bytes = Buffer.allocUnsafe(size + end - from)
    bytes.write(head, 0, size, size === head.length ? 'latin1' : 'utf8')
    source.copy(bytes, size, from, end)
    return bytes
  }
}

function bodyOf(name: string, pieces: Buffer[], length: number, spans: readonly Span[]): Body {
  pieces.push(Buffer.from(`</${name}>`))
  const source = Buffer.concat(pieces)
  return { source, start: 0, from: 0, to: length, end: source.length, spans }
}

/** The attributes in their order, changed ones in their places, new ones behind. */
function merge(
  attrs: Readonly<Attributes>,
  changes: Readonly<Record<string, string | undefined>>,
): Attributes {
  const merged = attributes()
  for (const key in attrs) {
    const value = Object.hasOwn(changes, key) ? changes[key] : attrs[key]
    if (value !== undefined) merged[key] = value
  }
  for (const key of Object.keys(changes)) {
    const value = changes[key]
    if (value !== undefined && !(key in attrs)) merged[checkedName(key)] = value
  }
  return merged
}

function checkedName(name: string): string {
  if (name === 'xml:lang' || (name !== 'xmlns' && isNcName(name))) return name
  throw new TypeError('attribute name is not allowed')
}
