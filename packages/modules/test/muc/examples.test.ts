import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { examples } from './examples.ts'

/** The last example of §10 in XEP-0045 1.35.5; the first of §6 is 1. */
const last = 204

test('XEP-0045 §6 to §10: every numbered example is a story, or has a reason why not', () => {
  const told = new Set(
    examples.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)),
  )
  const missing = Array.from({ length: last }, (_, i) => i + 1).filter((n) => !told.has(n))
  assert.deepEqual(missing, [])
  assert.equal(Math.max(...told), last)
})

test('XEP-0045 §6 to §10: the stories of the examples are there', () => {
  const folder = join(import.meta.dirname, '..')
  const files = globSync(['muc*.test.ts', 'muc/*.test.ts'], { cwd: folder })
  const source = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
  const gone = examples.flatMap(([from, , told]) =>
    'story' in told && !source.includes(told.story) ? [`${from}: ${told.story}`] : [],
  )
  assert.deepEqual(gone, [])
})
