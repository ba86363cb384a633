import { createHash } from 'node:crypto'

/** Longest word and most different words of a message that a search finds; both far above what people write. */
const limits = { word: 64, words: 2_000 }
/** Most words of a search: each costs a look at the index. */
const mostSearched = 16

const word = /[\p{L}\p{N}\p{M}]+/gu
/** The same where there is nothing but ASCII, which most text is: without a look at Unicode it costs a third. */
const plainWord = /[a-z0-9]+/g
const plainText = /^[\0-\x7f]*$/
/** Scripts that put no spaces between words: only a dictionary finds them. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
let segmenter: Intl.Segmenter | undefined

/**
 * The words of a text, each once, as both dialects index them: letters, digits and marks, in lower case.
 *
 * Split here and not by the database, so that a search finds the same on either. Undefined where there are none.
 */
export function wordsOf(text: string): string | undefined {
  const words = distinctWords(text, limits.words)
  return words.length === 0 ? undefined : words.join(' ')
}

/** What to search for; empty when the text has no word in it. All of them have to be in a message. */
export function searchedWords(text: string): readonly string[] {
  return distinctWords(text, mostSearched)
}

/**
 * The condition on an archive's words as the index of SQLite understands it. Words hold letters, digits and marks only
 * (`wordsOf`), so that nothing in them is an operator.
 */
export function sqliteMatch(owner: string, words: readonly string[]): string {
  // Only narrows it down: the query compares the owner itself as well.
  const owned = Array.from(owner.matchAll(word), ([run]) => `"${run}"`)
  const wanted = words.map((each) => `"${each}"`)
  return `owner : (${owned.join(' AND ')}) AND words : (${wanted.join(' AND ')})`
}

/** Milliseconds of a piece of time, see `postgresMatch`. The index has it in itself: it is for ever. */
export const pieceLength = 7_776_000_000

/** The pieces of time from the first to the last, both included. */
export interface Pieces {
  readonly first: number
  readonly last: number
}

/**
 * The same for the index of Postgres, whose lexemes begin with a mark of the owner and of the piece of time (90 days) that
 * the message is of: so it costs what is found in these pieces, and not what there is in all of the archive.
 */
export function postgresMatch(
  owner: string,
  words: readonly string[],
  { first, last }: Pieces,
): string {
  const mark = createHash('md5').update(owner).digest('hex').slice(0, 10)
  const pieces: string[] = []
  for (let piece = first; piece <= last; piece += 1) {
    const prefix = mark + piece.toString(16).padStart(4, '0')
    pieces.push(`(${words.map((each) => `'${prefix}${each}'`).join(' & ')})`)
  }
  return pieces.join(' | ')
}

function distinctWords(text: string, most: number): string[] {
  if (plainText.test(text)) return plainWords(text, most)
  const words = new Set<string>()
  for (const [run] of text.normalize('NFKC').toLowerCase().matchAll(word)) {
    for (const part of unspaced.test(run) ? segments(run) : [run]) {
      if (words.size === most) return [...words]
      words.add(shortened(part))
    }
  }
  return [...words]
}

function plainWords(text: string, most: number): string[] {
  const words = new Set<string>()
  for (const run of text.toLowerCase().match(plainWord) ?? []) {
    if (words.size === most) break
    words.add(shortened(run))
  }
  return [...words]
}

function segments(run: string): string[] {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' })
  return Array.from(segmenter.segment(run), ({ segment }) => segment)
}

/** By code points, so that no half of one is left. */
function shortened(long: string): string {
  return long.length <= limits.word ? long : [...long].slice(0, limits.word).join('')
}
