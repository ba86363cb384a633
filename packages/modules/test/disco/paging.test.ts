import assert from 'node:assert/strict'
import { test } from 'node:test'
import { itemId, pageOf } from '../../src/disco/paging.ts'

const items = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ jid: `${name}.montague.example` }))
const names = (request: Parameters<typeof pageOf>[1]): string =>
  pageOf(items, request)
    .items.map(({ jid }) => jid[0])
    .join('')

for (const [what, request, expected] of [
  ['§2.1: the first page', { max: 2 }, 'ab'],
  ['§2.2: the page after an item', { max: 2, after: 'b.montague.example' }, 'cd'],
  ['§2.2: the last page is shorter', { max: 2, after: 'd.montague.example' }, 'e'],
  ['§2.2: after the last there is nothing', { max: 2, after: 'e.montague.example' }, ''],
  ['§2.4: the page before an item', { max: 2, before: 'd.montague.example' }, 'bc'],
  ['§2.4: before the second there is one', { max: 2, before: 'b.montague.example' }, 'a'],
  ['§2.5: the last page', { max: 2, before: '' }, 'de'],
  ['§2.6: the page at an index', { max: 2, index: 3 }, 'de'],
  ['§2.7: the count alone', { max: 0 }, ''],
] as const)
  test(`XEP-0059 ${what}`, () => assert.equal(names(request), expected))

test('XEP-0059 §2.2: a page says where it is', () => {
  assert.deepEqual(pageOf(items, { max: 2, after: 'a.montague.example' }).summary, {
    count: 5,
    index: 1,
    ends: { first: 'b.montague.example', last: 'c.montague.example' },
  })
})

test('XEP-0059 §2.2: an item that is not there is item-not-found', () => {
  for (const request of [
    { max: 1, after: 'x' },
    { max: 1, before: 'x' },
    { max: 1, index: 6 },
  ])
    assert.throws(() => pageOf(items, request), { condition: 'item-not-found' })
})

test('items of one address are told apart by their nodes', () => {
  assert.notEqual(itemId({ jid: 'a', node: 'x' }), itemId({ jid: 'a' }))
})
