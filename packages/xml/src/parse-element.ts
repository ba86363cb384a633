import type { XmlElement } from './element.ts'
import { documentLimits, type ReaderLimits } from './limits.ts'
import { scanDocument } from './scan-document.ts'
import { buildTree } from './tree.ts'

/**
 * Reads a document of one element: configuration, storage, imports, tests.
 *
 * The rules are those of a stream (RFC 6120 §11.1): no comments, document types or entities.
 *
 * @throws {XmlError}
 */
export function parseElement(
  text: string | Uint8Array,
  defaultNs = '',
  limits: ReaderLimits = documentLimits,
): XmlElement {
  return scanDocument(text, { defaultNs, limits, allowsStreams: true }, (scanner) => {
    const { buffer, start, end, scope } = scanner
    return buildTree(buffer.toString('utf8', start, start + end), scope)
  })
}
