import { JidError } from './jid-error.ts'

const sequences: ReadonlyMap<string, string> = new Map([
  [' ', '\\20'],
  ['"', '\\22'],
  ['&', '\\26'],
  ["'", '\\27'],
  ['/', '\\2f'],
  [':', '\\3a'],
  ['<', '\\3c'],
  ['>', '\\3e'],
  ['@', '\\40'],
  ['\\', '\\5c'],
])
const characters: ReadonlyMap<string, string> = new Map(
  Array.from(sequences, ([character, sequence]) => [sequence, character]),
)

// A backslash is escaped only where it would otherwise read as the start of an escape, so that
// localparts from before the extension keep their meaning (XEP-0106 §2).
const toEscape = /[ "&'/:<>@]|\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)/g
const toUnescape = /\\(?:20|22|26|27|2f|3a|3c|3e|40|5c)/g

/**
 * Makes foreign text, such as a mail address, fit for a localpart (XEP-0106). The result still
 * has to be prepared.
 *
 * `d'artagnan@musketeers` becomes `d\27artagnan\40musketeers`.
 *
 * @throws {JidError} when the text starts or ends with a space, which §4 forbids.
 */
export function escapeLocalpart(text: string): string {
  if (text.startsWith(' ') || text.endsWith(' '))
    throw new JidError('localpart', 'must not start or end with an escaped space')
  return text.replace(toEscape, (character) => sequences.get(character) ?? character)
}

/** The text that {@link escapeLocalpart} was given; for people to read, never to route by. */
export function unescapeLocalpart(localpart: string): string {
  return localpart.replace(toUnescape, (sequence) => characters.get(sequence) ?? sequence)
}
