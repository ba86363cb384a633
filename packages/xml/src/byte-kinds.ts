/** What a byte is inside character data and attribute values. All from 0x80 on are `plain` here. */
export const plain = 0
export const lessThan = 1
export const ampersand = 2
export const greaterThan = 3
/** White space that a parser normalises: CR in text; tab, LF and CR in an attribute. */
export const normalised = 4
export const quote = 5
export const illegal = 6

/** What a byte is inside a name. */
export const noName = 0
export const nameStart = 1
export const nameRest = 2
export const colon = 3
export const wide = 4

function table(fill: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => fill(byte))
}

/** Tab, LF, CR and space: XML knows no others (XML §2.3). */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Is there nothing but white space? */
export function isBlank(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (!isSpace(buffer[at] as number)) return false
  }
  return true
}

const special: Readonly<Record<number, number>> = {
  60: lessThan,
  38: ampersand,
  62: greaterThan,
  13: normalised,
}

/** Kinds of bytes in character data. */
export const textKinds: Uint8Array = table((byte) => {
  if (byte < 0x20 && !isSpace(byte)) return illegal
  return special[byte] ?? plain
})

/** Kinds of bytes in attribute values. */
export const valueKinds: Uint8Array = table((byte) => {
  if (byte === 0x22 || byte === 0x27) return quote
  if (byte === 0x09 || byte === 0x0a) return normalised
  return textKinds[byte] as number
})

/** Kinds of bytes in names. */
export const nameKinds: Uint8Array = table((byte) => {
  if (byte >= 0x80) return wide
  const character = String.fromCharCode(byte)
  if (/[A-Z_a-z]/.test(character)) return nameStart
  if (/[-.0-9]/.test(character)) return nameRest
  return character === ':' ? colon : noName
})
