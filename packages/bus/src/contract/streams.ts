import assert from 'node:assert/strict'
import { BusFull, BusUnavailable } from '../bus.ts'
import { comparePositions } from '../position.ts'
import { ack, type ContractCase, commit, half, nameOf, namesIn, positionsIn } from './support.ts'

const stream = 'p:7'
const from0 = new Map([[stream, '0']])

/** §5: what `publish`, `read`, `remove` and `extent` promise. */
export const streamCases: readonly ContractCase[] = [
  {
    title: 'publish: what is published in one tick becomes one entry, in the order of the calls',
    async run({ open }) {
      const bus = await open()
      await Promise.all([1, 2, 3].map((n) => bus.publish(stream, [ack(n), ack(n + 10)])))
      assert.deepEqual(await namesIn(bus, stream), [[1, 11, 2, 12, 3, 13]])
    },
  },
  {
    title: 'publish: order of calls is order in the stream',
    async run({ open }) {
      const bus = await open()
      const accepted: Promise<void>[] = []
      for (let n = 0; n < 60; n += 1) {
        accepted.push(bus.publish(stream, [ack(n)]))
        if (n % 7 === 0) await new Promise(setImmediate)
      }
      await Promise.all(accepted)
      const names = (await namesIn(bus, stream)).flat()
      assert.deepEqual(
        names,
        Array.from({ length: 60 }, (_, n) => n),
      )
    },
  },
  {
    title: 'publish: much in one tick becomes several entries, none of them without bound',
    async run({ open }) {
      const bus = await open()
      await Promise.all(Array.from({ length: 600 }, (_, n) => bus.publish(stream, [ack(n)])))
      const entries = await namesIn(bus, stream)
      assert(entries.length > 1)
      assert(entries.every((names) => names.length <= 256))
      assert.deepEqual(
        entries.flat(),
        Array.from({ length: 600 }, (_, n) => n),
      )
    },
  },
  {
    title: 'publish: no frames make no entry',
    async run({ open }) {
      const bus = await open()
      await bus.publish(stream, [])
      assert.equal((await bus.extent([stream])).get(stream)?.length, 0)
    },
  },
  {
    title: 'publish: once accepted, every handle reads it',
    async run({ open }) {
      const [producer, consumer] = [await open(), await open()]
      await producer.publish(stream, [half('h1', 3_000)])
      const [entry] = await consumer.read(from0, { count: 10, wait: 0 })
      const [frame] = entry?.frames ?? []
      assert(frame?.kind === 'half')
      assert.deepEqual({ ...frame, stanza: '' }, { ...half('h1'), stanza: '' })
      assert.equal(frame.stanza.toString(), half('h1', 3_000).stanza.toString())
    },
  },
  {
    title: 'publish §3.9: a stream at its limit of entries refuses, the others do not',
    async run({ open }) {
      const bus = await open({ limits: { streamEntries: 2 } })
      await bus.publish(stream, [ack(1)])
      await bus.publish(stream, [ack(2)])
      await assert.rejects(bus.publish(stream, [ack(3)]), BusFull)
      await bus.publish('p:8', [ack(4)])
      assert.deepEqual(await namesIn(bus, stream), [[1], [2]])
    },
  },
  {
    title: 'publish §3.9: a stream with room again takes more',
    async run({ open }) {
      const bus = await open({ limits: { streamEntries: 1 } })
      await bus.publish(stream, [ack(1)])
      await assert.rejects(bus.publish(stream, [ack(2)]), BusFull)
      const positions = await positionsIn(bus, stream)
      await commit(bus, 'r1', 1, { op: 'remove', stream, positions })
      await bus.publish(stream, [ack(2)])
      assert.deepEqual(await namesIn(bus, stream), [[2]])
    },
  },
  {
    title: 'publish §3.9: a stream at its limit of bytes refuses',
    async run({ open }) {
      const bus = await open({ limits: { streamBytes: 40_000 } })
      await bus.publish(stream, [half('h1', 30_000)])
      await assert.rejects(bus.publish(stream, [half('h2', 30_000)]), BusFull)
      assert.deepEqual(await namesIn(bus, stream), [['h1']])
    },
  },
  {
    title: 'publish §3.9: a refused call leaves nothing behind',
    async run({ open }) {
      const bus = await open({ limits: { streamEntries: 1 } })
      await bus.publish(stream, [ack(1)])
      const refused = [bus.publish(stream, [ack(2)]), bus.publish(stream, [ack(3)])]
      for (const call of refused) await assert.rejects(call, BusFull)
      assert.deepEqual(await namesIn(bus, stream), [[1]])
    },
  },
  {
    title: 'read: entries after a position, never the one at it',
    async run({ open }) {
      const bus = await open()
      for (const n of [1, 2, 3]) await bus.publish(stream, [ack(n)])
      const [first = '', , third = ''] = await positionsIn(bus, stream)
      assert.deepEqual(await namesIn(bus, stream, first), [[2], [3]])
      assert.deepEqual(await namesIn(bus, stream, third), [])
    },
  },
  {
    title: 'read: what was not removed is seen again by who asks from an earlier position',
    async run({ open }) {
      const bus = await open()
      await bus.publish(stream, [ack(1)])
      assert.deepEqual(await namesIn(bus, stream), [[1]])
      assert.deepEqual(await namesIn(bus, stream), [[1]])
      assert.deepEqual(await namesIn(await open(), stream), [[1]])
    },
  },
  {
    title: 'read: at most `count` entries of each stream, in order',
    async run({ open }) {
      const bus = await open()
      for (const n of [1, 2, 3]) {
        await bus.publish(stream, [ack(n)])
        await bus.publish('p:8', [ack(n + 10)])
      }
      const positions = new Map([...from0, ['p:8', '0']])
      const entries = await bus.read(positions, { count: 2, wait: 0 })
      const of = (name: string): unknown =>
        entries.filter((entry) => entry.stream === name).flatMap(({ frames }) => frames.map(nameOf))
      assert.deepEqual(
        [of(stream), of('p:8')],
        [
          [1, 2],
          [11, 12],
        ],
      )
    },
  },
  {
    title: 'read: waits, and wakes for an entry in any of its streams',
    async run({ open }) {
      const [reader, producer] = [await open(), await open()]
      const positions = new Map([...from0, ['p:8', '0']])
      const reading = reader.read(positions, { count: 10, wait: 10_000 })
      await producer.publish('p:8', [ack(5)])
      const [entry] = await reading
      assert.deepEqual([entry?.stream, entry?.frames.map(nameOf)], ['p:8', [5]])
    },
  },
  {
    title: 'read: wakes for what a commit appends',
    async run({ open }) {
      const [reader, router] = [await open(), await open()]
      const reading = reader.read(new Map([['d:cm1', '0']]), { count: 10, wait: 10_000 })
      await commit(router, 'r1', 1, { op: 'append', stream: 'd:cm1', frames: [ack(9)] })
      assert.deepEqual(
        (await reading).map(({ frames }) => frames.map(nameOf)),
        [[9]],
      )
    },
  },
  {
    title: 'read: several reads of one handle wait side by side',
    async run({ open }) {
      const bus = await open()
      const waiting = ['p:1', 'p:2', 'p:3'].map((name) =>
        bus.read(new Map([[name, '0']]), { count: 1, wait: 10_000 }),
      )
      for (const [index, name] of ['p:3', 'p:2', 'p:1'].entries())
        await bus.publish(name, [ack(index)])
      const woken = (await Promise.all(waiting)).map(([entry]) => entry?.stream)
      assert.deepEqual(woken, ['p:1', 'p:2', 'p:3'])
    },
  },
  {
    title: 'read: an empty list when nothing came in time',
    async run({ open }) {
      const bus = await open()
      assert.deepEqual(await bus.read(from0, { count: 10, wait: 20 }), [])
      assert.deepEqual(await bus.read(from0, { count: 10, wait: 0 }), [])
    },
  },
  {
    title: 'read: a signal ends the wait at once, and takes nothing with it',
    async run({ open }) {
      const bus = await open()
      const stop = new AbortController()
      const reading = bus.read(from0, { count: 10, wait: 60_000, signal: stop.signal })
      stop.abort()
      assert.deepEqual(await reading, [])
      await bus.publish(stream, [ack(1)])
      assert.deepEqual(await namesIn(bus, stream), [[1]])
    },
  },
  {
    title: 'read: disposing of the handle ends its waits, what it published stays',
    async run({ open }) {
      const [bus, other] = [await open(), await open()]
      await bus.publish(stream, [ack(1)])
      const waiting = bus.read(new Map([['p:8', '0']]), { count: 10, wait: 60_000 })
      const ended = waiting.catch((error: unknown) => {
        assert(error instanceof BusUnavailable)
        return []
      })
      await bus[Symbol.asyncDispose]()
      assert.deepEqual(await ended, [])
      await assert.rejects(bus.step('r1'), BusUnavailable)
      assert.deepEqual(await namesIn(other, stream), [[1]])
    },
  },
  {
    title: 'remove: everything up to a position, and that for ever',
    async run({ open }) {
      const bus = await open()
      for (const n of [1, 2, 3]) await bus.publish('d:cm1', [ack(n)])
      const [, second = ''] = await positionsIn(bus, 'd:cm1')
      await bus.remove('d:cm1', second)
      await bus.remove('d:cm1', second)
      assert.deepEqual(await namesIn(bus, 'd:cm1'), [[3]])
      await bus.remove('p:unknown', second)
    },
  },
  {
    title: 'extent: first, last and length; a stream that never was begins before everything',
    async run({ open }) {
      const bus = await open()
      for (const n of [1, 2, 3]) await bus.publish(stream, [ack(n)])
      const positions = await positionsIn(bus, stream)
      const extents = await bus.extent([stream, 'p:never'])
      assert.deepEqual(extents.get(stream), { first: positions[0], last: positions[2], length: 3 })
      assert.deepEqual(extents.get('p:never'), { first: undefined, last: '0', length: 0 })
      assert.equal((await bus.extent([])).size, 0)
    },
  },
  {
    title: 'extent: `last` never goes back, even when everything is removed',
    async run({ open }) {
      const bus = await open()
      for (const n of [1, 2]) await bus.publish(stream, [ack(n)])
      const positions = await positionsIn(bus, stream)
      await commit(bus, 'r1', 1, { op: 'remove', stream, positions })
      const emptied = (await bus.extent([stream])).get(stream)
      assert.deepEqual(emptied, { first: undefined, last: positions[1], length: 0 })
      await bus.publish(stream, [ack(3)])
      const [third = ''] = await positionsIn(bus, stream)
      assert(comparePositions(third, positions[1] ?? '') > 0)
    },
  },
  {
    title: 'extent: a hole in the middle moves neither end',
    async run({ open }) {
      const bus = await open()
      for (const n of [1, 2, 3]) await bus.publish(stream, [ack(n)])
      const [first, second = '', third] = await positionsIn(bus, stream)
      await commit(bus, 'r1', 1, { op: 'remove', stream, positions: [second] })
      assert.deepEqual((await bus.extent([stream])).get(stream), { first, last: third, length: 2 })
      assert.deepEqual(await namesIn(bus, stream), [[1], [3]])
    },
  },
  {
    title: 'pressure: a share of the memory, 0 while nothing is used up',
    async run({ open }) {
      const pressure = (await open()).pressure()
      assert(pressure >= 0 && pressure < 0.5)
    },
  },
]
