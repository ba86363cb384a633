import assert from 'node:assert/strict'
import { commitRows, type StorageCase } from './support.ts'

const settings = { cluster: 'verona', partitions: 8, secretFingerprint: 'f' }
const all = [0, 1, 2, 3, 4, 5, 6, 7]
const nothing = (): void => {}

/** Design §3.2, §3.11 and §3.12. */
export const ownershipCases: readonly StorageCase[] = [
  {
    title: '§3.12: what a cell is stands from its first instance on',
    async run({ ownership }) {
      assert.deepEqual(await ownership.settings(settings), settings)
      const other = { cluster: 'mantua', partitions: 16, secretFingerprint: 'g' }
      assert.deepEqual(await ownership.settings(other), settings)
      assert.deepEqual(
        await ownership.partitions(),
        all.map((partition) => ({ partition, router: undefined })),
      )
    },
  },
  {
    title: '§3.12: of many first instances one decides',
    async run({ ownership }) {
      const wishes = ['a', 'b', 'c', 'd'].map((cluster) => ({ ...settings, cluster }))
      const answers = await Promise.all(wishes.map((mine) => ownership.settings(mine)))
      assert.equal(new Set(answers.map(({ cluster }) => cluster)).size, 1)
      assert.equal((await ownership.partitions()).length, settings.partitions)
    },
  },
  {
    title: '§3.2: partitions move only from the owner that was named',
    async run({ ownership }) {
      await ownership.settings(settings)
      assert.deepEqual(await ownership.transfer([2, 1], undefined, 'r1'), [1, 2])
      assert.deepEqual(await ownership.transfer([1, 3], undefined, 'r2'), [3])
      assert.deepEqual(await ownership.transfer([1, 2, 3], 'r2', 'r3'), [3])
      assert.deepEqual(await ownership.transfer([], 'r1', 'r3'), [])
      assert.deepEqual(await ownership.transfer([99], undefined, 'r3'), [])
      const owners = (await ownership.partitions()).map(({ router }) => router)
      assert.deepEqual(owners.slice(0, 4), [undefined, 'r1', 'r1', 'r3'])
    },
  },
  {
    title: '§3.2: any number of takers at once: each partition goes to one of them',
    async run({ ownership }) {
      await ownership.settings(settings)
      await ownership.transfer(all, undefined, 'dead')
      const takers = ['t1', 't2', 't3', 't4']
      const taken = await Promise.all(
        takers.map((taker, i) =>
          ownership.transfer(i % 2 === 0 ? all : all.toReversed(), 'dead', taker),
        ),
      )
      assert.deepEqual(
        taken.flat().sort((a, b) => a - b),
        all,
      )
      for (const { partition, router } of await ownership.partitions())
        assert(taken[takers.indexOf(router ?? '')]?.includes(partition))
    },
  },
  {
    title: '§3.2: a fence is final, and answers the last step with its record',
    async run(storage) {
      const { ownership } = storage
      await commitRows(storage, 3, nothing, { record: new Uint8Array([3]) })
      await commitRows(storage, 4, nothing, { record: new Uint8Array([4]) })
      assert.equal(await ownership.isFenced('r1'), false)
      const fenced = { step: 4, record: { step: 4, record: new Uint8Array([4]) } }
      assert.deepEqual(await ownership.fence('r1'), fenced)
      assert.deepEqual(await ownership.fence('r1'), fenced)
      await ownership.register('r1')
      assert.equal(await ownership.isFenced('r1'), true)
    },
  },
  {
    title: '§3.2: without a record of its very last step a router has nothing to be redone',
    async run(storage) {
      await commitRows(storage, 3, nothing, { record: new Uint8Array([3]) })
      await commitRows(storage, 4, nothing)
      assert.deepEqual(await storage.ownership.fence('r1'), { step: 4, record: undefined })
    },
  },
  {
    title: '§3.2: a router fenced before it came finds itself out',
    async run({ ownership }) {
      assert.equal(await ownership.isFenced('late'), true)
      assert.deepEqual(await ownership.fence('late'), { step: 0, record: undefined })
      await ownership.register('late')
      assert.equal(await ownership.isFenced('late'), true)
    },
  },
  {
    title: '§3.2: registering again changes nothing',
    async run(storage) {
      await commitRows(storage, 9, nothing)
      await storage.ownership.register('r1')
      assert.deepEqual(await storage.ownership.routers(), [{ id: 'r1', fenced: false, step: 9 }])
    },
  },
  {
    title: '§3.11: one of many raises the incarnation, and fences all',
    async run({ ownership }) {
      await ownership.register('r2')
      const from = await ownership.incarnation()
      const raised = await Promise.all(
        Array.from({ length: 5 }, () => ownership.raiseIncarnation(from)),
      )
      assert.equal(raised.filter(Boolean).length, 1)
      assert.equal(await ownership.incarnation(), from + 1)
      assert.deepEqual(
        (await ownership.routers()).map(({ fenced }) => fenced),
        [true, true],
      )
    },
  },
  {
    title: '§3.11: who is late to raise it fences nobody',
    async run({ ownership }) {
      const from = await ownership.incarnation()
      assert.equal(await ownership.raiseIncarnation(from), true)
      await ownership.register('new')
      assert.equal(await ownership.raiseIncarnation(from), false)
      assert.equal(await ownership.isFenced('new'), false)
    },
  },
]
