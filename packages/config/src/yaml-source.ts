import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Problem } from './problem.ts'
import type { Path } from './schema-walk.ts'
import { emptyTree, isTree, Origins, type Section } from './tree.ts'

/** A file as it was written, with the place of every key and value. */
export interface YamlSource {
  readonly tree: Section
  readonly keys: Origins
  readonly values: Origins
  readonly problems: readonly Problem[]
}

/** Copies what the parser made into trees without a prototype. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isTree(value)) return value
  const copy = emptyTree()
  for (const [key, child] of Object.entries(value)) copy[key] = plain(child)
  return copy
}

/** Notes where every key and value of a document stands. */
class Places {
  readonly keys: Origins = new Origins()
  readonly values: Origins = new Origins()
  readonly #label: (offset: number) => string

  constructor(label: (offset: number) => string) {
    this.#label = label
  }

  note(node: unknown, path: Path): void {
    if (isNode(node) && node.range) this.values.set(path, this.#label(node.range[0]))
    if (isMap(node)) for (const { key, value } of node.items) this.#notePair(key, value, path)
    if (isSeq(node))
      for (const [index, item] of node.items.entries()) this.note(item, [...path, index])
  }

  #notePair(key: unknown, value: unknown, path: Path): void {
    if (!isScalar(key)) return
    const below = [...path, String(key.value)]
    if (key.range) {
      this.keys.set(below, this.#label(key.range[0]))
      this.values.set(below, this.#label(key.range[0])) // until a value says better
    }
    this.note(value, below)
  }
}

/** Reads YAML 1.2; everything that is wrong with its syntax becomes a problem, nothing is thrown. */
export function readYaml(text: string, name: string): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const label = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }
  const places = new Places(label)
  places.note(document.contents, [])
  const problems: Problem[] = [...document.errors, ...document.warnings].map(
    ({ pos, message }) => ({
      origin: label(pos[0]),
      path: '',
      message: message.replace(/\s+/g, ' '),
    }),
  )
  const result = { keys: places.keys, values: places.values, problems }
  if (problems.length > 0) return { ...result, tree: emptyTree() }
  try {
    // The bound on aliases keeps a page of nested ones from growing to gigabytes.
    const tree = plain(document.toJS({ maxAliasCount: 100 }) ?? {})
    if (isTree(tree)) return { ...result, tree }
    problems.push({ origin: name, path: '', message: 'expected "key: value" lines' })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    problems.push({ origin: name, path: '', message })
  }
  return { ...result, tree: emptyTree() }
}
