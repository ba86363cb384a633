import { parse } from 'yaml'
import { didYouMean } from './did-you-mean.ts'
import { type Environment, fileTrouble, readSecretFile } from './interpolate.ts'
import type { Problem } from './problem.ts'
import { childOf, keysOf, kindOf, type Path, type Schema, schemaAt, unwrap } from './schema-walk.ts'
import { isTree, valueAt } from './tree.ts'
import { toggleWords } from './values/scalar.ts'

/** A value from the environment and the key that it is for. */
export interface EnvironmentValue {
  readonly path: Path
  readonly value: unknown
  /** The variable's name. */
  readonly origin: string
}

export const environmentPrefix = 'TACTUS_'

/** Variables under our prefix that are for the programs around the configuration. */
const others = new Set(['TACTUS_CONFIG'])

/** Kubernetes tells every container the address of each service; one may well be called tactus. */
const serviceLink = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$/

/** `stanzaBytes` → `STANZA_BYTES`, `example.test` → `EXAMPLE_TEST`. */
export const screaming = (key: string): string =>
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]/g, '_')
    .toUpperCase()

/** The variable that overrides a key. */
export const variableOf = (path: Path): string =>
  environmentPrefix + path.map((key) => screaming(String(key))).join('__')

/** `STANZA_BYTES` → `stanzaBytes`. */
const camel = (segment: string): string =>
  segment.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** What a segment of a variable's name means: a known key, or else a name of the reader's choice. */
function keyFor(segment: string, schema: Schema, existing: unknown): string | undefined {
  const known = keysOf(schema) ?? (isTree(existing) ? Object.keys(existing) : [])
  const key = known.find((name) => screaming(name) === segment)
  if (key !== undefined || keysOf(schema) || segment === '') return key
  const { type } = unwrap(schema)._zod.def
  // Names of the reader's choice with sections below are domains; a variable cannot hold their dots.
  if (type === 'record') return segment.toLowerCase().replaceAll('_', '.')
  return type === 'unknown' ? camel(segment) : undefined
}

/** Follows the segments of a variable's name through the schema. */
function findPath(segments: readonly string[], schema: Schema, tree: unknown): Path | undefined {
  const path: string[] = []
  let at: Schema | undefined = schema
  for (const segment of segments) {
    const key: string | undefined =
      at && !kindOf(at) ? keyFor(segment, at, valueAt(tree, path)) : undefined
    if (!at || key === undefined) return undefined
    path.push(key)
    at = childOf(at, key)
  }
  return path
}

const written = new Set(['array', 'boolean', 'number', 'object', 'record', 'unknown'])

/**
 * Reads what can only be given as text: what the schema wants as more than text is written as YAML,
 * but a list may do with commas.
 */
export function readText(text: string, schema: Schema | undefined): unknown {
  if (schema && kindOf(schema)) return text
  const type = schema ? unwrap(schema)._zod.def.type : 'unknown'
  if (type === 'array' && !text.trimStart().startsWith('['))
    return text.split(',').map((item) => item.trim())
  if (type === 'boolean') return toggleWords.get(text) ?? text
  return written.has(type) ? parse(text) : text
}

/** Every variable that can be meant, for suggestions. */
function allVariables(schema: Schema, path: Path = []): string[] {
  const keys = keysOf(schema) ?? []
  return keys.flatMap((key) => {
    const child = childOf(schema, key)
    const below = [...path, key]
    return [variableOf(below), ...(child ? allVariables(child, below) : [])]
  })
}

function readVariable(
  name: string,
  text: string,
  schema: Schema,
  tree: unknown,
): EnvironmentValue | Problem {
  const segments = (from: string): string[] => from.slice(environmentPrefix.length).split('__')
  const path = findPath(segments(name), schema, tree)
  const trouble = (message: string): Problem => ({
    origin: name,
    path: path?.join('.') ?? '',
    message,
  })
  try {
    if (path) return { path, value: readText(text, schemaAt(schema, path)), origin: name }
  } catch {
    return trouble('expected YAML, such as {key: value} or [one, two]')
  }

  const filed = name.endsWith('_FILE')
    ? findPath(segments(name.slice(0, -'_FILE'.length)), schema, tree)
    : undefined
  if (!filed) {
    const meant = didYouMean(name, allVariables(schema))
    return trouble(`unknown key${meant ? `; did you mean ${meant}?` : ''}`)
  }
  try {
    return { path: filed, value: readSecretFile(text), origin: name }
  } catch (error) {
    return trouble(`cannot read ${text}: ${fileTrouble(error)}`)
  }
}

/**
 * Reads the variables under `TACTUS_`: `__` between keys, `_FILE` for a file that holds the value.
 *
 * @param tree what the file says, which decides how names under `hosts` and `modules` are spelt
 */
export function readEnvironment(
  environment: Environment,
  schema: Schema,
  tree: unknown,
): { readonly values: readonly EnvironmentValue[]; readonly problems: readonly Problem[] } {
  const read = Object.entries(environment)
    .filter(([name]) => name.startsWith(environmentPrefix) && !others.has(name))
    .filter(([name]) => !serviceLink.test(name))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, text = '']) => readVariable(name, text, schema, tree))
  return {
    values: read.filter((item) => 'value' in item),
    problems: read.filter((item) => 'message' in item),
  }
}
