import { malformed, restricted, XmlError } from './xml-error.ts'

const space = '[\\t\\n\\r ]'
const value = `${space}*=${space}*(?:'([^']*)'|"([^"]*)")`
const grammar = new RegExp(
  `^<\\?xml${space}+version${value}` +
    `(?:${space}+encoding${value})?(?:${space}+standalone${value})?${space}*\\?>$`,
)

/**
 * Judges an XML declaration: version 1.0, UTF-8, and nothing that would refer to a DTD.
 *
 * @throws {XmlError} `unsupported-encoding` for another encoding (RFC 6120 §11.6)
 */
export function expectDeclaration(text: string): void {
  const found = grammar.exec(text)
  if (!found) malformed('XML declaration')
  const version = found[1] ?? found[2] ?? ''
  const encoding = found[3] ?? found[4]
  const standalone = found[5] ?? found[6]
  if (version !== '1.0')
    throw new XmlError(
      /^1\.[0-9]+$/.test(version) ? 'bad-format' : 'not-well-formed',
      'XML version is not 1.0',
    )
  if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8')
    throw new XmlError('unsupported-encoding', 'encoding is not UTF-8')
  if (standalone === 'no') restricted('an external document type')
  if (standalone !== undefined && standalone !== 'yes') malformed('XML declaration')
}
