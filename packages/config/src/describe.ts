import { z } from 'zod'
import { variableOf } from './environment.ts'
import {
  childOf,
  isSection,
  keysOf,
  kindOf,
  type Path,
  type Schema,
  unwrap,
} from './schema-walk.ts'
import { isTree } from './tree.ts'
import { type Address, formatAddress } from './values/address.ts'
import { formatDuration } from './values/duration.ts'
import { type ValueKind, valueKinds } from './values/kind.ts'
import { maskUrl } from './values/location.ts'
import { Secret } from './values/secret.ts'
import { formatSize } from './values/size.ts'

/** One key of the configuration as the reference shows it. */
export interface KeyDescription {
  /** `<name>` stands for a name of the reader's choice. */
  readonly path: string
  /** The variable that overrides it; undefined below a name of the reader's choice. */
  readonly variable: string | undefined
  /** Completes "expected …". */
  readonly type: string
  /** As it would be written; undefined when there is none. */
  readonly fallback: string | undefined
  readonly description: string
}

const formats: Partial<Record<ValueKind['name'], (value: never) => string>> = {
  duration: formatDuration,
  size: formatSize,
  toggle: (value: boolean) => (value ? 'on' : 'off'),
  address: (value: readonly Address[]) => value.map(formatAddress).join(', ') || 'off',
}

/** Writes a value that was read the way it could have been written; secrets stay hidden. */
export function formatValue(value: unknown, schema: Schema | undefined): string {
  if (value instanceof Secret) return String(value)
  const kind = kindOf(schema)
  const format = kind && formats[kind.name]
  if (format) return format(value as never)
  return typeof value === 'string' ? maskUrl(value) : JSON.stringify(value)
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list of texts',
}

function typeOf(schema: Schema): string {
  const kind = kindOf(schema)
  if (kind) return kind.expected
  const { def } = unwrap(schema)._zod
  if (def.type === 'enum') return Object.values(def.entries).join(', ')
  return words[def.type] ?? 'anything'
}

/** What a key is when nobody says anything. */
function fallbackOf(schema: Schema): string | undefined {
  const result = z.safeParse(schema, undefined)
  return result.success && result.data !== undefined ? formatValue(result.data, schema) : undefined
}

const descriptionOf = (schema: Schema): string => z.globalRegistry.get(schema)?.description ?? ''

/** Lists every key of a schema, in the order in which it is declared. */
export function describeConfig(schema: Schema, path: Path = []): readonly KeyDescription[] {
  const keys = keysOf(schema)
  if (keys) return keys.flatMap((key) => describeChild(schema, key, path))
  return isSection(schema) ? describeChild(schema, '<name>', path) : []
}

function describeChild(schema: Schema, key: string, path: Path): readonly KeyDescription[] {
  const child = childOf(schema, key)
  if (!child) return []
  const below = [...path, key]
  if (isSection(child)) return describeConfig(child, below)
  return [
    {
      path: below.join('.'),
      variable: below.includes('<name>') ? undefined : variableOf(below),
      type: typeOf(child),
      fallback: fallbackOf(child),
      description: descriptionOf(child),
    },
  ]
}

/** One value in force and where it was said. */
export interface ConfigEntry {
  readonly path: string
  readonly value: string
  /** `tactus.yaml:5:8`, a variable, a flag, or `default`. */
  readonly origin: string
}

/** Everything in force, with its origin and without secrets. */
export function configEntries(loaded: {
  readonly config: unknown
  readonly schema: Schema
  readonly origins: { exact(path: Path): string | undefined }
}): readonly ConfigEntry[] {
  const entries: ConfigEntry[] = []
  const originOf = (path: Path): string => {
    for (let length = path.length; length > 0; length--) {
      const origin = loaded.origins.exact(path.slice(0, length))
      if (origin !== undefined) return origin
    }
    return 'default'
  }
  const visit = (value: unknown, schema: Schema | undefined, path: Path): void => {
    const isLeaf = !isTree(value) || value instanceof Secret || kindOf(schema) !== undefined
    if (isLeaf) {
      if (value === undefined) return
      const origin = originOf(path)
      entries.push({ path: path.join('.'), value: formatValue(value, schema), origin })
      return
    }
    for (const [key, child] of Object.entries(value))
      visit(child, schema && childOf(schema, key), [...path, key])
  }
  visit(loaded.config, loaded.schema, [])
  return entries
}

/** The configuration in force as text, one key a line with its origin. */
export function showConfig(loaded: Parameters<typeof configEntries>[0]): string {
  const entries = configEntries(loaded)
  const lines = entries.map(({ path, value, origin }) => ({ text: `${path}: ${value}`, origin }))
  const width = Math.min(60, Math.max(0, ...lines.map(({ text }) => text.length)))
  return lines.map(({ text, origin }) => `${text.padEnd(width)}  # ${origin}\n`).join('')
}

/** The JSON schema (draft 7) of what may be written in the file, for editors and the Helm chart. */
export function renderJsonSchema(schema: z.ZodType): Record<string, unknown> {
  const rendered: Record<string, unknown> = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const kind = valueKinds.get(zodSchema)
      if (kind) Object.assign(jsonSchema, kind.json)
    },
  })
  return rendered
}
