/**
 * Finds the numbers that the load client hid in its stanzas as `~12~`, in pieces of text that end
 * anywhere. No server writes a tilde of its own into what it passes on.
 */
export class Marks {
  #rest = ''

  /** The numbers that are complete by now. */
  find(piece: string): readonly number[] {
    const found: number[] = []
    const text = this.#rest + piece
    let from = 0
    while (true) {
      const begin = text.indexOf('~', from)
      if (begin < 0) break
      const end = text.indexOf('~', begin + 1)
      if (end < 0) {
        this.#rest = text.slice(begin)
        return found
      }
      found.push(Number(text.slice(begin + 1, end)))
      from = end + 1
    }
    this.#rest = ''
    return found
  }
}
