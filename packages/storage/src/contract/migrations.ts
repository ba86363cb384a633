import assert from 'node:assert/strict'
import { createTable } from '../columns.ts'
import type { Migration } from '../storage.ts'
import { commitRows, type StorageCase, sample, sampleMigration, sampleNames } from './support.ts'

const makes = (name: string, table: string): Migration => ({
  name,
  async up(db, dialect) {
    await createTable(db, dialect, table).addColumn('id', 'integer').execute()
  },
})

/** Schema changes. */
export const migrationCases: readonly StorageCase[] = [
  {
    title: 'migrations: each runs once, in the order of the names',
    async run(storage) {
      const [first, second] = [makes('9001-one', 'one'), makes('9002-two', 'two')]
      const wanted = [sampleMigration, second, first]
      assert.deepEqual(await storage.pending(wanted), ['9001-one', '9002-two'])
      assert.deepEqual(await storage.migrate(wanted), ['9001-one', '9002-two'])
      assert.deepEqual(await storage.migrate(wanted), [])
      assert.deepEqual(await storage.pending(wanted), [])
    },
  },
  {
    title: 'migrations: one that fails leaves nothing of itself, and what ran before it stays',
    async run(storage) {
      const fails: Migration = {
        name: '9002-fails',
        async up(db, dialect) {
          await createTable(db, dialect, 'half').addColumn('id', 'integer').execute()
          throw new Error('out of ideas')
        },
      }
      const before = makes('9001-before', 'made')
      await assert.rejects(storage.migrate([before, fails]), /out of ideas/)
      assert.deepEqual(await storage.pending([before, fails]), ['9002-fails'])
      assert.deepEqual(await storage.migrate([makes('9002-fails', 'half')]), ['9002-fails'])
    },
  },
  {
    title: 'migrations: several at once run each of them once',
    async run(storage) {
      const wanted = [makes('9001-one', 'one'), makes('9002-two', 'two')]
      const ran = await Promise.all([1, 2, 3, 4].map(() => storage.migrate(wanted)))
      assert.deepEqual(ran.flat().sort(), ['9001-one', '9002-two'])
    },
  },
  {
    title: 'migrations: two of one name are refused',
    async run(storage) {
      await assert.rejects(storage.migrate([makes('9001-one', 'one'), makes('9001-one', 'two')]))
    },
  },
  {
    title: 'migrations: steps go on meanwhile',
    async run(storage) {
      const migrated = storage.migrate([makes('9001-one', 'one')])
      const committed = commitRows(storage, 1, (rows) => rows.insert('sample', sample('a', 'x')))
      assert.deepEqual(await Promise.all([migrated, committed]), [['9001-one'], 'committed'])
      assert.deepEqual(await sampleNames(storage), ['x'])
    },
  },
]
