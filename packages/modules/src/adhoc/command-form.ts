import { type CommandDefinition, type FieldMeta, formOf } from '@tactus/core'
import {
  booleanField,
  type FieldDefinition,
  type FieldKind,
  integerField,
  jidField,
  jidsField,
  listField,
  textField,
  textLinesField,
} from '@tactus/stanza'
import { z } from 'zod'

/** Longest text of a field whose schema does not say, in characters. */
const longestText = 4_096

/** A field of a command's form as JSON schema describes it, with what it says of itself. */
interface FieldSchema extends FieldMeta {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly default?: unknown
  readonly items?: FieldSchema
}

/** One field that a command asks for. */
export interface CommandField {
  readonly name: string
  readonly definition: FieldDefinition<unknown>
  readonly own: FieldMeta['own']
  readonly default: unknown
}

/** The fields of a command's form, made from its schema: what zod checks is what clients are told. */
export function fieldsOf(command: CommandDefinition): readonly CommandField[] {
  const schema = z.toJSONSchema(formOf(command), { io: 'input', unrepresentable: 'any' })
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const field = property as FieldSchema
    return {
      name,
      own: field.own,
      default: field.default,
      definition: {
        kind: kindOf(field) as FieldKind<unknown>,
        label: labelOf(name),
        ...(field.description !== undefined && { desc: field.description.replaceAll('`', '') }),
        required: required.has(name),
      },
    }
  })
}

/** `createdAt` as people read it. */
export function labelOf(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

// biome-ignore lint/suspicious/noExplicitAny: each kind has its own type of value
function kindOf(field: FieldSchema): FieldKind<any> {
  if (field.enum) return listField(Object.fromEntries(field.enum.map((value) => [value, value])))
  switch (field.type) {
    case 'boolean':
      return booleanField
    case 'integer':
    case 'number':
      return integerField({
        min: field.minimum ?? Number.MIN_SAFE_INTEGER,
        max: field.maximum ?? Number.MAX_SAFE_INTEGER,
      })
    case 'array':
      return field.items?.jid ? jidsField : listOfLines
    default:
      return textKindOf(field)
  }
}

function textKindOf(field: FieldSchema): FieldKind<string> {
  const max = field.maxLength ?? longestText
  if (field.jid) return jidField as unknown as FieldKind<string>
  if (field.lines) return textLinesField(max)
  if (field.secret) return textField(max, 'text-private')
  if (field.format === 'date-time') return moment
  return textField(max)
}

/** Its value stays text, as the command's schema has it. */
const moment: FieldKind<string> = { ...textField(64), validate: { datatype: 'xs:dateTime' } }

const listOfLines: FieldKind<readonly string[]> = {
  type: 'text-multi',
  read: (values) => values.filter((value) => value !== ''),
  write: (value) => value,
}
