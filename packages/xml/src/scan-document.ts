import { isBlank } from './byte-kinds.ts'
import { documentLimits, type ReaderLimits } from './limits.ts'
import { foundElement, Scanner } from './scanner.ts'
import { malformed } from './xml-error.ts'

/** How a whole document is read. */
export interface DocumentOptions {
  /** What an element without `xmlns` is in. */
  readonly defaultNs: string
  readonly limits?: ReaderLimits
  readonly allowsStreams?: boolean
}

const scanner = new Scanner(documentLimits)

/**
 * Reads one element, with the declaration and the white space that may surround it, and hands the
 * scanner to `take`; what the scanner found is only there until the next document.
 *
 * @throws {XmlError}
 */
export function scanDocument<T>(
  bytes: Uint8Array | string,
  { defaultNs, limits = documentLimits, allowsStreams = false }: DocumentOptions,
  take: (scanner: Scanner) => T,
): T {
  const buffer = toBuffer(bytes)
  scanner.limits = limits
  scanner.allowsStreams = allowsStreams
  scanner.reset(defaultNs, false)
  scanner.feed(buffer, 0, 0, buffer.length)
  try {
    if (scanner.scan() !== foundElement) malformed('no whole element')
    if (!isBlank(buffer, scanner.position, buffer.length)) malformed('something after the element')
    return take(scanner)
  } finally {
    scanner.release()
  }
}

/** The same memory as a Buffer; text is encoded. @throws {XmlError} for lone surrogates */
export function toBuffer(bytes: Uint8Array | string): Buffer {
  if (typeof bytes !== 'string') return asBuffer(bytes)
  if (!bytes.isWellFormed()) malformed('text with lone surrogates')
  return Buffer.from(bytes)
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
