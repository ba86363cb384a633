import type { z } from 'zod'
import { didYouMean } from './did-you-mean.ts'
import type { Problem } from './problem.ts'
import { keysOf, kindOf, type Path, type Schema, schemaAt } from './schema-walk.ts'
import { isTree, type Origins, valueAt } from './tree.ts'

type Issue = z.core.$ZodIssue

/** What was read, and where each part of it was written. */
export interface Written {
  readonly schema: Schema
  readonly tree: unknown
  readonly keys: Origins
  readonly values: Origins
}

const names: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section',
  record: 'a section',
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (isTree(value)) return 'a section'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text
}

function found(value: unknown, schema: Schema | undefined): string {
  const hidden = kindOf(schema)?.name === 'secret' && typeof value === 'string' && value !== ''
  return hidden ? 'something else (not shown)' : describe(value)
}

function expected(issue: Issue, kind: string | undefined): string {
  if (kind) return kind
  if (issue.code === 'invalid_type') return names[issue.expected] ?? issue.expected
  if (issue.code === 'invalid_value') return 'one of the allowed words'
  return issue.message
}

function message(issue: Issue, written: Written, path: Path): string {
  const schema = schemaAt(written.schema, path)
  const value = valueAt(written.tree, path)
  const parts = [
    `expected ${expected(issue, kindOf(schema)?.expected)}, found ${found(value, schema)}`,
  ]
  if (issue.code === 'invalid_value') {
    parts.push(`allowed: ${issue.values.join(', ')}`)
    const meant = didYouMean(String(value), issue.values.map(String))
    if (meant) parts.push(`did you mean "${meant}"?`)
  }
  return parts.join('; ')
}

function unknownKey(key: string, path: Path, written: Written): string {
  const section = schemaAt(written.schema, path)
  const allowed = (section && keysOf(section)) ?? []
  const meant = didYouMean(key, allowed)
  const parts = ['unknown key']
  if (meant) parts.push(`did you mean "${meant}"?`)
  parts.push(allowed.length > 0 ? `allowed: ${allowed.join(', ')}` : 'none is allowed here')
  return parts.join('; ')
}

/** Says what is wrong in the words of the file, one problem for each thing to mend. */
export function explain(issue: Issue, written: Written): Problem[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const at = [...path, key]
      const origin = written.keys.exact(at) ?? written.values.nearest(at)
      return { origin, path: at.join('.'), message: unknownKey(key, path, written) }
    })
  if (issue.code === 'invalid_key') {
    const rule = issue.issues[0]?.message ?? issue.message
    const shown = JSON.stringify(path.at(-1))
    return [
      {
        origin: written.keys.nearest(path),
        path: path.slice(0, -1).join('.'),
        message: `expected ${rule}, found ${shown}`,
      },
    ]
  }
  const origin = written.values.nearest(path)
  return [{ origin, path: path.join('.'), message: message(issue, written, path) }]
}
