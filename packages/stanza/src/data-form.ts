import { type XmlElement, xml } from '@tactus/xml'
import { NS_DATA_FORMS, NS_FORM_VALIDATION } from './namespaces.ts'
import { StanzaError } from './stanza-error.ts'

/** XEP-0004 §3.1. */
export type FormType = 'form' | 'submit' | 'cancel' | 'result'

const fieldTypes = [
  'boolean',
  'fixed',
  'hidden',
  'jid-multi',
  'jid-single',
  'list-multi',
  'list-single',
  'text-multi',
  'text-private',
  'text-single',
] as const

/** XEP-0004 §3.3. */
export type FieldType = (typeof fieldTypes)[number]

/** One choice of a list field; without a label its value is shown. */
export interface FieldOption {
  readonly value: string
  readonly label?: string | undefined
}

/** What a value must be, where the type of its field does not say it (XEP-0122); for people's clients, as we check anyway. */
export interface FieldValidation {
  /** Such as `xs:integer` or `xs:dateTime` (§4.1). */
  readonly datatype: string
  /** Both ends included (§3.2.3). */
  readonly range?: { readonly min?: string | undefined; readonly max?: string | undefined }
}

/** One field as it stands in a form, its values as text. */
export interface FormField {
  /** Absent only in fixed fields. */
  readonly var?: string | undefined
  /** Absent in submissions, where the form's own definition counts. */
  readonly type?: FieldType | undefined
  readonly label?: string | undefined
  readonly desc?: string | undefined
  readonly required?: boolean | undefined
  readonly values: readonly string[]
  readonly options?: readonly FieldOption[] | undefined
  /** Said in forms that we offer; what others say of their fields is not read. */
  readonly validate?: FieldValidation | undefined
}

/** A data form, whatever it is for (XEP-0004). */
export interface DataForm {
  readonly type: FormType
  readonly title?: string | undefined
  readonly instructions?: readonly string[] | undefined
  readonly fields: readonly FormField[]
  /** Columns and rows of a result of many items (§3.4). */
  readonly reported?: readonly FormField[] | undefined
  readonly items?: readonly (readonly FormField[])[] | undefined
}

/** What a form from the network may hold; the stanza limits bound its bytes. */
export interface FormLimits {
  readonly fields: number
  readonly values: number
}

/** Enough for every form that the XEPs define, lists of affiliated JIDs included. */
export const defaultFormLimits: FormLimits = { fields: 256, values: 2000 }

/**
 * Reads an `<x xmlns='jabber:x:data'/>`.
 *
 * @throws {StanzaError} `bad-request` for what is no form, `not-acceptable` over the limits.
 */
export function readForm(element: XmlElement, limits: FormLimits = defaultFormLimits): DataForm {
  if (!element.is('x', NS_DATA_FORMS)) throw new StanzaError('bad-request', 'This is no data form.')
  const reader = new FormReader(limits)
  const reported = element.getChild('reported', NS_DATA_FORMS)
  const items = element.getChildren('item', NS_DATA_FORMS)
  const instructions = element.getChildren('instructions', NS_DATA_FORMS)
  return {
    type: readFormType(element.attrs.type),
    title: element.getChild('title', NS_DATA_FORMS)?.text(),
    instructions: instructions.map((instruction) => instruction.text()),
    fields: reader.fieldsOf(element),
    ...(reported && { reported: reader.fieldsOf(reported) }),
    ...(items.length > 0 && { items: items.map((item) => reader.fieldsOf(item)) }),
  }
}

/** The data form among the children of an element; undefined when there is none. */
export function findForm(parent: XmlElement): XmlElement | undefined {
  return parent.getChild('x', NS_DATA_FORMS)
}

/** The `<x/>` to send, its fields in the order in which people shall see them (§3.2). */
export function formElement(form: DataForm): XmlElement {
  return xml(
    'x',
    { xmlns: NS_DATA_FORMS, type: form.type },
    form.title !== undefined && xml('title', null, form.title),
    form.instructions?.map((instruction) => xml('instructions', null, instruction)),
    form.fields.map(fieldElement),
    form.reported && xml('reported', null, form.reported.map(fieldElement)),
    form.items?.map((item) => xml('item', null, item.map(fieldElement))),
  )
}

/** What a form is about: the value of its FORM_TYPE field (XEP-0068). */
export function formTypeOf(form: DataForm): string | undefined {
  return form.fields.find((field) => field.var === 'FORM_TYPE')?.values[0]
}

/** The field that says what a form is about (XEP-0068). */
export function formTypeField(formType: string): FormField {
  return { var: 'FORM_TYPE', type: 'hidden', values: [formType] }
}

class FormReader {
  readonly #limits: FormLimits
  #fields = 0
  #values = 0

  constructor(limits: FormLimits) {
    this.#limits = limits
  }

  fieldsOf(parent: XmlElement): FormField[] {
    const seen = new Set<string>()
    return parent.getChildren('field', NS_DATA_FORMS).map((element) => {
      if (++this.#fields > this.#limits.fields)
        throw new StanzaError('not-acceptable', 'The form has too many fields.')
      const field = this.#field(element)
      // §3.2: the name is unique, or two readers of one form could read two things.
      if (field.var !== undefined && seen.has(field.var))
        throw new StanzaError('bad-request', 'The form has a field twice.')
      if (field.var !== undefined) seen.add(field.var)
      return field
    })
  }

  #field(element: XmlElement): FormField {
    const type = fieldTypes.find((known) => known === element.attrs.type)
    const name: string | undefined = element.attrs.var
    if (name === undefined && type !== 'fixed')
      throw new StanzaError('bad-request', 'The form has a field without a name.')
    const options = element.getChildren('option', NS_DATA_FORMS).map(readOption)
    const values = element.getChildren('value', NS_DATA_FORMS).map((value) => value.text())
    this.#values += options.length + values.length
    if (this.#values > this.#limits.values)
      throw new StanzaError('not-acceptable', 'The form has too many values.')
    return {
      var: name,
      type,
      label: element.attrs.label,
      desc: element.getChild('desc', NS_DATA_FORMS)?.text(),
      required: element.getChild('required', NS_DATA_FORMS) !== undefined,
      values,
      ...(options.length > 0 && { options }),
    }
  }
}

function readFormType(text: string | undefined): FormType {
  if (text === 'form' || text === 'submit' || text === 'cancel' || text === 'result') return text
  throw new StanzaError('bad-request', 'The form has no valid type.')
}

function readOption(element: XmlElement): FieldOption {
  const value = element.getChild('value', NS_DATA_FORMS)?.text()
  if (value === undefined) throw new StanzaError('bad-request', 'The form has an empty option.')
  return { value, label: element.attrs.label }
}

function fieldElement(field: FormField): XmlElement {
  const { var: name, type, label, desc, required, values, options, validate } = field
  return xml(
    'field',
    { var: name, type, label },
    desc !== undefined && xml('desc', null, desc),
    required === true && xml('required'),
    values.map((value) => xml('value', null, value)),
    options?.map((option) =>
      xml('option', { label: option.label }, xml('value', null, option.value)),
    ),
    validate && validateElement(validate),
  )
}

/** XEP-0122 §3.1. A range is a method of its own; without one, the value is of the datatype and otherwise free. */
function validateElement({ datatype, range }: FieldValidation): XmlElement {
  return xml(
    'validate',
    { xmlns: NS_FORM_VALIDATION, datatype },
    range ? xml('range', { min: range.min, max: range.max }) : xml('basic'),
  )
}
