import { type BareJid, isBare, type Jid, tryParseJid } from '@tactus/jid'
import {
  type DataForm,
  type FieldOption,
  type FieldType,
  type FieldValidation,
  type FormField,
  formTypeField,
  formTypeOf,
} from './data-form.ts'
import { formatDateTime, parseDateTime } from './date-time.ts'
import { StanzaError } from './stanza-error.ts'

/**
 * How a kind of field carries a value of type `T`; the text it travels as is known here alone.
 */
export interface FieldKind<T> {
  readonly type: FieldType
  readonly options?: readonly FieldOption[]
  readonly validate?: FieldValidation
  /** What is allowed, as the rest of a sentence that tells somebody what they sent instead. */
  readonly expects?: string
  /** Undefined when the texts are no such value. */
  read(values: readonly string[]): T | undefined
  write(value: T): readonly string[]
}

/** A field of a form that we offer: its kind and what people see of it. */
export interface FieldDefinition<T> {
  readonly kind: FieldKind<T>
  readonly label: string
  readonly desc?: string
  readonly required?: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: each field has its own type of value
type AnyField = FieldDefinition<any>

/** The fields of a form by their names on the wire, such as `muc#roomconfig_roomname`. */
export type FormDefinition = Readonly<Record<string, AnyField>>

/** The values of the fields of a definition, by their names. */
export type FormValues<D extends FormDefinition> = {
  readonly [K in keyof D]?: D[K] extends FieldDefinition<infer T> ? T : never
}

/** A form of type `form` to be filled in, with these values as defaults. Without a FORM_TYPE it is for people only (XEP-0068 §3). */
export function offerForm<D extends FormDefinition>(
  formType: string | undefined,
  definition: D,
  values: FormValues<D> = {},
): DataForm {
  return { type: 'form', fields: fieldsFor(formType, definition, values) }
}

/** A form of type `result` that tells values, without the fields that have none. */
export function resultForm<D extends FormDefinition>(
  formType: string | undefined,
  definition: D,
  values: FormValues<D>,
): DataForm {
  const fields = fieldsFor(formType, definition, values)
    .filter((field) => field.values.length > 0)
    .map((field) => ({ ...field, options: undefined, required: undefined, validate: undefined }))
  return { type: 'result', fields }
}

/**
 * The values that a submission sets. Fields it leaves out keep what they are (XEP-0004 §3.5) and
 * are absent here; fields that the definition does not know are ignored.
 *
 * @throws {StanzaError} `bad-request` when it is no submission of this form, `not-acceptable`
 * naming the first field whose value does not fit (XEP-0004 §4).
 */
export function readSubmission<D extends FormDefinition>(
  form: DataForm,
  formType: string | undefined,
  definition: D,
): FormValues<D> {
  const submitted = formTypeOf(form)
  const isOther = formType !== undefined && submitted !== undefined && submitted !== formType
  if (form.type !== 'submit' || isOther)
    throw new StanzaError('bad-request', `A submission of ${formType ?? 'the form'} is expected.`)
  const values = new Map<string, unknown>()
  for (const { var: name, values: texts } of form.fields) {
    if (name === undefined || !Object.hasOwn(definition, name)) continue
    const field = definition[name]
    const value = field?.kind.read(texts)
    if (value === undefined) throw new StanzaError('not-acceptable', describeProblem(name, field))
    values.set(name, value)
  }
  return Object.fromEntries(values) as FormValues<D>
}

function describeProblem(name: string, field: AnyField | undefined): string {
  const expects = field?.kind.expects
  return expects === undefined
    ? `The value of ${name} is invalid.`
    : `The value of ${name} is invalid: ${expects} is expected.`
}

/** The names of required fields for which there is no value (XEP-0004 §3.2). */
export function missingFields<D extends FormDefinition>(
  definition: D,
  values: FormValues<D>,
): string[] {
  return Object.keys(definition).filter(
    (name) => definition[name]?.required === true && values[name] === undefined,
  )
}

function fieldsFor<D extends FormDefinition>(
  formType: string | undefined,
  definition: D,
  values: FormValues<D>,
): FormField[] {
  const fields = Object.entries(definition).map(([name, field]): FormField => {
    const { kind, label, desc, required } = field
    const value = values[name]
    return {
      var: name,
      type: kind.type,
      label,
      desc,
      required,
      values: value === undefined ? [] : kind.write(value),
      options: kind.options,
      validate: kind.validate,
    }
  })
  return formType === undefined ? fields : [formTypeField(formType), ...fields]
}

/** Yes or no, written `1` and `0` as the older clients expect; read as XML Schema has it. */
export const booleanField: FieldKind<boolean> = {
  type: 'boolean',
  expects: 'true or false',
  read(values) {
    const text = values.length === 1 ? values[0]?.trim() : undefined
    if (text === '1' || text === 'true') return true
    return text === '0' || text === 'false' ? false : undefined
  },
  write: (value) => [value ? '1' : '0'],
}

/** One line of text of at most `max` characters; no value is the empty text. */
export function textField(
  max: number,
  type: 'hidden' | 'text-private' | 'text-single' = 'text-single',
): FieldKind<string> {
  return {
    type,
    expects: `one line of at most ${max} characters`,
    read(values) {
      const [text = '', ...others] = values
      return others.length === 0 && text.length <= max ? text : undefined
    },
    write: (value) => [value],
  }
}

/** Lines of text of at most `max` characters together, one `<value/>` a line (XEP-0004 §3.3). */
export function textLinesField(max: number): FieldKind<string> {
  return {
    type: 'text-multi',
    expects: `text of at most ${max} characters`,
    read(values) {
      const text = values.join('\n')
      return text.length <= max ? text : undefined
    },
    write: (value) => (value === '' ? [] : value.split(/\r?\n/)),
  }
}

/** A whole number in a range, both ends included; no field type of XEP-0004 says so, XEP-0122 does. */
export function integerField({
  min,
  max,
}: {
  readonly min: number
  readonly max: number
}): FieldKind<number> {
  return {
    type: 'text-single',
    validate: { datatype: 'xs:integer', range: { min: String(min), max: String(max) } },
    expects: `a whole number from ${min} to ${max}`,
    read(values) {
      const text = values.length === 1 ? values[0]?.trim() : undefined
      if (text === undefined || !/^-?\d{1,15}$/.test(text)) return undefined
      const value = Number(text)
      return value >= min && value <= max ? value : undefined
    },
    write: (value) => [String(value)],
  }
}

/** One of a list of choices. */
export function listField<T extends string>(choices: Readonly<Record<T, string>>): FieldKind<T> {
  return {
    type: 'list-single',
    options: optionsOf(choices),
    expects: `one of ${Object.keys(choices).join(', ')}`,
    read(values) {
      const [text, ...others] = values
      return others.length === 0 && isChoice(choices, text) ? text : undefined
    },
    write: (value) => [value],
  }
}

/** Any of a list of choices, each once. */
export function listMultiField<T extends string>(
  choices: Readonly<Record<T, string>>,
): FieldKind<readonly T[]> {
  return {
    type: 'list-multi',
    options: optionsOf(choices),
    expects: `any of ${Object.keys(choices).join(', ')}`,
    read(values) {
      const chosen = values.filter((text) => isChoice(choices, text))
      return chosen.length === values.length ? [...new Set(chosen)] : undefined
    },
    write: (value) => value,
  }
}

/** One address. */
export const jidField: FieldKind<Jid> = {
  type: 'jid-single',
  expects: 'one JID',
  read: (values) => (values.length === 1 ? tryParseJid(values[0]?.trim() ?? '') : undefined),
  write: (value) => [value],
}

/** A moment, ms since 1970, in the profile of XEP-0082; XEP-0122 says so to clients. */
export const dateTimeField: FieldKind<number> = {
  type: 'text-single',
  validate: { datatype: 'xs:dateTime' },
  expects: 'a time such as 2026-12-31T23:59:59Z',
  read: (values) => (values.length === 1 ? parseDateTime(values[0]?.trim() ?? '') : undefined),
  write: (value) => [formatDateTime(value)],
}

/** Addresses of any form, each once (XEP-0004 §3.3 demands to ignore duplicates). */
export const jidsField: FieldKind<readonly Jid[]> = {
  type: 'jid-multi',
  expects: 'JIDs only',
  read(values) {
    const jids = values.map((text) => tryParseJid(text.trim())).filter((jid) => jid !== undefined)
    return jids.length === values.length ? [...new Set(jids)] : undefined
  },
  write: (value) => value,
}

/** Addresses without resourcepart, each once. */
export const bareJidsField: FieldKind<readonly BareJid[]> = {
  type: 'jid-multi',
  expects: 'JIDs without resource',
  read(values) {
    const jids = values.map((text) => tryParseJid(text.trim())).filter(isBareJid)
    return jids.length === values.length ? [...new Set(jids)] : undefined
  },
  write: (value) => value,
}

function isBareJid(jid: Jid | undefined): jid is BareJid {
  return jid !== undefined && isBare(jid)
}

function optionsOf(choices: Readonly<Record<string, string>>): FieldOption[] {
  return Object.entries(choices).map(([value, label]) => ({ value, label }))
}

function isChoice<T extends string>(
  choices: Readonly<Record<T, string>>,
  text: string | undefined,
): text is T {
  return text !== undefined && Object.hasOwn(choices, text)
}
