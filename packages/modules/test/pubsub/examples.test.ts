import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gone, missing } from '../told-examples.ts'
import { examples } from './examples.ts'

/** The examples of §5 to §8 in XEP-0060 1.30.0. */
const first = 7
const last = 210

test('XEP-0060 §5 to §8: every numbered example is a story, or has a reason why not', () => {
  assert.deepEqual(missing(examples, first, last), [])
  assert.equal(Math.max(...examples.map(([, to]) => to)), last)
})

test('XEP-0060 §5 to §8: the stories of the examples are there', () => {
  assert.deepEqual(gone(examples, ['pubsub*.test.ts', 'pep.test.ts', 'feeds.test.ts']), [])
})
