import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { encodeEntry } from '@tactus/bus'
import { schemas } from '../src/proto/schemas.ts'
import { examples } from './examples.ts'

/**
 * Hashes of the released layouts. A line in this file is never changed: two releases run side by side, and what one
 * writes the other reads. A frame that needs another field becomes another kind, with a line of its own.
 */
const frozen: Record<string, string> = JSON.parse(
  readFileSync(new URL('frozen-frames.json', import.meta.url), 'utf8'),
)

const hash = (kind: keyof typeof schemas): string =>
  createHash('sha256')
    .update(schemas[kind].describe)
    .update(encodeEntry(examples[kind]))
    .digest('hex')
    .slice(0, 16)

for (const kind of Object.keys(schemas) as (keyof typeof schemas)[])
  test(`§5: the layout of ${kind} is frozen`, () => {
    assert.equal(hash(kind), frozen[kind], `"${kind}": "${hash(kind)}"`)
  })

test('§5: no frozen kind has gone', () => {
  assert.deepEqual(Object.keys(frozen).sort(), Object.keys(schemas).sort())
})
