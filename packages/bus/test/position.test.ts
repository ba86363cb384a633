import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comparePositions } from '@tactus/bus'

test('positions are ordered by their numbers, not as text', () => {
  const ordered = ['0', '9', '10', '1795000000000-0', '1795000000000-2', '1795000000000-10']
  for (const [i, a] of ordered.entries())
    for (const [j, b] of ordered.entries())
      assert.equal(Math.sign(comparePositions(a, b)), Math.sign(i - j), `${a} and ${b}`)
})

test('`0` and `0-0` are the same', () => {
  assert.equal(comparePositions('0', '0-0'), 0)
})
