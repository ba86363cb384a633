import { codePointName, derive } from './code-point.ts'
import { brokenContext, obeysBidiRule } from './context-rules.ts'
import { JidError, type JidPart } from './jid-error.ts'

/** RFC 7622 §3.3–3.4: a prepared part has 1 to 1023 octets in UTF-8. */
const maxPartBytes = 1023

// No mapping shrinks a text to a third: longer input is refused before any work is spent on it.
const maxPartInput = 3 * maxPartBytes

// Already in the form that preparation would give it, as nearly every address is.
const preparedLocalpart = /^[!#$%()*+,\-.0-9;=?[\\\]^_`a-z{|}~]{1,1023}$/
const preparedResourcepart = /^[ -~]{1,1023}$/
const asciiOpaque = /^[ -~]+$/

// RFC 7622 §3.3.1: what the IdentifierClass would allow and a localpart may not hold.
const excludedFromLocalpart = /["&'/:<>@]/u

// Every character with a <wide> or <narrow> decomposition (RFC 8265 §3.3.2, rule 1).
const widthVariants = /[\u3000\uFF01-\uFFEE]/gu

/**
 * Prepares a localpart: the UsernameCaseMapped profile (RFC 8265 §3.3) less the separators.
 *
 * @throws {JidError}
 */
export function prepareLocalpart(text: string): string {
  if (preparedLocalpart.test(text)) return text
  refuseLongInput('localpart', text)
  const narrow = text.replace(widthVariants, (char) => char.normalize('NFKC'))
  requireIdentifier('localpart', narrow)
  const mapped = narrow.toLowerCase().normalize('NFC')
  // Again: the mappings must not have produced what the class forbids.
  requireIdentifier('localpart', mapped)
  requireContext('localpart', mapped)
  if (!obeysBidiRule(mapped)) throw new JidError('localpart', 'breaks the Bidi Rule')
  const excluded = excludedFromLocalpart.exec(mapped)
  if (excluded) throw new JidError('localpart', `must not contain ${codePointName(excluded[0])}`)
  return requireLength('localpart', mapped)
}

/**
 * Prepares a resourcepart: the OpaqueString profile (RFC 8265 §4.2), case kept.
 *
 * @throws {JidError}
 */
export function prepareResourcepart(text: string): string {
  if (preparedResourcepart.test(text)) return text
  refuseLongInput('resourcepart', text)
  return requireLength('resourcepart', enforceOpaqueString('resourcepart', text))
}

/**
 * Prepares a password, or other text to be compared and not shown, by the OpaqueString profile
 * (RFC 8265 §4.2). The caller bounds the length.
 *
 * @throws {JidError} when the text is empty or holds what the FreeformClass forbids.
 */
export function prepareOpaqueString(text: string): string {
  if (asciiOpaque.test(text)) return text
  const prepared = enforceOpaqueString('string', text)
  if (prepared === '') throw new JidError('string', 'is empty')
  return prepared
}

function enforceOpaqueString(part: JidPart, text: string): string {
  requireFreeform(part, text)
  const mapped = text.replace(/\p{Zs}/gu, ' ').normalize('NFC')
  requireFreeform(part, mapped)
  requireContext(part, mapped)
  return mapped
}

/** Whether every character belongs to the IdentifierClass (RFC 8264 §4.2). @throws {JidError} */
export function requireIdentifier(part: JidPart, text: string): void {
  for (const char of text) {
    const derived = derive(char)
    if (derived !== 'valid' && derived !== 'contextual') refuse(part, char)
  }
}

function requireFreeform(part: JidPart, text: string): void {
  for (const char of text) {
    const derived = derive(char)
    if (derived === 'disallowed' || derived === 'unassigned') refuse(part, char)
  }
}

/** The contextual rules of RFC 5892 appendix A. @throws {JidError} */
export function requireContext(part: JidPart, text: string): void {
  const char = brokenContext(text)
  if (char) throw new JidError(part, `has ${codePointName(char)} where its context forbids it`)
}

/** @throws {JidError} when a prepared part is empty or too long. */
export function requireLength(part: JidPart, text: string): string {
  if (text === '') throw new JidError(part, 'is empty')
  if (Buffer.byteLength(text) > maxPartBytes)
    throw new JidError(part, `is longer than ${maxPartBytes} octets`)
  return text
}

/** @throws {JidError} when a part is too long to be worth preparing. */
export function refuseLongInput(part: JidPart, text: string): void {
  if (text.length > maxPartInput) throw new JidError(part, 'is too long to be prepared')
}

function refuse(part: JidPart, char: string): never {
  throw new JidError(part, `must not contain ${codePointName(char)}`)
}
