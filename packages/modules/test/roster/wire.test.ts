import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseElement } from '@tactus/xml'
import { readItem, readVersion } from '../../src/roster/wire.ts'

const limits = { groups: 2, nameBytes: 8 }
const query = (content: string, attrs = '') =>
  parseElement(`<query xmlns='jabber:iq:roster' ${attrs}>${content}</query>`)

test('RFC 6121 §2.3.1: an item with a name and groups', () => {
  const item = "<item jid='Nurse@Capulet.example' name='Nurse'><group>Staff</group></item>"
  assert.deepEqual(readItem(query(item), limits), {
    jid: 'nurse@capulet.example',
    remove: false,
    name: 'Nurse',
    groups: ['Staff'],
  })
})

test('RFC 6121 §2.1.2: what only a server may set is ignored', () => {
  const item = "<item jid='a@b.example' subscription='both' ask='subscribe' approved='true'/>"
  assert.deepEqual(readItem(query(item), limits), {
    jid: 'a@b.example',
    remove: false,
    name: undefined,
    groups: [],
  })
})

test('RFC 6121 §2.4: an empty name is none', () => {
  const request = readItem(query("<item jid='a@b.example' name=''/>"), limits)
  assert.deepEqual(request, { jid: 'a@b.example', remove: false, name: undefined, groups: [] })
})

test('RFC 6121 §2.5.1: removal', () => {
  const item = "<item jid='a@b.example' subscription='remove'/>"
  assert.deepEqual(readItem(query(item), limits), { jid: 'a@b.example', remove: true })
})

for (const [what, content, condition] of [
  ['no item', '', 'bad-request'],
  ['two items', "<item jid='a@b.example'/><item jid='c@b.example'/>", 'bad-request'],
  ['something else', "<entry jid='a@b.example'/>", 'bad-request'],
  ['an item without an address', '<item/>', 'bad-request'],
  ['an item with a resource', "<item jid='a@b.example/c'/>", 'bad-request'],
  ['an address that is none', "<item jid='@b'/>", 'jid-malformed'],
  [
    'a group twice',
    "<item jid='a@b.example'><group>x</group><group>x</group></item>",
    'bad-request',
  ],
  ['a name too long', "<item jid='a@b.example' name='123456789'/>", 'not-acceptable'],
  ['a name too long in bytes', "<item jid='a@b.example' name='ααααα'/>", 'not-acceptable'],
  ['a group without a name', "<item jid='a@b.example'><group/></item>", 'not-acceptable'],
  [
    'a group with a name too long',
    "<item jid='a@b.example'><group>123456789</group></item>",
    'not-acceptable',
  ],
  [
    'too many groups',
    "<item jid='a@b.example'><group>1</group><group>2</group><group>3</group></item>",
    'not-acceptable',
  ],
] as const)
  test(`RFC 6121 §2.3.3: ${what} is ${condition}`, () => {
    assert.throws(() => readItem(query(content), limits), { condition })
  })

for (const [attrs, version] of [
  ["ver='17'", 17],
  ["ver=''", undefined],
  ['', undefined],
  ["ver='x17'", undefined],
  ["ver='99999999999999999999'", undefined],
] as const)
  test(`RFC 6121 §2.6.2: a request with ${attrs || 'no version'} has ${version ?? 'nothing'}`, () => {
    assert.equal(readVersion(query('', attrs)), version)
  })
