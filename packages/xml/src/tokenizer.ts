import { isSpace, nameKinds, nameStart, plain, quote, valueKinds, wide } from './byte-kinds.ts'
import { readBang, readCdata, readCharacterData, readReference, readSpecial } from './content.ts'
import {
  afterBang,
  afterEndName,
  afterLess,
  afterName,
  afterSlash,
  afterValue,
  attributeName,
  attributeValue,
  beforeAttribute,
  beforeValue,
  Cursor,
  cdata,
  characterData,
  declaration,
  elementName,
  endName,
  outside,
  reference,
} from './cursor.ts'
import { expectDeclaration } from './declaration.ts'
import type { ReaderLimits } from './limits.ts'
import { Tag } from './tag.ts'
import { exceeded, malformed, restricted, XmlError } from './xml-error.ts'

export const noToken = 0
export const startTag = 1
export const emptyTag = 2
export const endTag = 3
export const streamEnd = 4
export type Token =
  | typeof noToken
  | typeof startTag
  | typeof emptyTag
  | typeof endTag
  | typeof streamEnd

const declarationMark = '<?xml'
const longestDeclaration = 256
const noBuffer = Buffer.alloc(0)

/** Finds the tags in the bytes, reading each byte once; everything between them it only judges. */
export class Tokenizer {
  readonly cursor: Cursor
  readonly tag: Tag = new Tag()
  /** The name of the stream's header as it was written, which its end tag must repeat. */
  streamName: Buffer = noBuffer
  /** Only the first bytes of a document may be a declaration. */
  atStart = true
  /** Does white space before the declaration not count? */
  lenient = false

  /** Where the names of the open elements begin and end, two offsets each. */
  readonly #names: number[] = []
  #token: Token = noToken
  #elements = 0
  #limit = 0

  constructor(limits: ReaderLimits) {
    this.cursor = new Cursor(limits)
  }

  /** Gives it bytes up to `limit`; an unfinished item must begin at `start` of the same buffer. */
  feed(buffer: Buffer, start: number, position: number, limit: number): void {
    const { cursor } = this
    cursor.buffer = buffer
    cursor.start = start
    cursor.position = position
    this.#limit = limit
    cursor.stop = limit
    if (cursor.state !== outside) this.#narrow()
  }

  /** The current item may not be longer than its limit. */
  #narrow(): void {
    const { cursor } = this
    cursor.stop = Math.min(this.#limit, cursor.start + cursor.limits.bytes)
  }

  /** The item is complete; what follows is between items. */
  endItem(): void {
    this.cursor.state = outside
    this.cursor.stop = this.#limit
  }

  /** Content follows the start tag. */
  push(): void {
    const { cursor, tag } = this
    this.#names[cursor.depth * 2] = tag.nameFrom
    this.#names[cursor.depth * 2 + 1] = tag.nameTo
    cursor.depth += 1
    cursor.state = characterData
  }

  /**
   * Reads on to the end of the next tag, or of the bytes.
   *
   * @throws {XmlError}
   */
  next(): Token {
    const { cursor } = this
    this.#token = noToken
    while (cursor.position < cursor.stop) {
      this.#step(cursor)
      if (this.#token !== noToken) return this.#token
    }
    if (cursor.position < this.#limit) exceeded('bytes')
    return noToken
  }

  #step(cursor: Cursor): void {
    switch (cursor.state) {
      case characterData:
        readCharacterData(cursor)
        break
      case afterLess:
        this.#afterLess(cursor)
        break
      case elementName:
        this.#elementName(cursor)
        break
      case afterValue:
        this.#afterValue(cursor)
        break
      case beforeAttribute:
        this.#beforeAttribute(cursor)
        break
      case attributeName:
        this.#attributeName(cursor)
        break
      case beforeValue:
        this.#beforeValue(cursor)
        break
      case attributeValue:
        this.#attributeValue(cursor)
        break
      case endName:
        this.#endName(cursor)
        break
      case reference:
        readReference(cursor)
        break
      case outside:
        this.#outside(cursor)
        break
      default:
        this.#rareStep(cursor)
    }
  }

  #rareStep(cursor: Cursor): void {
    switch (cursor.state) {
      case afterName:
        this.#afterName(cursor)
        break
      case afterSlash:
        this.#afterSlash(cursor)
        break
      case afterEndName:
        this.#afterEndName(cursor)
        break
      case afterBang:
        readBang(cursor)
        break
      case cdata:
        readCdata(cursor)
        break
      default:
        this.#declaration(cursor)
    }
  }

  #outside(cursor: Cursor): void {
    const { buffer, stop } = cursor
    let at = cursor.position
    while (at < stop && isSpace(buffer[at] as number)) at++
    if (at > cursor.position && !this.lenient) this.atStart = false
    cursor.position = at
    if (at === stop) return
    if (buffer[at] !== 0x3c) this.#strayByte(buffer[at] as number)
    cursor.start = at
    cursor.position = at + 1
    cursor.state = afterLess
    cursor.depth = 0
    cursor.bits = 0
    cursor.canonical = true
    this.#elements = 0
    this.#narrow()
  }

  #strayByte(byte: number): never {
    // A byte order mark of UTF-16, or one of its NUL bytes.
    if (this.atStart && (byte >= 0xfe || byte === 0))
      throw new XmlError('unsupported-encoding', 'encoding is not UTF-8')
    malformed('text outside of an element')
  }

  #declaration(cursor: Cursor): void {
    const { buffer, start } = cursor
    const offset = cursor.position - start
    const byte = buffer[cursor.position] as number
    cursor.position += 1
    if (offset < declarationMark.length) {
      if (byte !== declarationMark.charCodeAt(offset)) restricted('a processing instruction')
    } else if (offset === declarationMark.length) {
      if (!isSpace(byte)) restricted('a processing instruction')
    } else if (byte === 0x3e && buffer[start + offset - 1] === 0x3f) {
      expectDeclaration(buffer.toString('latin1', start, cursor.position))
      this.atStart = false
      this.endItem()
    } else if (offset > longestDeclaration) exceeded('bytes')
  }

  #afterLess(cursor: Cursor): void {
    const byte = cursor.buffer[cursor.position] as number
    const kind = nameKinds[byte] as number
    if (kind === nameStart || kind === wide) {
      this.#beginElement(cursor)
      return
    }
    cursor.position += 1
    if (byte === 0x2f) {
      if (cursor.depth === 0 && this.streamName.length === 0) malformed('end without a beginning')
      cursor.from = 0
      cursor.endTagFrom = cursor.position - 2 - cursor.start
      cursor.state = endName
      return
    }
    cursor.from = cursor.position - cursor.start
    if (byte === 0x21) cursor.state = afterBang
    else if (byte !== 0x3f) malformed('tag without a name')
    else if (this.atStart && cursor.depth === 0) cursor.state = declaration
    else restricted('a processing instruction')
  }

  #beginElement(cursor: Cursor): void {
    this.atStart = false
    this.#elements += 1
    if (this.#elements > cursor.limits.elements) exceeded('elements')
    if (cursor.depth >= cursor.limits.depth) exceeded('depth')
    cursor.beginName(elementName)
  }

  #elementName(cursor: Cursor): void {
    if (!cursor.readName()) return
    this.tag.begin(cursor.nameFrom, cursor.position - cursor.start, cursor.colon)
    cursor.state = afterValue
    this.#afterValue(cursor)
  }

  #afterValue(cursor: Cursor): void {
    const byte = cursor.buffer[cursor.position] as number
    if (byte === 0x20) {
      cursor.position += 1
      cursor.state = beforeAttribute
      if (cursor.position < cursor.stop) this.#beforeAttribute(cursor)
    } else this.#tagByte(cursor, byte)
  }

  #beforeAttribute(cursor: Cursor): void {
    const byte = cursor.buffer[cursor.position] as number
    const kind = nameKinds[byte] as number
    if (kind !== nameStart && kind !== wide) {
      // One space before `/>` is what several serializers write.
      if (byte !== 0x2f) cursor.canonical = false
      this.#tagByte(cursor, byte)
      return
    }
    if (this.tag.count >= cursor.limits.attributes) exceeded('attributes')
    cursor.beginName(attributeName)
  }

  /** A byte inside a tag that begins no attribute. */
  #tagByte(cursor: Cursor, byte: number): void {
    cursor.position += 1
    if (byte === 0x3e) this.#token = startTag
    else if (byte === 0x2f) cursor.state = afterSlash
    else if (isSpace(byte)) {
      cursor.canonical = false
      cursor.state = beforeAttribute
    } else malformed('attribute is not XML')
  }

  #afterSlash(cursor: Cursor): void {
    if (cursor.buffer[cursor.position] !== 0x3e) malformed('/ in a tag')
    cursor.position += 1
    this.#token = emptyTag
  }

  #attributeName(cursor: Cursor): void {
    if (!cursor.readName()) return
    const { buffer, start, position } = cursor
    this.tag.addName(buffer, start, cursor.nameFrom, position - start, cursor.colon)
    if (buffer[position] === 0x3d) {
      cursor.position = position + 1
      cursor.state = beforeValue
      if (cursor.position < cursor.stop) this.#beforeValue(cursor)
    } else cursor.state = afterName
  }

  #afterName(cursor: Cursor): void {
    const byte = cursor.buffer[cursor.position] as number
    cursor.position += 1
    cursor.canonical = false
    if (byte === 0x3d) cursor.state = beforeValue
    else if (!isSpace(byte)) malformed('attribute without a value')
  }

  #beforeValue(cursor: Cursor): void {
    const byte = cursor.buffer[cursor.position] as number
    cursor.position += 1
    if (byte === 0x27 || byte === 0x22) {
      cursor.quote = byte
      cursor.special = false
      cursor.from = cursor.position - cursor.start
      cursor.state = attributeValue
    } else if (isSpace(byte)) cursor.canonical = false
    else malformed('attribute without quotes')
  }

  #attributeValue(cursor: Cursor): void {
    const { buffer, stop } = cursor
    const end = cursor.quote
    let at = cursor.position
    let bits = this.tag.bits
    let kind = plain
    for (; at < stop; at++) {
      const byte = buffer[at] as number
      bits |= byte
      kind = valueKinds[byte] as number
      if (kind !== plain && (kind !== quote || byte === end)) break
    }
    this.tag.bits = bits
    cursor.position = at
    const offset = at - cursor.start
    if (offset - cursor.from > cursor.limits.attributeBytes) exceeded('bytes in an attribute')
    if (at === stop) return
    cursor.position = at + 1
    if (kind === quote) {
      this.tag.addValue(cursor.from, offset, cursor.special)
      cursor.state = afterValue
      if (cursor.position < stop) this.#afterValue(cursor)
    } else readSpecial(cursor, kind)
  }

  #endName(cursor: Cursor): void {
    const { buffer, stop, depth } = cursor
    const source = depth === 0 ? this.streamName : buffer
    const last = depth * 2 - 2
    const name = depth === 0 ? 0 : (this.#names[last] as number)
    const length = depth === 0 ? source.length : (this.#names[last + 1] as number) - name
    const from = depth === 0 ? 0 : cursor.start + name
    let at = cursor.position
    let matched = cursor.from
    while (matched < length && at < stop) {
      if (source[from + matched] !== buffer[at]) malformed('end of another element')
      matched++
      at++
    }
    cursor.from = matched
    cursor.position = at
    if (matched < length || at === stop) return
    cursor.state = afterEndName
    this.#afterEndName(cursor)
  }

  #afterEndName(cursor: Cursor): void {
    const byte = cursor.buffer[cursor.position] as number
    cursor.position += 1
    if (byte === 0x3e) {
      this.#token = cursor.depth === 0 ? streamEnd : endTag
      cursor.depth -= 1
      cursor.state = characterData
    } else if (isSpace(byte)) cursor.canonical = false
    else malformed('end of another element')
  }
}
