import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { equals, parseElement, serialize } from '@tactus/xml'
import { type DataForm, findForm, formElement, formTypeOf, readForm } from '../src/index.ts'

const parse = (content: string, type = 'submit'): DataForm =>
  readForm(parseElement(`<x xmlns='jabber:x:data' type='${type}'>${content}</x>`))

describe('XEP-0004 §3: reading and writing', () => {
  const bot = `<x xmlns='jabber:x:data' type='form'>
    <title>Bot Configuration</title><instructions>Fill out</instructions><instructions>this form!</instructions>
    <field type='hidden' var='FORM_TYPE'><value>jabber:bot</value></field>
    <field type='fixed'><value>Section 1</value></field>
    <field type='text-single' var='botname' label='Name'><desc>Short</desc><required/></field>
    <field type='list-multi' var='features' label='Features'>
      <value>news</value><value>search</value>
      <option label='News'><value>news</value></option><option><value>search</value></option>
    </field>
  </x>`

  test('every part of a form', () => {
    const form = readForm(parseElement(bot))
    assert.deepEqual(form.instructions, ['Fill out', 'this form!'])
    assert.equal(form.title, 'Bot Configuration')
    assert.equal(formTypeOf(form), 'jabber:bot')
    const [, fixed, name, features] = form.fields
    assert.deepEqual([fixed?.var, fixed?.values], [undefined, ['Section 1']])
    assert.deepEqual([name?.required, name?.desc, name?.label], [true, 'Short', 'Name'])
    assert.deepEqual(features?.values, ['news', 'search'])
    assert.deepEqual(features?.options, [
      { value: 'news', label: 'News' },
      { value: 'search', label: undefined },
    ])
  })

  test('what was read is written as it was', () => {
    const compact = parseElement(bot.replace(/>\s+</g, '><'))
    assert.ok(
      equals(formElement(readForm(compact)), compact),
      serialize(formElement(readForm(compact))),
    )
  })

  test('§3.4: a result of many items', () => {
    const text =
      `<x xmlns='jabber:x:data' type='result'><reported><field var='name' type='text-single' label='Name'/></reported>` +
      `<item><field var='name'><value>a</value></field></item><item><field var='name'><value>b</value></field></item></x>`
    const form = readForm(parseElement(text))
    assert.equal(form.reported?.[0]?.label, 'Name')
    assert.deepEqual(
      form.items?.map(([field]) => field?.values),
      [['a'], ['b']],
    )
    assert.equal(serialize(formElement(form)), text)
  })

  test('an unknown type of a field is none, a value may be empty', () => {
    const [field] = parse(`<field var='a' type='media'><value/></field>`).fields
    assert.deepEqual([field?.type, field?.values], [undefined, ['']])
  })

  test('a form is found among other children', () => {
    const parent = parseElement(`<q xmlns='urn:q'><x/><x xmlns='jabber:x:data' type='cancel'/></q>`)
    const found = findForm(parent)
    assert.ok(found)
    assert.equal(readForm(found).type, 'cancel')
    assert.equal(findForm(parseElement(`<q xmlns='urn:q'><x/></q>`)), undefined)
  })

  test('elements of other namespaces are not the form’s', () => {
    const form = parse(
      `<field xmlns='urn:q' var='a'/><field var='b'><value xmlns='urn:q'>1</value></field>`,
    )
    assert.deepEqual(
      form.fields.map((field) => [field.var, field.values]),
      [['b', []]],
    )
  })
})

describe('XEP-0004: what is refused', () => {
  const bad: readonly [string, string, string?][] = [
    ['no type', '', ''],
    ['an unknown type', '', 'edit'],
    ['a field without name', '<field/>'],
    ['a field twice', `<field var='a'/><field var='a'/>`],
    ['a column twice', `<reported><field var='a'/><field var='a'/></reported>`],
    ['an option without value', `<field var='a'><option label='x'/></field>`],
  ]
  for (const [what, content, type] of bad)
    test(`${what}: bad-request`, () => {
      assert.throws(() => parse(content, type), { name: 'StanzaError', condition: 'bad-request' })
    })

  test('another element: bad-request', () => {
    for (const text of [`<x xmlns='urn:q' type='form'/>`, `<y xmlns='jabber:x:data' type='form'/>`])
      assert.throws(() => readForm(parseElement(text)), { condition: 'bad-request' })
  })

  test('the same name in two rows is fine', () => {
    const row = `<item><field var='a'/></item>`
    assert.equal(parse(row + row, 'result').items?.length, 2)
  })

  const many = (n: number, make: (i: number) => string): string =>
    Array.from({ length: n }, (_, i) => make(i)).join('')
  const limited: readonly [string, (n: number) => string, number][] = [
    ['fields', (n) => many(n, (i) => `<field var='a${i}'/>`), 256],
    ['fields in rows', (n) => many(n, () => `<item><field var='a'/></item>`), 256],
    ['values', (n) => `<field var='a'>${many(n, () => '<value/>')}</field>`, 2000],
    [
      'options',
      (n) => `<field var='a'>${many(n, () => '<option><value/></option>')}</field>`,
      2000,
    ],
  ]
  for (const [what, content, limit] of limited)
    test(`more than ${limit} ${what}: not-acceptable`, () => {
      assert.ok(parse(content(limit)))
      assert.throws(() => parse(content(limit + 1)), { condition: 'not-acceptable' })
    })
})
