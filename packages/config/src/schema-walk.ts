import type { z } from 'zod'
import { type ValueKind, valueKinds } from './values/kind.ts'

/** A place in a schema or a tree: keys, and indexes of lists. */
export type Path = readonly (string | number)[]

/** A schema of any kind, as zod's own functions pass it around. */
export type Schema = z.core.$ZodType

/** What a schema is once defaults and optionality are taken off it. */
export function unwrap(schema: Schema): z.core.$ZodTypes {
  let current = schema as z.core.$ZodTypes
  for (;;) {
    if (valueKinds.get(current)) return current
    const def = current._zod.def
    if (def.type === 'pipe') current = def.in as z.core.$ZodTypes
    else if ('innerType' in def) current = def.innerType as z.core.$ZodTypes
    else return current
  }
}

/** The kind of a value that is written as text; undefined for sections, words and plain text. */
export const kindOf = (schema: Schema | undefined): ValueKind | undefined =>
  schema && valueKinds.get(unwrap(schema))

/** The keys that a section allows; undefined where any name may stand. */
export function keysOf(schema: Schema): readonly string[] | undefined {
  const { def } = unwrap(schema)._zod
  return def.type === 'object' ? Object.keys(def.shape) : undefined
}

/** The schema of one key of a section, undefined when there is no such key; of the unknown, anything. */
export function childOf(schema: Schema, key: string | number): Schema | undefined {
  const { def } = unwrap(schema)._zod
  if (def.type === 'object') return Object.hasOwn(def.shape, key) ? def.shape[key] : undefined
  if (def.type === 'record') return def.valueType
  if (def.type === 'array') return def.element
  if (def.type === 'unknown') return schema
  return undefined
}

/** The schema at a path; undefined where the path leaves what is known. */
export const schemaAt = (schema: Schema, path: Path): Schema | undefined =>
  path.reduce<Schema | undefined>((at, key) => at && childOf(at, key), schema)

/** Whether a schema holds keys of its own, as opposed to one value. */
export const isSection = (schema: Schema): boolean =>
  ['object', 'record'].includes(unwrap(schema)._zod.def.type) && kindOf(schema) === undefined
