import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { searchedWords, wordsOf } from '../src/index.ts'

const ascii = fc.string({ unit: 'binary-ascii', maxLength: 200 })

test('the words of plain text are those that it has among others', () => {
  fc.assert(
    fc.property(ascii, (text) => {
      // One letter of another script, and all of Unicode is looked at.
      const alone = wordsOf(text) ?? ''
      assert.equal(`${alone} ж`.trim(), wordsOf(`${text} ж`))
    }),
  )
  assert.equal(wordsOf('But, soft! BUT what_light… 42'), 'but soft what light 42')
})

test('what is longer than words are is cut, and there are only so many', () => {
  assert.equal(wordsOf('a'.repeat(100)), 'a'.repeat(64))
  assert.equal(wordsOf('ж'.repeat(100)), 'ж'.repeat(64))
  const many = Array.from({ length: 3_000 }, (_, n) => `w${n}`).join(' ')
  for (const text of [many, `ж ${many}`]) assert.equal(wordsOf(text)?.split(' ').length, 2_000)
  assert.equal(searchedWords(many).length, 16)
})
