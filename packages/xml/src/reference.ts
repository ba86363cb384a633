import { isUtf8 } from 'node:buffer'
import { isNcName, isXmlChar } from './characters.ts'
import { malformed, restricted } from './xml-error.ts'

/** The name of a predefined entity (XML §4.6), seen as bytes? */
function isPredefined(buffer: Buffer, from: number, to: number): boolean {
  switch (to - from) {
    case 2: {
      const first = buffer[from]
      return (first === 0x6c || first === 0x67) && buffer[from + 1] === 0x74
    }
    case 3:
      return buffer[from] === 0x61 && buffer[from + 1] === 0x6d && buffer[from + 2] === 0x70
    case 4:
      return /^(?:quot|apos)$/.test(buffer.toString('latin1', from, to))
    default:
      return false
  }
}

/**
 * Judges the reference whose name, without `&` and `;`, stands in the buffer.
 *
 * Canonical are the predefined entities, and those character references that nothing else can
 * express: white space that a parser would otherwise normalise.
 *
 * @param canonical the character references of that kind, such as `#13`
 * @throws {XmlError} `restricted-xml` for another entity, `not-well-formed` for what is no reference
 */
export function isCanonicalReference(
  buffer: Buffer,
  from: number,
  to: number,
  canonical: readonly string[],
): boolean {
  if (isPredefined(buffer, from, to)) return true
  const name = buffer.toString('utf8', from, to)
  if (name.startsWith('#')) {
    if (!isXmlChar(codePoint(name))) malformed('reference to no character')
    return canonical.includes(name)
  }
  if (isUtf8(buffer.subarray(from, to)) && name.split(':').every(isNcName)) restricted('an entity')
  malformed('reference without a name')
}

/** The number of a character reference; NaN when it is none. */
function codePoint(name: string): number {
  if (/^#[0-9]+$/.test(name)) return Number.parseInt(name.slice(1), 10)
  if (/^#x[0-9A-Fa-f]+$/.test(name)) return Number.parseInt(name.slice(2), 16)
  return Number.NaN
}
