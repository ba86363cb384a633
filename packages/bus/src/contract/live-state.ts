import assert from 'node:assert/strict'
import type { Operation } from '../bus.ts'
import {
  bytes,
  type ContractCase,
  commit,
  hashOf,
  payloadsIn,
  queued,
  shared,
  textOf,
} from './support.ts'

const hset = (key: string, ...fields: [string, string][]): Operation => ({
  op: 'hset',
  key,
  fields: fields.map(([field, value]) => [field, bytes(value)]),
})
const enqueue = (queue: string, ...numbers: number[]): Operation => ({
  op: 'enqueue',
  queue,
  entries: numbers.map((n) => queued(n)),
})

/** §3.7: hashes, sorted sets, queues and shared payloads. */
export const liveStateCases: readonly ContractCase[] = [
  {
    title: 'hashes: all fields of each key, empty maps for missing keys',
    async run({ open }) {
      const bus = await open()
      await commit(bus, 'r1', 1, hset('a', ['x', '1'], ['y', '2']), hset('b', ['x', '3']))
      const hashes = await bus.hashes(['a', 'b', 'none'])
      assert.deepEqual([...hashes.keys()], ['a', 'b', 'none'])
      assert.equal(textOf(hashes.get('a')?.get('y')), '2')
      assert.equal(textOf(hashes.get('b')?.get('x')), '3')
      assert.equal(hashes.get('none')?.size, 0)
      assert.equal((await bus.hashes([])).size, 0)
    },
  },
  {
    title: 'hashes: values are bytes, whatever they hold; names are any text',
    async run({ open }) {
      const bus = await open()
      const value = Uint8Array.from({ length: 256 }, (_, n) => n)
      const key = 'juliet@capulet.example/Балкон: \u{1f339}\n'
      await commit(bus, 'r1', 1, {
        op: 'hset',
        key,
        fields: [
          ['__proto__', value],
          ['поле', new Uint8Array(0)],
        ],
      })
      const hash = (await bus.hashes([key])).get(key)
      assert.deepEqual(Buffer.from(hash?.get('__proto__') ?? []), Buffer.from(value))
      assert.equal(hash?.get('поле')?.length, 0)
    },
  },
  {
    title: 'hset, hdel: fields are replaced and taken away one by one',
    async run({ open }) {
      const bus = await open()
      await commit(bus, 'r1', 1, hset('a', ['x', '1'], ['y', '2']))
      await commit(bus, 'r1', 2, hset('a', ['x', '9']), {
        op: 'hdel',
        key: 'a',
        fields: ['y', 'z'],
      })
      assert.deepEqual(await hashOf(bus, 'a'), { x: '9' })
      await commit(bus, 'r1', 3, { op: 'hdel', key: 'a', fields: ['x'] })
      await commit(bus, 'r1', 4, { op: 'hdel', key: 'none', fields: ['x'] })
      assert.deepEqual(await hashOf(bus, 'a'), {})
    },
  },
  {
    title: 'hashes: what was read does not change with later steps',
    async run({ open }) {
      const bus = await open()
      await commit(bus, 'r1', 1, hset('a', ['x', '1']))
      const before = (await bus.hashes(['a'])).get('a')
      await commit(bus, 'r1', 2, hset('a', ['x', '2'], ['y', '3']))
      assert.equal(textOf(before?.get('x')), '1')
      assert.equal(before?.size, 1)
    },
  },
  {
    title: 'unlink: removes hash, sorted set and payload of a name; never a stream or queue',
    async run({ open }) {
      const bus = await open()
      await commit(
        bus,
        'r1',
        1,
        hset('k', ['x', '1']),
        { op: 'zadd', key: 'k', members: [['m', 1]] },
        enqueue('k', 1),
      )
      await commit(bus, 'r1', 2, { op: 'unlink', keys: ['k', 'none'] })
      assert.deepEqual(await hashOf(bus, 'k'), {})
      assert.deepEqual((await bus.due(['k'], 10, 10)).get('k'), [])
      assert.deepEqual(await payloadsIn(bus, 'k'), ['1: payload 1'])
    },
  },
  {
    title: 'one name may be a hash, a sorted set and a queue at once: a step cannot fail on types',
    async run({ open }) {
      const bus = await open()
      const outcome = await commit(
        bus,
        'r1',
        1,
        { op: 'zadd', key: 'k', members: [['m', 1]] },
        hset('k', ['x', '1']),
        enqueue('k', 1),
        { op: 'payload', key: 'k', bytes: bytes('p'), references: 1 },
      )
      assert.equal(outcome.outcome, 'applied')
      assert.deepEqual(await hashOf(bus, 'k'), { x: '1' })
    },
  },
  {
    title: 'due: members up to a score, lowest first, at most `limit` of each key',
    async run({ open }) {
      const bus = await open()
      await commit(bus, 'r1', 1, {
        op: 'zadd',
        key: 't:1',
        members: [
          ['late', 30],
          ['first', -5],
          ['b', 10],
          ['a', 10],
          ['now', 1_795_000_000_123.5],
        ],
      })
      const due = async (max: number, limit: number): Promise<unknown> =>
        (await bus.due(['t:1', 't:2'], max, limit)).get('t:1')
      assert.deepEqual(await due(10, 10), [
        ['first', -5],
        ['a', 10],
        ['b', 10],
      ])
      assert.deepEqual(await due(10, 2), [
        ['first', -5],
        ['a', 10],
      ])
      assert.deepEqual(((await due(Number.POSITIVE_INFINITY, 10)) as unknown[]).at(-1), [
        'now',
        1_795_000_000_123.5,
      ])
      assert.deepEqual((await bus.due(['t:2'], 10, 10)).get('t:2'), [])
    },
  },
  {
    title: 'zadd, zrem: a member has one score; taking it away twice is harmless',
    async run({ open }) {
      const bus = await open()
      await commit(bus, 'r1', 1, { op: 'zadd', key: 't', members: [['m', 50]] })
      await commit(bus, 'r1', 2, { op: 'zadd', key: 't', members: [['m', 5]] })
      assert.deepEqual((await bus.due(['t'], 100, 10)).get('t'), [['m', 5]])
      await commit(bus, 'r1', 3, { op: 'zrem', key: 't', members: ['m', 'm', 'none'] })
      await commit(bus, 'r1', 4, { op: 'zrem', key: 'none', members: ['m'] })
      assert.deepEqual((await bus.due(['t'], 100, 10)).get('t'), [])
    },
  },
  {
    title: 'queue §3.7: entries with numbers in (from, to], in order, with what the owner noted',
    async run({ open }) {
      const bus = await open()
      await commit(bus, 'r1', 1, enqueue('s1', 1, 2), enqueue('s1', 3))
      await commit(bus, 'r1', 2, enqueue('s1', 4, 5))
      assert.deepEqual(await payloadsIn(bus, 's1', 1, 4), [
        '2: payload 2',
        '3: payload 3',
        '4: payload 4',
      ])
      assert.deepEqual(await payloadsIn(bus, 's1', 5, 9), [])
      assert.deepEqual(await payloadsIn(bus, 'none'), [])
      const [third] = await bus.queue('s1', 2, 3)
      assert.equal(textOf(third?.meta), 'meta 3')
    },
  },
  {
    title: 'queue: numbers may have holes and begin anywhere',
    async run({ open }) {
      const bus = await open()
      await commit(bus, 'r1', 1, enqueue('s1', 1_000, 1_005, 5_000_000_000))
      assert.deepEqual(await payloadsIn(bus, 's1', 1_001, 1_005), ['1005: payload 1005'])
      assert.deepEqual(await payloadsIn(bus, 's1', 1_005), ['5000000000: payload 5000000000'])
    },
  },
  {
    title: 'queue: a long range comes whole',
    async run({ open }) {
      const bus = await open()
      const numbers = Array.from({ length: 1_100 }, (_, n) => n + 1)
      await commit(bus, 'r1', 1, enqueue('s1', ...numbers))
      const read = (await bus.queue('s1', 50, 1_050)).map(({ n }) => n)
      assert.deepEqual(read, numbers.slice(50, 1_050))
    },
  },
  {
    title: 'trim §3.7: removes up to and including a number, again and again',
    async run({ open }) {
      const bus = await open()
      const numbers = Array.from({ length: 250 }, (_, n) => n + 1)
      await commit(bus, 'r1', 1, enqueue('s1', ...numbers))
      await commit(bus, 'r1', 2, { op: 'trim', queue: 's1', n: 205 })
      await commit(bus, 'r1', 3, { op: 'trim', queue: 's1', n: 100 })
      assert.deepEqual(
        (await bus.queue('s1', 0, 1_000)).map(({ n }) => n),
        numbers.slice(205),
      )
      await commit(bus, 'r1', 4, { op: 'trim', queue: 's1', n: 250 }, enqueue('s1', 251))
      assert.deepEqual(await payloadsIn(bus, 's1'), ['251: payload 251'])
    },
  },
  {
    title: 'trim: without a number removes the queue; a queue that is not there is no matter',
    async run({ open }) {
      const bus = await open()
      await commit(bus, 'r1', 1, enqueue('s1', 1, 2, 3))
      await commit(bus, 'r1', 2, { op: 'trim', queue: 's1', n: undefined })
      await commit(bus, 'r1', 3, { op: 'trim', queue: 'none', n: undefined })
      await commit(bus, 'r1', 4, { op: 'trim', queue: 'none', n: 7 })
      assert.deepEqual(await payloadsIn(bus, 's1'), [])
    },
  },
  {
    title: 'payload §3.7: stored once, read through every queue that refers to it',
    async run({ open }) {
      const bus = await open()
      await commit(
        bus,
        'r1',
        1,
        { op: 'payload', key: 'm1', bytes: bytes('to all'), references: 2 },
        { op: 'enqueue', queue: 's1', entries: [shared(1, 'm1'), queued(2)] },
        { op: 'enqueue', queue: 's2', entries: [shared(7, 'm1')] },
      )
      assert.deepEqual(await payloadsIn(bus, 's1'), ['1: to all', '2: payload 2'])
      assert.deepEqual(await payloadsIn(bus, 's2'), ['7: to all'])
    },
  },
  {
    title: 'payload §3.7: the last reference to go takes it along, however it goes',
    async run({ open }) {
      const bus = await open()
      await commit(
        bus,
        'r1',
        1,
        { op: 'payload', key: 'm1', bytes: bytes('to all'), references: 3 },
        { op: 'enqueue', queue: 's1', entries: [shared(1, 'm1'), shared(2, 'm1')] },
        { op: 'enqueue', queue: 's2', entries: [shared(1, 'm1')] },
      )
      await commit(bus, 'r1', 2, { op: 'trim', queue: 's1', n: 1 })
      await commit(bus, 'r1', 3, { op: 'trim', queue: 's2', n: undefined })
      assert.deepEqual(await payloadsIn(bus, 's1'), ['2: to all'])
      await commit(bus, 'r1', 4, { op: 'trim', queue: 's1', n: 2 })
      // What is gone is told, never answered as if it were there.
      await commit(bus, 'r1', 5, { op: 'enqueue', queue: 's3', entries: [shared(1, 'm1')] })
      await assert.rejects(payloadsIn(bus, 's3'), /gone/)
    },
  },
  {
    title: 'payload: an empty payload is a payload',
    async run({ open }) {
      const bus = await open()
      await commit(
        bus,
        'r1',
        1,
        { op: 'payload', key: 'm1', bytes: bytes(''), references: 1 },
        { op: 'enqueue', queue: 's1', entries: [shared(1, 'm1'), queued(2, '')] },
      )
      assert.deepEqual(await payloadsIn(bus, 's1'), ['1: ', '2: '])
    },
  },
]
