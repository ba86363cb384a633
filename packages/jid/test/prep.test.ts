import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { derive } from '../src/code-point.ts'
import { JidError, prepareOpaqueString } from '../src/index.ts'
import { Lru } from '../src/lru.ts'

describe('RFC 8264 §8: the derived property', () => {
  const table: readonly [string, string, string][] = [
    ['ASCII letter', 'a', 'valid'],
    ['ASCII symbol', '~', 'valid'],
    ['space', ' ', 'freeform'],
    ['control', '\u0007', 'disallowed'],
    ['exception, valid', '\u00DF', 'valid'],
    ['exception, contextual', '\u00B7', 'contextual'],
    ['exception, disallowed', '\u302E', 'disallowed'],
    ['join control', '\u200D', 'contextual'],
    ['old Hangul jamo', '\uD7B0', 'disallowed'],
    ['default ignorable', '\u034F', 'disallowed'],
    ['noncharacter', '\u{10FFFF}', 'disallowed'],
    ['unassigned, ignorable', '\u{E0080}', 'unassigned'],
    ['unassigned, not ignorable', '\u0378', 'unassigned'],
    ['compatibility letter', '\uFB01', 'freeform'],
    ['compatibility spacing', '\u00A8', 'freeform'],
    ['upper case', 'Z', 'valid'],
    ['title case with a mapping', '\u01C5', 'freeform'],
    ['title case without', '\u1F88', 'freeform'],
    ['modifier letter', '\u02BC', 'valid'],
    ['letter number', '\u16EE', 'freeform'],
    ['currency', '\u20AC', 'freeform'],
    ['punctuation', '\u2019', 'freeform'],
    ['private use', '\uE000', 'disallowed'],
    ['surrogate', '\uD800', 'disallowed'],
  ]
  for (const [what, char, expected] of table)
    test(`${what} is ${expected}`, () => assert.equal(derive(char), expected))
})

describe('RFC 8265 §4: OpaqueString', () => {
  test('§4.3: its examples', () => {
    assert.equal(
      prepareOpaqueString('correct horse battery staple'),
      'correct horse battery staple',
    )
    assert.equal(
      prepareOpaqueString('Correct Horse Battery Staple'),
      'Correct Horse Battery Staple',
    )
    assert.equal(prepareOpaqueString('\u03C0\u00DF\u00E5'), '\u03C0\u00DF\u00E5')
    assert.equal(prepareOpaqueString('Jack of \u2666s'), 'Jack of \u2666s')
    assert.equal(prepareOpaqueString('foo\u1680bar'), 'foo bar')
    assert.throws(() => prepareOpaqueString(''), JidError)
    assert.throws(() => prepareOpaqueString('my cat is a \u0009by'), JidError)
  })

  test('has no limit of its own', () => {
    assert.equal(prepareOpaqueString('\u00E9'.repeat(5000)).length, 5000)
  })

  test('is idempotent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = attempt(text)
        if (once !== undefined) assert.equal(prepareOpaqueString(once), once)
      }),
      { numRuns: 5_000 },
    )
  })
})

function attempt(text: string): string | undefined {
  try {
    return prepareOpaqueString(text)
  } catch {
    return undefined
  }
}

test('The cache of addresses forgets what was used longest ago', () => {
  const cache = new Lru<number>(2)
  cache.set('a', 1)
  cache.set('b', 2)
  assert.equal(cache.get('a'), 1)
  cache.set('c', 3)
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => cache.get(key)),
    [1, undefined, 3],
  )
  cache.set('c', 4)
  assert.deepEqual([cache.size, cache.get('a'), cache.get('c')], [2, 1, 4])
})
