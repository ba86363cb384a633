import type { FormField } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'
import { labelOf } from './command-form.ts'
import type { Completion } from './offer.ts'
import { type Note, resultElement } from './wire.ts'

type Row = Readonly<Record<string, unknown>>

/**
 * What a command returned, as result forms: single values first, then each list of records as a table (XEP-0004 §3.4).
 *
 * A form each, because readers differ in what they make of fields beside a table (XEP-0004 §3.4, as of 2.13.1).
 */
export function outputForms(title: string, output: unknown): Completion {
  const record: Row = isRow(output) ? output : { result: output }
  const entries = Object.entries(record).filter(
    ([, value]) => value !== undefined && value !== null,
  )
  const fields = entries
    .filter(([, value]) => !isTable(value))
    .map(([name, value]) => fieldOf(name, value))
  const tables = entries.filter(([, value]) => isTable(value)) as [string, readonly Row[]][]
  const notes = tables
    .filter(([, rows]) => rows.length === 0)
    .map(([name]): Note => ({ type: 'info', text: `${labelOf(name)}: none` }))
  return {
    payload: [
      ...(fields.length > 0 ? [resultElement({ title, fields })] : []),
      ...tables
        .filter(([, rows]) => rows.length > 0)
        .map(([name, rows]) => table(title, name, rows)),
    ],
    notes,
  }
}

function table(title: string, name: string, rows: readonly Row[]): XmlElement {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return resultElement({
    title: `${title}: ${labelOf(name).toLowerCase()}`,
    fields: [],
    reported: columns.map((column) => ({
      var: column,
      type: typeOf(column),
      label: labelOf(column),
      values: [],
    })),
    items: rows.map((row) =>
      columns.map((column) => ({ var: column, values: textsOf(row[column]) })),
    ),
  })
}

function fieldOf(name: string, value: unknown): FormField {
  const texts = textsOf(value)
  const type = Array.isArray(value) ? 'text-multi' : typeOf(name)
  return { var: name, type, label: labelOf(name), values: texts }
}

function typeOf(name: string): 'jid-single' | 'text-single' {
  return name === 'jid' ? 'jid-single' : 'text-single'
}

function textsOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap(textsOf)
  if (!isRow(value)) return [String(value)]
  const pairs = Object.entries(value).map(([key, part]) => `${key}=${textsOf(part).join(' ')}`)
  return pairs.length > 0 ? [pairs.join(' ')] : []
}

function isTable(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRow)
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
