import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Keys } from '../src/redis/keys.ts'

test('§3.11: every key but the marker and the settings carries the incarnation', () => {
  const keys = new Keys('verona', 12)
  const all = [
    keys.steps,
    keys.fenced,
    keys.instances,
    keys.stream('p:1'),
    keys.hash('a'),
    keys.sortedSet('a'),
    keys.queue('a'),
    `${keys.payloads}a`,
    keys.announcement('a'),
    keys.requests('a'),
    keys.answers('a'),
  ]
  assert(all.every((key) => key.startsWith('tactus:verona:12:')))
  assert.equal(new Set(all).size, all.length)
  assert(!keys.marker.includes('12') && !keys.settings.includes('12'))
})

test('§3.12: no name can reach into the keys of another cluster, incarnation or type', () => {
  for (const cluster of ['', 'a:b', 'A', '-a', 'a b', 'x'.repeat(64), 'ä'])
    assert.throws(() => new Keys(cluster, 1), TypeError, cluster)
  for (const incarnation of [-1, 1.5, Number.NaN, 2 ** 60])
    assert.throws(() => new Keys('verona', incarnation), TypeError)
  const keys = new Keys('verona', 1)
  assert.notEqual(keys.hash('q:x'), keys.queue('x'))
  assert.equal(keys.streamName(keys.stream('d:a:b/Ж')), 'd:a:b/Ж')
})
