/** Does XML 1.0 allow this code point at all (XML §2.2)? */
export function isXmlChar(point: number): boolean {
  if (point < 0x20) return point === 0x09 || point === 0x0a || point === 0x0d
  if (point < 0xd800) return true
  if (point < 0xe000) return false
  return point <= 0xfffd || (point >= 0x10000 && point <= 0x10ffff)
}

const startRanges =
  'A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}' +
  '\\u{200C}\\u{200D}\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}' +
  '\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}'
const ncName = new RegExp(
  `^[${startRanges}][${startRanges}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}]*$`,
  'u',
)
const asciiName = /^[A-Z_a-z][-.0-9A-Z_a-z]*$/

/** Is it a name without a colon (Namespaces in XML §3)? */
export function isNcName(name: string): boolean {
  return asciiName.test(name) || ncName.test(name)
}

const suspicious = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/

/** Does it hold nothing but XML characters? NUL, U+FFFE and lone surrogates are none. */
export function isXmlText(text: string): boolean {
  if (!suspicious.test(text)) return true
  return text.isWellFormed() && !/[^\t\n\r\x20-\ufffd]/.test(text)
}

/** Is there no white space, of any kind that Unicode knows, around it? */
export function isTrimmed(text: string): boolean {
  return text.trim().length === text.length
}
