import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gone, missing } from '../told-examples.ts'
import { examples } from './examples.ts'

/** The examples of §6 to §10 in XEP-0045 1.35.5. */
const first = 1
const last = 204

test('XEP-0045 §6 to §10: every numbered example is a story, or has a reason why not', () => {
  assert.deepEqual(missing(examples, first, last), [])
  assert.equal(Math.max(...examples.map(([, to]) => to)), last)
})

test('XEP-0045 §6 to §10: the stories of the examples are there', () => {
  assert.deepEqual(gone(examples, ['muc*.test.ts', 'muc/*.test.ts']), [])
})
