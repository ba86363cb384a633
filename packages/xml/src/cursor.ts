import { isUtf8 } from 'node:buffer'
import { colon, nameKinds, nameStart, noName, wide } from './byte-kinds.ts'
import { isNcName } from './characters.ts'
import type { ReaderLimits } from './limits.ts'
import { exceeded, malformed } from './xml-error.ts'

// Where the tokenizer is. Every state can be left at any byte and entered again with the next chunk.
export const outside = 0
export const afterLess = 1
export const elementName = 2
export const afterValue = 3
export const beforeAttribute = 4
export const attributeName = 5
export const afterName = 6
export const beforeValue = 7
export const attributeValue = 8
export const afterSlash = 9
export const endName = 10
export const afterEndName = 11
export const reference = 12
export const afterBang = 13
export const cdata = 14
export const characterData = 15
export const declaration = 16

const noBuffer = Buffer.alloc(0)

/**
 * The position in the bytes, and all that must be remembered from one chunk to the next.
 *
 * Offsets (as opposed to positions) count from `start`, so that the item may move to another buffer.
 */
export class Cursor {
  limits: ReaderLimits
  buffer: Buffer = noBuffer
  /** The next byte to read. */
  position = 0
  /** Reading ends here: there is no more, or no more is allowed. */
  stop = 0
  /** Where the current item begins. */
  start = 0
  state: number = outside
  /** Open elements of the item. */
  depth = 0
  /** Is the item, so far, what `serialize` could have written? */
  canonical = true
  /** Text and values of the item or-ed together: from 0x80 on, it is not ASCII. */
  bits = 0

  /** Offset of the name that is being read, and of its last colon or −1. */
  nameFrom = 0
  colon = -1
  /** Offset where a value or a mark began; in an end tag, how much of the name has matched. */
  from = 0
  /** Offset of the last end tag. */
  endTagFrom = 0
  quote = 0
  /** Does the value hold references or white space to normalise? */
  special = false
  /** Is the reference in an attribute's value? */
  inValue = false
  #colons = 0
  #wide = false

  constructor(limits: ReaderLimits) {
    this.limits = limits
  }

  beginName(state: number): void {
    this.nameFrom = this.position - this.start
    this.state = state
    this.#colons = 0
    this.#wide = false
  }

  /** Reads to the end of a name; false when the bytes end before it does. */
  readName(): boolean {
    const { buffer, stop } = this
    let at = this.position
    for (; at < stop; at++) {
      const kind = nameKinds[buffer[at] as number] as number
      if (kind === noName) break
      if (kind >= colon) this.#noteOdd(kind, at)
    }
    this.position = at
    if (at - this.start - this.nameFrom > this.limits.nameBytes) exceeded('bytes in a name')
    if (at === stop) return false
    if (this.#colons === 0) this.colon = -1
    if (this.#colons > 0 || this.#wide) this.#checkName()
    return true
  }

  #noteOdd(kind: number, at: number): void {
    if (kind === wide) {
      this.#wide = true
      return
    }
    this.#colons += 1
    this.colon = at - this.start
  }

  /** A colon must stand between two names (Namespaces in XML §4), and not every letter is a letter. */
  #checkName(): void {
    const { buffer, start, position } = this
    if (this.#wide) this.#checkWideName(buffer.subarray(start + this.nameFrom, position))
    else if (this.#colons > 1 || nameKinds[buffer[start + this.colon + 1] as number] !== nameStart)
      malformed('name is not XML')
  }

  #checkWideName(bytes: Buffer): void {
    this.bits |= 0x80
    if (!isUtf8(bytes)) malformed('bytes that are not UTF-8')
    if (this.#colons > 1 || !bytes.toString('utf8').split(':').every(isNcName))
      malformed('name is not XML')
  }

  /**
   * Judges the encoding of the item, once it is complete.
   *
   * Until then malformed UTF-8 does no harm: the scanner goes by ASCII bytes, which no sequence hides.
   */
  expectText(): void {
    if (this.bits < 0x80) return
    const bytes = this.buffer.subarray(this.start, this.position)
    if (!isUtf8(bytes)) malformed('bytes that are not UTF-8')
    if (bytes.includes('\ufffe') || bytes.includes('\uffff')) malformed('character is not XML')
  }
}
