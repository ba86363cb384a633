import assert from 'node:assert/strict'
import { StorageRefused } from '../storage.ts'
import { commitRows, type StorageCase, sample, sampleNames, samples } from './support.ts'

const add =
  (...names: readonly string[]) =>
  (rows: { insert(table: string, row: ReturnType<typeof sample>): void }): void => {
    for (const name of names) rows.insert('sample', sample('a', name))
  }

/** Design §3.3 (a): the step counter decides. */
export const stepCases: readonly StorageCase[] = [
  {
    title: '§3.3: a step is committed once, however often it is sent',
    async run(storage) {
      for (let i = 0; i < 3; i += 1)
        assert.equal(await commitRows(storage, 1, add('x')), 'committed')
      assert.deepEqual(await sampleNames(storage), ['x'])
    },
  },
  {
    title: '§3.3: the same step sent twice at once is committed once',
    async run(storage) {
      const twice = [commitRows(storage, 1, add('x')), commitRows(storage, 1, add('x'))]
      assert.deepEqual(await Promise.all(twice), ['committed', 'committed'])
      assert.deepEqual(await sampleNames(storage), ['x'])
    },
  },
  {
    title: '§3.3: step numbers may leave holes and never go back',
    async run(storage) {
      assert.equal(await commitRows(storage, 7, add('x')), 'committed')
      assert.equal(await commitRows(storage, 3, add('y')), 'committed')
      assert.deepEqual(await sampleNames(storage), ['x'])
      assert.deepEqual(await storage.ownership.routers(), [{ id: 'r1', fenced: false, step: 7 }])
    },
  },
  {
    title: '§3.2: a fenced router commits nothing more',
    async run(storage) {
      await commitRows(storage, 1, add('x'))
      await storage.ownership.fence('r1')
      assert.equal(await commitRows(storage, 2, add('y')), 'fenced')
      assert.deepEqual(await sampleNames(storage), ['x'])
    },
  },
  {
    title: '§3.2: a step that was committed before the fence stays committed',
    async run(storage) {
      await commitRows(storage, 1, add('x'))
      await storage.ownership.fence('r1')
      assert.equal(await commitRows(storage, 1, add('x')), 'committed')
    },
  },
  {
    title: '§3.2: a router that nobody knows is fenced',
    async run(storage) {
      assert.equal(await commitRows(storage, 1, add('x'), { router: 'stranger' }), 'fenced')
      assert.deepEqual(await sampleNames(storage), [])
    },
  },
  {
    title: '§3.3: the record is kept with the step until it is forgotten',
    async run(storage) {
      const { ownership } = storage
      for (const step of [1, 2, 5])
        await commitRows(storage, step, add(`x${step}`), { record: new Uint8Array([step, 0]) })
      assert.deepEqual(
        (await ownership.records('r1')).map(({ step }) => step),
        [1, 2, 5],
      )
      const forget = [
        { router: 'r1', step: 1 },
        { router: 'r1', step: 2 },
        { router: 'gone', step: 9 },
      ]
      await commitRows(storage, 6, add('y'), { forget })
      assert.deepEqual(await ownership.records('r1'), [{ step: 5, record: new Uint8Array([5, 0]) }])
    },
  },
  {
    title: '§3.10: rows that are refused leave nothing of their step behind',
    async run(storage) {
      await commitRows(storage, 1, add('x'))
      const wrong = commitRows(storage, 2, add('y', 'x'), { record: new Uint8Array([1]) })
      await assert.rejects(wrong, StorageRefused)
      assert.deepEqual(await sampleNames(storage), ['x'])
      assert.deepEqual(await storage.ownership.records('r1'), [])
      assert.equal(await commitRows(storage, 2, add('y')), 'committed')
      assert.deepEqual(await sampleNames(storage), ['x', 'y'])
    },
  },
  {
    title: '§3.10: each kind of wrong row is refused, not repeated',
    async run(storage) {
      const wrong = [
        ['sample', sample('a', 'x', { owner: null })],
        ['sample', sample('a', 'x', { size: 'much' })],
        ['sample', { owner: 'a', name: 'x', colour: 'red' }],
        ['nothing', { name: 'x' }],
        ['sample"; drop table sample; --', { name: 'x' }],
      ] as const
      for (const [table, row] of wrong)
        await assert.rejects(
          commitRows(storage, 1, (rows) => rows.insert(table, row)),
          StorageRefused,
          JSON.stringify(row),
        )
      assert.equal(await commitRows(storage, 1, add('x')), 'committed')
    },
  },
  {
    title: 'rows: clears come first, then deletes, then upserts and inserts',
    async run(storage) {
      await commitRows(storage, 1, (rows) => {
        for (const name of ['1', '2']) rows.insert('sample', sample('cleared', name))
        for (const name of ['1', '2']) rows.insert('sample', sample('deleted', name))
      })
      await commitRows(storage, 2, (rows) => {
        rows.insert('sample', sample('cleared', 'gone'))
        rows.clear('sample', { owner: 'cleared' })
        rows.insert('sample', sample('cleared', '1', { note: 'new' }))
        rows.delete('sample', ['owner', 'name'], { owner: 'deleted', name: '1' })
        rows.upsert('sample', ['owner', 'name'], sample('deleted', '1', { note: 'again' }))
        rows.delete('sample', ['owner', 'name'], { owner: 'deleted', name: 'never there' })
      })
      assert.deepEqual(
        (await samples(storage)).map(({ owner, name, note }) => [owner, name, note]),
        [
          ['cleared', '1', 'new'],
          ['deleted', '1', 'again'],
          ['deleted', '2', null],
        ],
      )
    },
  },
  {
    title: 'rows: an upsert inserts or replaces, by its key',
    async run(storage) {
      const put = (step: number, note: string | null) =>
        commitRows(storage, step, (rows) => {
          rows.upsert('sample', ['owner', 'name'], sample('a', 'x', { note }))
          rows.upsert('sample_mark', ['name'], { name: 'x' })
        })
      await put(1, 'first')
      await put(2, 'second')
      assert.deepEqual(await samples(storage), [sample('a', 'x', { note: 'second' })])
      await put(3, null)
      assert.deepEqual(await samples(storage), [sample('a', 'x')])
    },
  },
  {
    title: 'rows: a clear finds absent values too',
    async run(storage) {
      await commitRows(storage, 1, (rows) => {
        rows.insert('sample', sample('a', 'absent'))
        rows.insert('sample', sample('a', 'there', { note: '' }))
      })
      await commitRows(storage, 2, (rows) => rows.clear('sample', { owner: 'a', note: null }))
      assert.deepEqual(await sampleNames(storage), ['there'])
    },
  },
  {
    title: 'rows: values come back as they went',
    async run(storage) {
      const rows = [
        sample('a', '1', {
          note: `'"\\{},NULL\n\t ☃ 𝕏`,
          size: Number.MAX_SAFE_INTEGER,
          ratio: 0.5,
        }),
        sample('a', '2', { note: '', size: -1, ratio: -1e300, body: new Uint8Array() }),
        sample('a', '3', { note: 'NULL', size: 0, body: new Uint8Array([0, 255, 92, 34]) }),
        sample('a', '4', { size: 2n ** 60n, ratio: 3 }),
      ]
      await commitRows(storage, 1, (collector) => {
        for (const row of rows) collector.insert('sample', row)
      })
      assert.deepEqual(await samples(storage), rows)
    },
  },
  {
    title: 'rows: bytes that are a view of a larger buffer are those of the view',
    async run(storage) {
      const large = new Uint8Array([1, 2, 3, 4, 5, 6])
      const body = large.subarray(2, 4)
      await commitRows(storage, 1, (rows) => rows.insert('sample', sample('a', 'x', { body })))
      assert.deepEqual((await samples(storage))[0]?.body, new Uint8Array([3, 4]))
    },
  },
  {
    title: 'rows: thousands fit into one step',
    async run(storage) {
      const names = Array.from({ length: 5_000 }, (_, i) => String(i).padStart(5, '0'))
      await commitRows(storage, 1, add(...names))
      assert.deepEqual(await sampleNames(storage), names)
      await commitRows(storage, 2, (rows) => {
        for (const name of names.slice(1))
          rows.delete('sample', ['owner', 'name'], { owner: 'a', name })
      })
      assert.deepEqual(await sampleNames(storage), ['00000'])
    },
  },
  {
    title: 'a reader does not write',
    async run(storage) {
      await commitRows(storage, 1, add('x'))
      for (const reader of [storage.reader, storage.jobReader])
        await assert.rejects(reader.deleteFrom('sample').execute())
      assert.deepEqual(await sampleNames(storage), ['x'])
    },
  },
]
