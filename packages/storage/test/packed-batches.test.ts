import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packBatches, unpackBatches } from '../src/sqlite/packed-batches.ts'
import type { Batch } from '../src/sqlite/sqlite-database.ts'

test('batches are the same after the way to the database thread', () => {
  const shared = Buffer.from('But, soft!')
  const batches: Batch[] = [
    { sql: 'a', runs: [[1, 'id', 2n]], guard: true },
    { sql: 'b', runs: [[]], guard: false },
    { sql: 'c', runs: [], guard: false },
    {
      sql: 'd',
      runs: [
        [shared.subarray(5, 9), null, 'x', new Uint8Array(0)],
        ['y', Uint8Array.of(0, 255), null, Uint8Array.of(7)],
      ],
      guard: false,
    },
    { sql: 'e', runs: [[Uint8Array.of(1)], [Uint8Array.of(2)]], guard: false },
  ]
  const packed = packBatches(batches)
  const crossed = structuredClone(packed, { transfer: [packed.bytes.buffer] })
  const plain = (list: readonly Batch[]): unknown =>
    list.map(({ sql, guard, runs }) => ({
      sql,
      guard,
      runs: runs.map((run) =>
        run.map((cell) => (cell instanceof Uint8Array ? { bytes: [...cell] } : cell)),
      ),
    }))
  assert.deepEqual(plain(unpackBatches(crossed)), plain(batches))
})
