import { globSync, readFileSync } from 'node:fs'

/** A run of numbered examples of a specification, and the story that tells them, by a part of its title, or why none does. */
export type Example = readonly [
  first: number,
  last: number,
  told: { readonly story: string } | { readonly left: string },
]

export const by = (story: string): Example[2] => ({ story })
export const left = (reason: string): Example[2] => ({ left: reason })

/** Numbers of the examples between two, both included, that the table does not have. */
export function missing(
  examples: readonly Example[],
  first: number,
  last: number,
): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
    (n) => !examples.some(([from, to]) => from <= n && n <= to),
  )
}

/** Stories of the table that no file of this folder tells any more. */
export function gone(examples: readonly Example[], patterns: readonly string[]): readonly string[] {
  const folder = import.meta.dirname
  const source = globSync([...patterns], { cwd: folder })
    .map((file) => readFileSync(`${folder}/${file}`, 'utf8'))
    .join('\n')
  return examples.flatMap(([from, , told]) =>
    'story' in told && !source.includes(told.story) ? [`${from}: ${told.story}`] : [],
  )
}
