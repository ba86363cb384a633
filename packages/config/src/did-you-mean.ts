/** How many letters must be changed, added or taken away. */
function distance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...left].entries()) {
    const current = [row + 1]
    for (const [column, other] of [...right].entries()) {
      const changed = (previous[column] ?? 0) + (letter === other ? 0 : 1)
      current.push(Math.min(changed, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}

const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')

/** The name that was probably meant, when one is near enough to be more than a guess. */
export function didYouMean(written: string, names: readonly string[]): string | undefined {
  const word = plain(written.slice(0, 64))
  const nearest = names
    .map((name) => ({ name, far: distance(word, plain(name)) }))
    .sort((left, right) => left.far - right.far)[0]
  const bound = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))
  return nearest && nearest.far <= bound ? nearest.name : undefined
}
