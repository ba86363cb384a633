import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseBareJid } from '@tactus/jid'
import {
  bareJidsField,
  booleanField,
  type DataForm,
  dateTimeField,
  type FieldKind,
  type FormDefinition,
  formElement,
  integerField,
  jidField,
  jidsField,
  listField,
  listMultiField,
  missingFields,
  offerForm,
  readSubmission,
  resultForm,
  textField,
  textLinesField,
} from '../src/index.ts'

describe('XEP-0004 §3.3: the values of a kind of field', () => {
  const list = listField({ open: 'Open', closed: 'Closed' })
  const listMulti = listMultiField({ a: 'A', b: 'B' })
  // biome-ignore lint/suspicious/noExplicitAny: kinds of every type of value
  const table: readonly [string, FieldKind<any>, readonly string[], unknown][] = [
    ['boolean', booleanField, ['1'], true],
    ['boolean', booleanField, ['true'], true],
    ['boolean', booleanField, [' false\n'], false],
    ['boolean', booleanField, ['0'], false],
    ['boolean', booleanField, ['yes'], undefined],
    ['boolean', booleanField, ['TRUE'], undefined],
    ['boolean', booleanField, [], undefined],
    ['boolean', booleanField, ['1', '1'], undefined],
    ['text', textField(3), ['abc'], 'abc'],
    ['text', textField(3), [], ''],
    ['text', textField(3), ['abcd'], undefined],
    ['text', textField(3), ['a', 'b'], undefined],
    ['lines', textLinesField(3), ['a', 'b'], 'a\nb'],
    ['lines', textLinesField(3), [], ''],
    ['lines', textLinesField(3), ['ab', 'c'], undefined],
    ['integer', integerField({ min: -1, max: 9 }), ['9'], 9],
    ['integer', integerField({ min: -1, max: 9 }), [' -1 '], -1],
    ['integer', integerField({ min: -1, max: 9 }), ['10'], undefined],
    ['integer', integerField({ min: -1, max: 9 }), ['-2'], undefined],
    ['integer', integerField({ min: -1, max: 9 }), [''], undefined],
    ['integer', integerField({ min: -1, max: 9 }), ['1e0'], undefined],
    ['integer', integerField({ min: -1, max: 9 }), [], undefined],
    ['list', list, ['open'], 'open'],
    ['list', list, ['toString'], undefined],
    ['list', list, [], undefined],
    ['list', list, ['open', 'closed'], undefined],
    ['many of a list', listMulti, ['b', 'a', 'b'], ['b', 'a']],
    ['many of a list', listMulti, [], []],
    ['many of a list', listMulti, ['a', 'c'], undefined],
    ['address', jidField, [' A@b/c '], 'a@b/c'],
    ['address', jidField, ['@'], undefined],
    ['address', jidField, [], undefined],
    ['address', jidField, ['a@b', 'c@d'], undefined],
    ['time', dateTimeField, ['2026-03-01T12:00:00Z'], 1_772_366_400_000],
    ['time', dateTimeField, ['2026-03-01'], undefined],
    ['time', dateTimeField, [], undefined],
    ['addresses', jidsField, ['A@b/c', 'A@b', 'a@B/c'], ['a@b/c', 'a@b']],
    ['addresses', jidsField, ['a@b', '@'], undefined],
    ['bare addresses', bareJidsField, ['A@b', 'c', 'a@B'], ['a@b', 'c']],
    ['addresses', bareJidsField, [], []],
    ['addresses', bareJidsField, ['a@b/c'], undefined],
    ['addresses', bareJidsField, ['a@b', '@'], undefined],
  ]
  for (const [what, kind, texts, value] of table)
    test(`${what} ${JSON.stringify(texts)} is ${JSON.stringify(value)}`, () => {
      assert.deepEqual(kind.read(texts), value)
      if (value !== undefined) assert.deepEqual(kind.read(kind.write(value)), value)
    })

  test('lists tell their choices', () => {
    assert.deepEqual(list.options, [
      { value: 'open', label: 'Open' },
      { value: 'closed', label: 'Closed' },
    ])
    assert.equal(textField(3, 'text-private').type, 'text-private')
  })
})

const definition = {
  'muc#roomconfig_roomname': { kind: textField(20), label: 'Name', desc: 'Shown in lists' },
  'muc#roomconfig_maxusers': { kind: integerField({ min: 1, max: 100 }), label: 'Occupants' },
  'muc#roomconfig_whois': {
    kind: listField({ anyone: 'Anyone', moderators: 'Moderators' }),
    label: 'Who sees addresses',
    required: true,
  },
  'muc#roomconfig_roomowners': { kind: bareJidsField, label: 'Owners' },
} as const
const formType = 'http://jabber.org/protocol/muc#roomconfig'
const owners = [parseBareJid('crone1@example.com')]

describe('XEP-0004 §3.2: a form from its definition', () => {
  test('an offer holds every field, with what it is now', () => {
    const form = offerForm(formType, definition, {
      'muc#roomconfig_maxusers': 10,
      'muc#roomconfig_roomowners': owners,
    })
    assert.equal(form.type, 'form')
    assert.deepEqual(
      form.fields.map((field) => [field.var, field.type, field.values]),
      [
        ['FORM_TYPE', 'hidden', [formType]],
        ['muc#roomconfig_roomname', 'text-single', []],
        ['muc#roomconfig_maxusers', 'text-single', ['10']],
        ['muc#roomconfig_whois', 'list-single', []],
        ['muc#roomconfig_roomowners', 'jid-multi', owners],
      ],
    )
    const [, name, , whois] = form.fields
    assert.deepEqual([name?.label, name?.desc], ['Name', 'Shown in lists'])
    assert.deepEqual([whois?.required, whois?.options?.length], [true, 2])
  })

  test('a result holds what has a value, without choices', () => {
    const form = resultForm(formType, definition, { 'muc#roomconfig_whois': 'anyone' })
    assert.deepEqual(
      form.fields.map((field) => [field.var, field.values, field.options, field.required]),
      [
        ['FORM_TYPE', [formType], undefined, undefined],
        ['muc#roomconfig_whois', ['anyone'], undefined, undefined],
      ],
    )
  })

  test('required fields without value are named', () => {
    assert.deepEqual(missingFields(definition, {}), ['muc#roomconfig_whois'])
    assert.deepEqual(missingFields(definition, { 'muc#roomconfig_whois': 'anyone' }), [])
  })
})

describe('XEP-0004 §3.5: what a submission sets', () => {
  const submission = (fields: DataForm['fields'], type: DataForm['type'] = 'submit'): DataForm => ({
    type,
    fields,
  })

  test('only the fields in it, and only those we know', () => {
    const values = readSubmission(
      submission([
        { var: 'FORM_TYPE', values: [formType] },
        { var: 'muc#roomconfig_maxusers', values: ['20'] },
        { var: 'x-other', values: ['1'] },
        { var: 'toString', values: ['1'] },
        { type: 'fixed', values: ['1'] },
      ]),
      formType,
      definition,
    )
    const max: number | undefined = values['muc#roomconfig_maxusers']
    assert.equal(max, 20)
    assert.deepEqual(Object.keys(values), ['muc#roomconfig_maxusers'])
  })

  test('XEP-0068 §3.1: the FORM_TYPE may be left out, but not be another', () => {
    assert.deepEqual(readSubmission(submission([]), formType, definition), {})
    for (const values of [['urn:example:other'], ['']])
      assert.throws(
        () => readSubmission(submission([{ var: 'FORM_TYPE', values }]), formType, definition),
        { condition: 'bad-request' },
      )
  })

  test('a form that is not submitted sets nothing', () => {
    for (const type of ['form', 'cancel', 'result'] as const)
      assert.throws(() => readSubmission(submission([], type), formType, definition), {
        condition: 'bad-request',
      })
  })

  test('§4: a value that does not fit is not acceptable, and the field is named', () => {
    const fields = [{ var: 'muc#roomconfig_maxusers', values: ['1000'] }]
    assert.throws(() => readSubmission(submission(fields), formType, definition), {
      name: 'StanzaError',
      condition: 'not-acceptable',
      text: 'The value of muc#roomconfig_maxusers is invalid: a whole number from 1 to 100 is expected.',
    })
  })
})

describe('XEP-0122: what clients are told of a value', () => {
  const fieldOf = (definition: FormDefinition): string =>
    formElement(offerForm(undefined, definition)).toString()

  test('§3.2.3: a range of whole numbers', () => {
    assert.equal(
      fieldOf({ limit: { kind: integerField({ min: 1, max: 9 }), label: 'Most' } }),
      "<x xmlns='jabber:x:data' type='form'><field var='limit' type='text-single' label='Most'><validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:integer'><range min='1' max='9'/></validate></field></x>",
    )
  })

  test('§3.2.1: a moment is of its datatype and otherwise free', () => {
    assert.match(
      fieldOf({ since: { kind: dateTimeField, label: 'Since' } }),
      /datatype='xs:dateTime'><basic\/><\/validate>/,
    )
  })
})
