import type { Path } from './schema-walk.ts'

/** A section as it was written; without a prototype, so that no key can mean more than itself. */
export type Section = { [key: string]: unknown }

/** Whether a value has keys of its own. */
export const isTree = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An empty section. */
export const emptyTree = (): Section => Object.create(null) as Section

/** The value at a path, or undefined. */
export const valueAt = (tree: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)]
    return isTree(at) && Object.hasOwn(at, key) ? at[key] : undefined
  }, tree)

/** Puts a value at a path, making the sections on the way. */
export function setValue(tree: Section, path: Path, value: unknown): void {
  const [key, ...rest] = path
  if (key === undefined) return
  if (rest.length === 0) {
    tree[key] = value
    return
  }
  const next = tree[key]
  const section = isTree(next) ? next : emptyTree()
  tree[key] = section
  setValue(section, rest, value)
}

/** Remembers where values came from; what is not known itself has the origin of what holds it. */
export class Origins {
  readonly #labels = new Map<string, string>()

  set(path: Path, label: string): void {
    this.#labels.set(JSON.stringify(path), label)
  }

  /** Notes that a value now comes from elsewhere, with all that it holds. */
  replace(path: Path, label: string): void {
    const below = `${JSON.stringify(path).slice(0, -1)},`
    for (const known of this.#labels.keys()) if (known.startsWith(below)) this.#labels.delete(known)
    this.set(path, label)
  }

  /** The origin of exactly this path, if something was written there. */
  exact(path: Path): string | undefined {
    return this.#labels.get(JSON.stringify(path))
  }

  /** The origin of the path or of the nearest section around it. */
  nearest(path: Path): string | undefined {
    for (let length = path.length; length >= 0; length--) {
      const label = this.exact(path.slice(0, length))
      if (label !== undefined) return label
    }
    return undefined
  }
}
