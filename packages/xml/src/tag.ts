import { type Attributes, attributes } from './attributes.ts'
import { intern } from './intern.ts'
import { unescapeAttribute } from './unescape.ts'
import { malformed } from './xml-error.ts'

/** Numbers kept of each attribute: where its name and its value begin and end, and `special`. */
const stride = 5
/** Up to here, comparing with all earlier names is faster than a set. */
const few = 16
/** A longer tag is not read as one string, because every value cut from it would keep it alive. */
const shortTag = 1_024

/**
 * The start tag that is being read: where its parts are in the buffer.
 *
 * All offsets count from `base`, the beginning of the item, so that the item may move to another buffer.
 */
export class Tag {
  nameFrom = 0
  nameTo = 0
  /** The colon of the element's own name, or −1. */
  colon = -1
  /** How many attributes, declarations included. */
  count = 0
  /** Which attribute is `xmlns`, or −1. */
  xmlns = -1
  /** Does it use or declare a prefix other than `xml`? */
  prefixed = false
  /** All bytes of values and names or-ed together: from 0x80 on, the tag is not ASCII. */
  bits = 0

  readonly #marks: number[] = []
  #names: Set<string> | undefined

  begin(nameFrom: number, nameTo: number, colon: number): void {
    this.nameFrom = nameFrom
    this.nameTo = nameTo
    this.colon = colon
    this.count = 0
    this.xmlns = -1
    this.prefixed = colon >= 0
    this.bits = 0
    this.#names = undefined
  }

  /** Notes an attribute's name; its value follows. */
  addName(buffer: Buffer, base: number, from: number, to: number, colon: number): void {
    if (this.count < few) this.#compareNames(buffer, base, from, to)
    else this.#lookUpName(buffer, base, from, to)
    const at = this.count * stride
    this.#marks[at] = from
    this.#marks[at + 1] = to
    if (colon >= 0) this.prefixed ||= !startsWith(buffer, base + from, 'xml:')
    else if (to - from === 5 && startsWith(buffer, base + from, 'xmlns')) this.xmlns = this.count
  }

  /** Notes the value. `special` says that it holds references or white space to normalise. */
  addValue(from: number, to: number, special: boolean): void {
    const at = this.count * stride + 2
    this.#marks[at] = from
    this.#marks[at + 1] = to
    this.#marks[at + 2] = special ? 1 : 0
    this.count += 1
  }

  /** An attribute's name as it stands there. */
  nameAt(buffer: Buffer, base: number, index: number): string {
    const at = index * stride
    return intern(buffer, base + this.#mark(at), base + this.#mark(at + 1))
  }

  /** An attribute's value, unescaped; meant for values that repeat, such as namespaces. */
  valueAt(buffer: Buffer, base: number, index: number): string {
    const at = index * stride + 2
    const value = intern(buffer, base + this.#mark(at), base + this.#mark(at + 1))
    return this.#mark(at + 2) === 0 ? value : unescapeAttribute(value)
  }

  /** The unprefixed attributes and those of `xml:`; declarations are left out. */
  attributes(buffer: Buffer, base: number, end: number): Attributes {
    const found = attributes()
    const start = this.nameTo
    const whole = end - start <= shortTag && this.bits < 0x80
    const text = whole ? buffer.toString('latin1', base + start, base + end) : undefined
    for (let index = 0; index < this.count; index++) {
      if (index === this.xmlns) continue
      const name = this.nameAt(buffer, base, index)
      if (this.prefixed && isForeign(name)) continue
      const at = index * stride + 2
      const from = this.#mark(at)
      const to = this.#mark(at + 1)
      const value =
        text === undefined
          ? buffer.toString('utf8', base + from, base + to)
          : text.substring(from - start, to - start)
      found[name] = this.#mark(at + 2) === 0 ? value : unescapeAttribute(value)
    }
    return found
  }

  /** Attributes with a prefix other than `xml`, and their declarations, as they stand there. */
  foreign(buffer: Buffer, base: number): string {
    let text = ''
    for (let index = 0; index < this.count; index++) {
      if (!isForeign(this.nameAt(buffer, base, index))) continue
      const at = index * stride
      // From the name to behind the closing quote.
      text += ` ${buffer.toString('utf8', base + this.#mark(at), base + this.#mark(at + 3) + 1)}`
    }
    return text
  }

  #mark(at: number): number {
    return this.#marks[at] as number
  }

  #compareNames(buffer: Buffer, base: number, from: number, to: number): void {
    const end = this.count * stride
    for (let at = 0; at < end; at += stride) {
      const earlier = this.#mark(at)
      if (this.#mark(at + 1) - earlier !== to - from) continue
      if (sameBytes(buffer, base + earlier, base + from, to - from)) malformed('doubled attribute')
    }
  }

  #lookUpName(buffer: Buffer, base: number, from: number, to: number): void {
    if (this.#names === undefined) {
      this.#names = new Set()
      for (let index = 0; index < this.count; index++)
        this.#names.add(this.nameAt(buffer, base, index))
    }
    const name = intern(buffer, base + from, base + to)
    if (this.#names.has(name)) malformed('doubled attribute')
    this.#names.add(name)
  }
}

function isForeign(name: string): boolean {
  return name.includes(':') && !name.startsWith('xml:')
}

function startsWith(buffer: Buffer, from: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (buffer[from + i] !== text.charCodeAt(i)) return false
  }
  return true
}

function sameBytes(buffer: Buffer, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (buffer[a + i] !== buffer[b + i]) return false
  }
  return true
}
