import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseElement, serialize } from '@tactus/xml'
import { type PageRequest, pageElement, readPageRequest } from '../src/index.ts'

const limits = { default: 50, max: 250 }
const read = (content: string): PageRequest =>
  readPageRequest(parseElement(`<query xmlns='urn:example:q'>${content}</query>`), limits)
const set = (content: string): string =>
  `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`

describe('XEP-0059 §2: which page is asked for', () => {
  const table: readonly [string, string, PageRequest][] = [
    ['nothing said', '', { max: 50 }],
    ['an empty set', set(''), { max: 50 }],
    ['§2.1: a limit', set('<max>10</max>'), { max: 10 }],
    ['a limit in white space', set('<max>\n10 </max>'), { max: 10 }],
    ['a limit over ours', set('<max>1000</max>'), { max: 250 }],
    [
      '§2.2: the page after an item',
      set('<max>10</max><after>a b</after>'),
      { max: 10, after: 'a b' },
    ],
    ['an empty after: the first page', set('<after/>'), { max: 50 }],
    ['§2.4: the page before an item', set('<before>a</before>'), { max: 50, before: 'a' }],
    ['§2.5: the last page', set('<before/>'), { max: 50, before: '' }],
    [
      'between two items',
      set('<after>a</after><before>b</before>'),
      { max: 50, after: 'a', before: 'b' },
    ],
    ['§2.6: the page at a position', set('<index>0</index>'), { max: 50, index: 0 }],
    ['§2.7: the count alone', set('<max>0</max>'), { max: 0 }],
    ['a set of another namespace', '<set><max>1</max></set>', { max: 50 }],
  ]
  for (const [what, content, request] of table)
    test(what, () => assert.deepEqual(read(content), request))

  const refused: readonly [string, string, string][] = [
    ['a limit that is no number', set('<max>ten</max>'), 'bad-request'],
    ['an empty limit', set('<max/>'), 'bad-request'],
    ['a negative limit', set('<max>-1</max>'), 'bad-request'],
    ['a limit with a fraction', set('<max>1.5</max>'), 'bad-request'],
    ['a limit in hexadecimal', set('<max>0x10</max>'), 'bad-request'],
    ['an endless limit', set(`<max>${'9'.repeat(20)}</max>`), 'bad-request'],
    ['a position that is no number', set('<index>a</index>'), 'bad-request'],
    ['two sets', set('') + set(''), 'bad-request'],
    ['two limits', set('<max>1</max><max>2</max>'), 'bad-request'],
    ['two ids', set('<after>a</after><after>b</after>'), 'bad-request'],
    ['an endless id', set(`<after>${'a'.repeat(1025)}</after>`), 'item-not-found'],
  ]
  for (const [what, content, condition] of refused)
    test(`${what}: ${condition}`, () => {
      assert.throws(() => read(content), { name: 'StanzaError', condition })
    })
})

describe('XEP-0059 §2.2: what an answer says', () => {
  test('the ends, their position, the size of the whole', () => {
    const page = pageElement({ ends: { first: 'a', last: 'b' }, index: 0, count: 800 })
    assert.equal(serialize(page), set(`<first index='0'>a</first><last>b</last><count>800</count>`))
  })
  test('no position and no size where they are not known', () => {
    assert.equal(
      serialize(pageElement({ ends: { first: 'a', last: 'a' } })),
      set('<first>a</first><last>a</last>'),
    )
  })
  test('of an empty page only the size', () => {
    assert.equal(serialize(pageElement({ index: 5, count: 0 })), set('<count>0</count>'))
  })
})
