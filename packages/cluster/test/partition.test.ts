import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entityOf, partitionOf, partitionOfStream, partitionStream } from '../src/partition.ts'

const vectors: readonly (readonly [entity: string, of64: number, of1024: number, of7: number])[] = [
  ['romeo@montague.example', 19, 403, 5],
  ['juliet@capulet.example', 5, 5, 1],
  ['garden@rooms.capulet.example', 17, 913, 4],
  ['capulet.example', 32, 160, 2],
  ['bücher@example.org', 6, 198, 1],
  ['日本@例え.テスト', 62, 958, 0],
  ['😀@example.org', 19, 19, 3],
  ['', 11, 11, 4],
]

test('design §2: a partition is the same for ever', () => {
  for (const [entity, of64, of1024, of7] of vectors) {
    assert.equal(partitionOf(entity, 64), of64, entity)
    assert.equal(partitionOf(entity, 1024), of1024, entity)
    assert.equal(partitionOf(entity, 7), of7, entity)
  }
})

test('accounts that differ in one letter spread over all partitions', () => {
  const counts = new Array(64).fill(0)
  for (let i = 0; i < 64_000; i += 1) counts[partitionOf(`u${i}@example.org`, 64)] += 1
  for (const count of counts) assert.ok(count > 800 && count < 1200, `${count} of 1000`)
})

test('the entity of a full JID is its bare JID', () => {
  assert.equal(entityOf('juliet@capulet.example/balcony/left'), 'juliet@capulet.example')
  assert.equal(entityOf('capulet.example'), 'capulet.example')
})

test('a partition stream names its partition', () => {
  assert.equal(partitionOfStream(partitionStream(17)), 17)
  assert.equal(partitionOfStream('d:cm1'), undefined)
})
