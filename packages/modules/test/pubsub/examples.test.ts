import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { examples } from './examples.ts'

/** The examples of §5 to §8 in XEP-0060 1.30.0. */
const first = 7
const last = 210

test('XEP-0060 §5 to §8: every numbered example is a story, or has a reason why not', () => {
  const told = new Set(
    examples.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)),
  )
  const missing = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
    (n) => !told.has(n),
  )
  assert.deepEqual(missing, [])
  assert.equal(Math.max(...told), last)
})

test('XEP-0060 §5 to §8: the stories of the examples are there', () => {
  const folder = join(import.meta.dirname, '..')
  const files = globSync(['pubsub*.test.ts', 'pep.test.ts', 'feeds.test.ts'], { cwd: folder })
  const source = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
  const gone = examples.flatMap(([from, , told]) =>
    'story' in told && !source.includes(told.story) ? [`${from}: ${told.story}`] : [],
  )
  assert.deepEqual(gone, [])
})
