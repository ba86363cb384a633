import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { escapeLocalpart, JidError, prepareLocalpart, unescapeLocalpart } from '../src/index.ts'

describe('XEP-0106: localparts of foreign addresses', () => {
  const table: readonly [string, string][] = [
    ['space cadet', 'space\\20cadet'],
    ['call me "ishmael"', 'call\\20me\\20\\22ishmael\\22'],
    ['at&t guy', 'at\\26t\\20guy'],
    ["d'artagnan", 'd\\27artagnan'],
    ['/.fanboy', '\\2f.fanboy'],
    ['::foo::', '\\3a\\3afoo\\3a\\3a'],
    ['<foo>', '\\3cfoo\\3e'],
    ['user@host', 'user\\40host'],
    ['c:\\net', 'c\\3a\\net'],
    ['c:\\\\net', 'c\\3a\\\\net'],
    ['c:\\cool stuff', 'c\\3a\\cool\\20stuff'],
    ['c:\\5commas', 'c\\3a\\5c5commas'],
    ['\\3and\\2is\\5cool', '\\5c3and\\2is\\5c5cool'],
  ]
  for (const [plain, escaped] of table)
    test(`${plain} is ${escaped}`, () => {
      assert.equal(escapeLocalpart(plain), escaped)
      assert.equal(unescapeLocalpart(escaped), plain)
    })

  test('what is no escape stays as it is', () => {
    assert.equal(unescapeLocalpart('a\\21b\\2Fc\\'), 'a\\21b\\2Fc\\')
  })

  test('no space may stand at an end', () => {
    assert.throws(() => escapeLocalpart(' a'), JidError)
    assert.throws(() => escapeLocalpart('a '), JidError)
  })

  test('unescaping takes back every escaping, and what was escaped is a localpart', () => {
    const texts = fc.string({ unit: fc.constantFrom(...'a2056c3e\\ "&\'/:<>@'), minLength: 1 })
    fc.assert(
      fc.property(texts, (text) => {
        if (text.trim() !== text) return
        assert.equal(unescapeLocalpart(escapeLocalpart(text)), text)
        prepareLocalpart(escapeLocalpart(text))
      }),
      { numRuns: 5_000 },
    )
  })
})
