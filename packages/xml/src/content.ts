import {
  ampersand,
  greaterThan,
  illegal,
  lessThan,
  nameKinds,
  nameStart,
  noName,
  normalised,
  plain,
  textKinds,
} from './byte-kinds.ts'
import {
  afterLess,
  attributeValue,
  type Cursor,
  cdata,
  characterData,
  reference,
} from './cursor.ts'
import { isCanonicalReference } from './reference.ts'
import { exceeded, malformed, restricted } from './xml-error.ts'

const cdataMark = '[CDATA['
const textReferences = ['#13']
const valueReferences = ['#9', '#10', '#13']

/** Reads character data up to the next byte that is something else. */
export function readCharacterData(cursor: Cursor): void {
  const { buffer, stop } = cursor
  let at = cursor.position
  let bits = cursor.bits
  let kind = plain
  for (; at < stop; at++) {
    const byte = buffer[at] as number
    bits |= byte
    kind = textKinds[byte] as number
    if (kind !== plain) break
  }
  cursor.bits = bits
  cursor.position = at
  if (at === stop) return
  cursor.position = at + 1
  if (kind === lessThan) cursor.state = afterLess
  else if (kind === ampersand) beginReference(cursor, false)
  else if (kind === illegal) malformed('character is not XML')
  else {
    cursor.canonical = false
    if (kind === greaterThan && follows(buffer, at)) malformed(']]> in text')
  }
}

/** Does `]]` stand before this position? The item is in one piece, so looking back is safe. */
function follows(buffer: Buffer, at: number): boolean {
  return buffer[at - 1] === 0x5d && buffer[at - 2] === 0x5d
}

/** Behind `&`, in text or in an attribute's value. */
export function beginReference(cursor: Cursor, inValue: boolean): void {
  cursor.inValue = inValue
  cursor.nameFrom = cursor.position - cursor.start
  cursor.state = reference
}

/** Reads one byte of a reference; at `;`, judges it. */
export function readReference(cursor: Cursor): void {
  const { buffer } = cursor
  const from = cursor.start + cursor.nameFrom
  const at = cursor.position
  const byte = buffer[at] as number
  cursor.position = at + 1
  if (at - from > cursor.limits.nameBytes) exceeded('bytes in a name')
  if (byte !== 0x3b) {
    const isMark = byte === 0x23 && at === from
    if (nameKinds[byte] === noName && !isMark) malformed('& without a reference')
    return
  }
  const known = cursor.inValue ? valueReferences : textReferences
  if (!isCanonicalReference(buffer, from, at, known)) cursor.canonical = false
  cursor.state = cursor.inValue ? attributeValue : characterData
}

/** Reads one byte behind `<!`, where only a CDATA section may begin (RFC 6120 §11.1). */
export function readBang(cursor: Cursor): void {
  const offset = cursor.position - cursor.start - cursor.from
  const byte = cursor.buffer[cursor.position] as number
  cursor.position += 1
  if (offset === 0 && byte === 0x2d) restricted('a comment')
  if (offset === 0 && nameKinds[byte] === nameStart) restricted('a document type')
  if (byte !== cdataMark.charCodeAt(offset) || cursor.depth === 0) malformed('<! in text')
  if (offset + 1 < cdataMark.length) return
  cursor.canonical = false
  cursor.state = cdata
}

/** Reads a CDATA section up to its `]]>`. */
export function readCdata(cursor: Cursor): void {
  const { buffer, stop } = cursor
  let at = cursor.position
  let kind = plain
  for (; at < stop; at++) {
    const byte = buffer[at] as number
    cursor.bits |= byte
    kind = textKinds[byte] as number
    if (kind === illegal || (kind === greaterThan && follows(buffer, at))) break
  }
  cursor.position = at
  if (at === stop) return
  if (kind === illegal) malformed('character is not XML')
  cursor.position = at + 1
  cursor.state = characterData
}

/** A byte of an attribute's value that is more than itself, or not allowed there (XML §3.1). */
export function readSpecial(cursor: Cursor, kind: number): void {
  if (kind === ampersand) {
    cursor.special = true
    beginReference(cursor, true)
    return
  }
  if (kind === lessThan) malformed('< in an attribute')
  if (kind === illegal) malformed('character is not XML')
  cursor.canonical = false
  if (kind === normalised) cursor.special = true
}
