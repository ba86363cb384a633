const slots = 1_024
const longest = 64
const known: string[] = new Array(slots).fill('')

/**
 * Reads UTF-8 text that repeats, such as names and namespaces, without making a new string each time.
 *
 * The cache is a fixed table in which a new text displaces an old one: a peer that sends ever new
 * names gains neither memory nor more work than the reading itself.
 */
export function intern(buffer: Buffer, from: number, to: number): string {
  const length = to - from
  if (length === 0) return ''
  if (length > longest) return buffer.toString('utf8', from, to)
  const first = buffer[from] as number
  const middle = buffer[from + (length >> 1)] as number
  const last = buffer[to - 1] as number
  const slot = (first * 31 + middle * 131 + last * 7 + length * 61) & (slots - 1)
  const candidate = known[slot] as string
  if (candidate.length === length && matches(candidate, buffer, from)) return candidate
  return remember(slot, buffer, from, to)
}

function matches(candidate: string, buffer: Buffer, from: number): boolean {
  for (let i = 0; i < candidate.length; i++) {
    if (candidate.charCodeAt(i) !== buffer[from + i]) return false
  }
  return true
}

function remember(slot: number, buffer: Buffer, from: number, to: number): string {
  const text = buffer.toString('utf8', from, to)
  // Only ASCII is kept: of other text a byte is not a character.
  if (text.length === to - from) known[slot] = text
  return text
}
