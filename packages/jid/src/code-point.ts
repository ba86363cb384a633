/** What RFC 8264 §8 derives for a code point; `freeform` is valid in the FreeformClass only. */
export type Derived = 'valid' | 'freeform' | 'contextual' | 'unassigned' | 'disallowed'

// RFC 8264 §9.6, which is RFC 5892 §2.6.
const exceptionsValid = /^[\u00DF\u03C2\u06FD\u06FE\u0F0B\u3007]$/u
const exceptionsContextual = /^[\u00B7\u0375\u05F3\u05F4\u30FB\u0660-\u0669\u06F0-\u06F9]$/u
const exceptionsDisallowed = /^[\u0640\u07FA\u302E\u302F\u3031-\u3035\u303B]$/u
const ascii7 = /^[!-~]$/u
// §9.9: Hangul_Syllable_Type L, V and T, for which there is no property escape.
const oldHangulJamo = /^[\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7C6\uD7CB-\uD7FB]$/u
const ignorable = /^[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}]$/u
const letterDigits = /^[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]$/u
const freeformOnly = /^[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]$/u

/**
 * The derived property of one character, in the order of tests that RFC 8264 §8 prescribes.
 *
 * Computed from the Unicode version of the runtime rather than from a table, as §11.1 intends:
 * what is unassigned today may become valid with a newer runtime, never the reverse.
 */
export function derive(char: string): Derived {
  if (exceptionsValid.test(char)) return 'valid'
  if (exceptionsContextual.test(char)) return 'contextual'
  if (exceptionsDisallowed.test(char)) return 'disallowed'
  if (/^\p{Cn}$/u.test(char) && !/^\p{Noncharacter_Code_Point}$/u.test(char)) return 'unassigned'
  if (ascii7.test(char)) return 'valid'
  if (/^\p{Join_Control}$/u.test(char)) return 'contextual'
  if (oldHangulJamo.test(char) || ignorable.test(char)) return 'disallowed'
  if (char.normalize('NFKC') !== char) return freeformOrDisallowed(char)
  if (letterDigits.test(char)) return 'valid'
  return freeformOnly.test(char) ? 'freeform' : 'disallowed'
}

/** §9.17 HasCompat: surrogates and private use never reach it, since they have no mapping. */
function freeformOrDisallowed(char: string): Derived {
  return letterDigits.test(char) || freeformOnly.test(char) ? 'freeform' : 'disallowed'
}

/** How a character is named in error messages, such as `U+2654`. */
export function codePointName(char: string): string {
  const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase()
  return `U+${hex.padStart(4, '0')}`
}
