import * as tables from 'tr46/lib/regexes.js'

const zwnj = '\u200C'
const zwj = '\u200D'

type Rule = (chars: readonly string[], index: number) => boolean

const followsVirama: Rule = (chars, index) =>
  tables.combiningClassVirama.test(chars[index - 1] ?? '')

/** RFC 5892 A.1: between letters that would join across it. */
const joinsAcross: Rule = (chars, index) => {
  const start = chars.lastIndexOf(zwnj, index - 1) + 1
  const next = chars.indexOf(zwnj, index + 1)
  const segment = chars.slice(index === 0 ? 0 : start, next === -1 ? undefined : next)
  return tables.validZWNJ.test(segment.join(''))
}

const arabicIndic = /[\u0660-\u0669]/u
const extendedArabicIndic = /[\u06F0-\u06F9]/u

/** RFC 5892 A.1–A.9, by the character that needs the context. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  [zwnj, (chars, index) => followsVirama(chars, index) || joinsAcross(chars, index)],
  [zwj, followsVirama],
  ['\u00B7', (chars, index) => chars[index - 1] === 'l' && chars[index + 1] === 'l'],
  ['\u0375', (chars, index) => /^\p{Script=Greek}$/u.test(chars[index + 1] ?? '')],
  ['\u05F3', (chars, index) => /^\p{Script=Hebrew}$/u.test(chars[index - 1] ?? '')],
  ['\u05F4', (chars, index) => /^\p{Script=Hebrew}$/u.test(chars[index - 1] ?? '')],
  [
    '\u30FB',
    (chars) => chars.some((c) => /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(c)),
  ],
])

/**
 * The first character whose contextual rule is broken, or undefined.
 *
 * Digits of the two Arabic sets (A.8, A.9) are judged once for the whole string: they exclude
 * each other.
 */
export function brokenContext(text: string): string | undefined {
  const mixed = arabicIndic.exec(text)
  if (mixed && extendedArabicIndic.test(text)) return mixed[0]
  const chars = Array.from(text)
  return chars.find((char, index) => rules.get(char)?.(chars, index) === false)
}

/**
 * Whether the text obeys the Bidi Rule of RFC 5893 §2; text without right-to-left characters
 * always does, because RFC 8265 §3.3.2 applies the rule only where there is one.
 *
 * Hence conditions 5 and 6, about left-to-right text, are not asked: they allow no right-to-left
 * character at all.
 */
export function obeysBidiRule(text: string): boolean {
  if (!tables.bidiDomain.test(text)) return true
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0)
  const mixesNumbers = tables.bidiS4EN.test(text) && tables.bidiS4AN.test(text)
  return (
    tables.bidiS1RTL.test(first) &&
    tables.bidiS2.test(text) &&
    tables.bidiS3.test(text) &&
    !mixesNumbers
  )
}
