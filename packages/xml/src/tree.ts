import { type Attributes, attributes } from './attributes.ts'
import { SafeElement, type XmlElement } from './element.ts'
import { unescapeAttribute, unescapeText } from './unescape.ts'

/** The namespaces around a piece of XML. */
export interface Context {
  readonly defaultNs: string
  readonly prefixes: ReadonlyMap<string, string>
}

/** An element whose end tag is still to come. */
interface Open {
  readonly element: XmlElement
  readonly ns: string
  readonly context: Context
}

/**
 * Builds the tree of one element from text that the scanner has validated, and from nothing else:
 * it looks for no errors.
 *
 * However the text used prefixes, the tree has local names, and `xmlns` where the namespace changes.
 */
export function buildTree(text: string, context: Context): XmlElement {
  const builder = new TreeBuilder(text, context)
  return builder.build()
}

class TreeBuilder {
  readonly #text: string
  readonly #open: Open[] = []
  #context: Context
  #root: XmlElement | undefined
  #at = 0

  constructor(text: string, context: Context) {
    this.#text = text
    this.#context = context
  }

  build(): XmlElement {
    const text = this.#text
    this.#at = text.indexOf('<')
    do {
      const next = text.charCodeAt(this.#at + 1)
      if (next === 0x2f) this.#endTag()
      else if (next === 0x21) this.#cdata()
      else this.#startTag()
      if (this.#open.length > 0) this.#characters()
    } while (this.#open.length > 0)
    return this.#root as XmlElement
  }

  #characters(): void {
    const end = this.#text.indexOf('<', this.#at)
    if (end > this.#at) this.#append(unescapeText(this.#text.slice(this.#at, end)))
    this.#at = end
  }

  #cdata(): void {
    const from = this.#at + '<![CDATA['.length
    const end = this.#text.indexOf(']]>', from)
    this.#append(this.#text.slice(from, end).replace(/\r\n?/g, '\n'))
    this.#at = end + 3
  }

  /** Joins text that a CDATA section split, so that equal content is an equal tree. */
  #append(text: string): void {
    const children = (this.#open.at(-1) as Open).element.children
    const last = children.at(-1)
    if (typeof last === 'string') children[children.length - 1] = last + text
    else if (text !== '') children.push(text)
  }

  #endTag(): void {
    this.#open.pop()
    this.#context = this.#open.at(-1)?.context ?? this.#context
    this.#at = this.#text.indexOf('>', this.#at) + 1
  }

  #startTag(): void {
    const text = this.#text
    const from = this.#at + 1
    this.#at = nameEnd(text, from)
    const qname = text.slice(from, this.#at)
    const raw = this.#attributes()
    const parent = this.#open.at(-1)
    const outer = this.#context
    const context = raw === undefined ? outer : declared(raw, outer)
    const ns = namespaceOf(qname, context)
    const attrs = attributes()
    const free = parent === undefined && outer.defaultNs === ''
    if (ns !== (free ? '' : parent?.ns)) attrs.xmlns = ns
    if (raw !== undefined) copyAttributes(raw, attrs, context)
    const element = new SafeElement(qname.slice(qname.indexOf(':') + 1), attrs)
    if (parent === undefined) this.#root = element
    else parent.element.cnode(element)
    if (text.charCodeAt(this.#at) === 0x2f) {
      this.#at += 2
      return
    }
    this.#at += 1
    this.#context = context
    this.#open.push({ element, ns, context })
  }

  /** The attributes of a start tag as they stand there; leaves the position at `>` or `/>`. */
  #attributes(): Attributes | undefined {
    const text = this.#text
    let found: Attributes | undefined
    for (;;) {
      let at = skipSpace(text, this.#at)
      const code = text.charCodeAt(at)
      this.#at = at
      if (code === 0x3e || code === 0x2f) return found
      const end = nameEnd(text, at)
      const name = text.slice(at, end)
      at = skipSpace(text, skipSpace(text, end) + 1)
      const close = text.indexOf(text.charAt(at), at + 1)
      found ??= attributes()
      found[name] = unescapeAttribute(text.slice(at + 1, close))
      this.#at = close + 1
    }
  }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= 0x20) at++
  return at
}

/** Where a name ends: at white space, `=`, `/` or `>`. */
function nameEnd(text: string, from: number): number {
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at)
    if (code <= 0x20 || code === 0x3d || code === 0x2f || code === 0x3e) return at
  }
}

function declared(raw: Attributes, outer: Context): Context {
  let defaultNs = outer.defaultNs
  let prefixes: Map<string, string> | undefined
  for (const key in raw) {
    if (key === 'xmlns') defaultNs = raw[key] as string
    else if (key.startsWith('xmlns:')) {
      prefixes ??= new Map(outer.prefixes)
      prefixes.set(key.slice(6), raw[key] as string)
    }
  }
  if (prefixes === undefined && defaultNs === outer.defaultNs) return outer
  return { defaultNs, prefixes: prefixes ?? outer.prefixes }
}

function namespaceOf(qname: string, context: Context): string {
  const colon = qname.indexOf(':')
  if (colon < 0) return context.defaultNs
  return context.prefixes.get(qname.slice(0, colon)) as string
}

/** Takes over all but declarations; of those, only the ones that an attribute here needs. */
function copyAttributes(raw: Attributes, into: Attributes, context: Context): void {
  for (const key in raw) {
    if (key === 'xmlns' || key.startsWith('xmlns:')) continue
    const colon = key.indexOf(':')
    if (colon > 0 && !key.startsWith('xml:')) {
      const prefix = key.slice(0, colon)
      into[`xmlns:${prefix}`] = context.prefixes.get(prefix) as string
    }
    into[key] = raw[key] as string
  }
}
