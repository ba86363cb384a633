import { isXmlText } from './characters.ts'

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}
const reference = (character: string): string => references[character] as string

// A parser turns a carriage return in text, and every white space in an attribute, into something
// else unless it is a character reference (XML §2.11, §3.3.3).
const textSpecials = /[&<>'"\r]/g
const attributeSpecials = /[&<>'"\t\n\r]/g

// Whatever is neither special nor perhaps no XML: one look is enough for most texts.
const unclearText = /[^\t\n !#-%(-;=?-\ud7ff\ue000-\ufffd]/
const unclearAttribute = /[^ !#-%(-;=?-\ud7ff\ue000-\ufffd]/

/**
 * Escapes character data.
 *
 * @throws {TypeError} when it holds what XML does not allow, such as NUL or a lone surrogate
 */
export function escapeText(text: string): string {
  if (!unclearText.test(text)) return text
  if (!isXmlText(text)) throw new TypeError('text is not XML')
  return text.replace(textSpecials, reference)
}

/**
 * Escapes an attribute value, for either kind of quotes.
 *
 * @throws {TypeError} when it holds what XML does not allow
 */
export function escapeAttribute(value: string): string {
  if (!unclearAttribute.test(value)) return value
  if (!isXmlText(value)) throw new TypeError('attribute value is not XML')
  return value.replace(attributeSpecials, reference)
}
