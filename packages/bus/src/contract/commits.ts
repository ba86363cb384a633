import assert from 'node:assert/strict'
import { IncarnationChanged, type Operation, type StepRecord } from '../bus.ts'
import {
  ack,
  bytes,
  type ContractCase,
  commit,
  half,
  hashOf,
  namesIn,
  payloadsIn,
  positionsIn,
  queued,
} from './support.ts'

const append = (stream: string, ...numbers: number[]): Operation => ({
  op: 'append',
  stream,
  frames: numbers.map(ack),
})
const note = (field: string): Operation => ({
  op: 'hset',
  key: 'note',
  fields: [[field, bytes('1')]],
})

/** §3.3 (b) and §3.2: what `commit`, `fence` and `step` promise. */
export const commitCases: readonly ContractCase[] = [
  {
    title: 'commit §3.3: the first step is applied, and answers where it appended',
    async run({ open }) {
      const bus = await open()
      const outcome = await commit(bus, 'r1', 1, append('p:1', 1, 2), append('d:cm1', 3))
      assert(outcome.outcome === 'applied')
      const [first] = await positionsIn(bus, 'p:1')
      const [second] = await positionsIn(bus, 'd:cm1')
      assert.deepEqual(outcome.positions, [first, second])
      assert.deepEqual(await namesIn(bus, 'p:1'), [[1, 2]])
    },
  },
  {
    title: 'commit §3.3: the same step sent again is done, and does nothing',
    async run({ open }) {
      const [bus, other] = [await open(), await open()]
      const record: StepRecord = { router: 'r1', step: 1, operations: [append('p:1', 1)] }
      assert.equal((await bus.commit(record)).outcome, 'applied')
      assert.deepEqual(await bus.commit(record), { outcome: 'done', positions: [] })
      assert.equal((await other.commit({ ...record })).outcome, 'done')
      assert.deepEqual(await namesIn(bus, 'p:1'), [[1]])
    },
  },
  {
    title: 'commit §3.3: two copies of one step at once are applied once',
    async run({ open }) {
      const [bus, other] = [await open(), await open()]
      const outcomes = await Promise.all(
        [bus, other, bus].map((handle) => commit(handle, 'r1', 1, append('p:1', 1))),
      )
      assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['applied', 'done', 'done'])
      assert.deepEqual(await namesIn(bus, 'p:1'), [[1]])
    },
  },
  {
    title: 'commit §3.11: a step ahead is a gap, a step behind too; neither writes anything',
    async run({ open }) {
      const bus = await open()
      assert.equal((await commit(bus, 'r1', 2, note('two'))).outcome, 'gap')
      assert.equal((await commit(bus, 'r1', 1, note('one'))).outcome, 'applied')
      assert.equal((await commit(bus, 'r1', 2, note('two'))).outcome, 'applied')
      assert.equal((await commit(bus, 'r1', 1, note('again'))).outcome, 'gap')
      assert.equal((await commit(bus, 'r1', 4, note('four'))).outcome, 'gap')
      assert.deepEqual(await hashOf(bus, 'note'), { one: '1', two: '1' })
      assert.equal(await bus.step('r1'), 2)
    },
  },
  {
    title: 'commit: routers count apart',
    async run({ open }) {
      const bus = await open()
      await commit(bus, 'r1', 1, note('a'))
      await commit(bus, 'r1', 2, note('b'))
      assert.equal((await commit(bus, 'r2', 1, note('c'))).outcome, 'applied')
      assert.deepEqual(
        [await bus.step('r1'), await bus.step('r2'), await bus.step('r3')],
        [2, 1, 0],
      )
    },
  },
  {
    title: 'commit: a step without operations counts as well',
    async run({ open }) {
      const bus = await open()
      assert.deepEqual(await commit(bus, 'r1', 1), { outcome: 'applied', positions: [] })
      assert.equal(await bus.step('r1'), 1)
    },
  },
  {
    title: 'commit §3.9: is never refused over a limit that refuses a publish',
    async run({ open }) {
      const bus = await open({ limits: { streamEntries: 1, streamBytes: 1_000 } })
      await bus.publish('p:1', [ack(1)])
      await assert.rejects(bus.publish('p:1', [half('h1', 2_000)]))
      const big: Operation = { op: 'append', stream: 'p:1', frames: [half('h2', 5_000)] }
      assert.equal((await commit(bus, 'r1', 1, big)).outcome, 'applied')
      assert.deepEqual(await namesIn(bus, 'p:1'), [[1], ['h2']])
    },
  },
  {
    title: 'commit: one step takes inputs out, sends, and changes state, all at once',
    async run({ open }) {
      const bus = await open()
      await bus.publish('p:1', [ack(1)])
      const positions = await positionsIn(bus, 'p:1')
      await commit(
        bus,
        'r1',
        1,
        { op: 'remove', stream: 'p:1', positions },
        append('p:2', 2),
        note('done'),
        { op: 'enqueue', queue: 's1', entries: [queued(1)] },
      )
      assert.deepEqual(await namesIn(bus, 'p:1'), [])
      assert.deepEqual(await namesIn(bus, 'p:2'), [[2]])
      assert.deepEqual(await hashOf(bus, 'note'), { done: '1' })
      assert.deepEqual(await payloadsIn(bus, 's1'), ['1: payload 1'])
    },
  },
  {
    title: 'commit: operations are carried out in order',
    async run({ open }) {
      const bus = await open()
      await commit(
        bus,
        'r1',
        1,
        note('a'),
        { op: 'unlink', keys: ['note'] },
        note('b'),
        append('p:1', 1),
        append('p:1', 2),
      )
      assert.deepEqual(await hashOf(bus, 'note'), { b: '1' })
      assert.deepEqual(await namesIn(bus, 'p:1'), [[1], [2]])
    },
  },
  {
    title: 'commit: `remove` takes several entries and does not mind those that are gone',
    async run({ open }) {
      const bus = await open()
      for (const n of [1, 2, 3]) await bus.publish('p:1', [ack(n)])
      const [first = '', , third = ''] = await positionsIn(bus, 'p:1')
      await commit(bus, 'r1', 1, { op: 'remove', stream: 'p:1', positions: [first, third] })
      await commit(bus, 'r1', 2, { op: 'remove', stream: 'p:1', positions: [first] })
      await commit(bus, 'r1', 3, { op: 'remove', stream: 'p:none', positions: [first] })
      assert.deepEqual(await namesIn(bus, 'p:1'), [[2]])
    },
  },
  {
    title: 'commit: a record that could not be applied whole leaves nothing',
    async run({ open }) {
      const bus = await open()
      const broken: readonly Operation[] = [
        { op: 'zadd', key: 'z', members: [['m', Number.NaN]] },
        { op: 'remove', stream: 'p:1', positions: ['not a position'] },
        { op: 'append', stream: 'p:1', frames: [] },
        { op: 'hset', key: '', fields: [] },
        { op: 'trim', queue: 's1', n: -1 },
        { op: 'evaluate', key: 'x' } as unknown as Operation,
      ]
      for (const operation of broken)
        await assert.rejects(commit(bus, 'r1', 1, note('before'), operation), TypeError)
      await assert.rejects(commit(bus, 'r1', 0, note('zero')), TypeError)
      await assert.rejects(commit(bus, 'r1', 1.5, note('half')), TypeError)
      assert.deepEqual(await hashOf(bus, 'note'), {})
      assert.equal(await bus.step('r1'), 0)
    },
  },
  {
    title: 'commit: a big step is one step',
    async run({ open }) {
      const bus = await open()
      const fields = Array.from({ length: 3_000 }, (_, n) => [`f${n}`, bytes(`${n}`)] as const)
      const members = Array.from({ length: 3_000 }, (_, n) => [`m${n}`, n] as const)
      const entries = Array.from({ length: 3_000 }, (_, n) => queued(n + 1))
      await commit(
        bus,
        'r1',
        1,
        { op: 'hset', key: 'big', fields },
        { op: 'zadd', key: 'big', members },
        { op: 'enqueue', queue: 'big', entries },
        { op: 'append', stream: 'p:1', frames: [half('h1', 200_000)] },
      )
      assert.equal(Object.keys(await hashOf(bus, 'big')).length, 3_000)
      assert.equal((await bus.due(['big'], 1_499, 5_000)).get('big')?.length, 1_500)
      assert.equal((await bus.queue('big', 0, 5_000)).length, 3_000)
      assert.deepEqual(await namesIn(bus, 'p:1'), [['h1']])
    },
  },
  {
    title: 'fence §3.2: a fenced router commits nothing, for ever',
    async run({ open }) {
      const [bus, taker] = [await open(), await open()]
      await commit(bus, 'r1', 1, note('one'))
      await taker.fence('r1', undefined)
      assert.deepEqual(await commit(bus, 'r1', 2, note('two')), { outcome: 'fenced' })
      assert.deepEqual(await commit(bus, 'r1', 1, note('one')), { outcome: 'fenced' })
      assert.equal((await commit(bus, 'r2', 1, note('other'))).outcome, 'applied')
      assert.deepEqual(await hashOf(bus, 'note'), { one: '1', other: '1' })
    },
  },
  {
    title: 'fence §3.2: completes the last step where it was not applied',
    async run({ open }) {
      const [bus, taker] = [await open(), await open()]
      await commit(bus, 'r1', 1, note('one'))
      await taker.fence('r1', {
        router: 'r1',
        step: 2,
        operations: [note('two'), append('p:1', 5)],
      })
      assert.equal(await taker.step('r1'), 2)
      assert.deepEqual(await hashOf(taker, 'note'), { one: '1', two: '1' })
      assert.deepEqual(await namesIn(taker, 'p:1'), [[5]])
    },
  },
  {
    title: 'fence §3.2: any number of takers complete it once',
    async run({ open }) {
      const takers = [await open(), await open(), await open()]
      const record: StepRecord = { router: 'r1', step: 1, operations: [append('p:1', 1)] }
      await Promise.all(takers.map((taker) => taker.fence('r1', { ...record })))
      await takers[0]?.fence('r1', record)
      assert.deepEqual(await namesIn(takers[0] ?? (await open()), 'p:1'), [[1]])
    },
  },
  {
    title: 'fence §3.2: a record that was applied is not applied again',
    async run({ open }) {
      const bus = await open()
      const record: StepRecord = { router: 'r1', step: 1, operations: [append('p:1', 1)] }
      await bus.commit(record)
      await commit(bus, 'r1', 2)
      await bus.fence('r1', record)
      assert.equal(await bus.step('r1'), 2)
      assert.deepEqual(await namesIn(bus, 'p:1'), [[1]])
    },
  },
  {
    title: 'fence §3.2: a router that never committed can be fenced, with and without a record',
    async run({ open }) {
      const bus = await open()
      await bus.fence('r1', undefined)
      assert.equal((await commit(bus, 'r1', 1)).outcome, 'fenced')
      await bus.fence('r2', { router: 'r2', step: 1, operations: [note('two')] })
      assert.deepEqual(await hashOf(bus, 'note'), { two: '1' })
    },
  },
  {
    title:
      'fence §3.11: where steps before the record are missing something was lost, and nothing is written',
    async run({ open }) {
      const bus = await open()
      const record: StepRecord = { router: 'r1', step: 3, operations: [note('three')] }
      await assert.rejects(bus.fence('r1', record), IncarnationChanged)
      assert.deepEqual(await hashOf(bus, 'note'), {})
      assert.equal((await commit(bus, 'r1', 1)).outcome, 'applied')
    },
  },
]
