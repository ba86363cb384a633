import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type Bus,
  BusUnavailable,
  IncarnationChanged,
  type InstanceInfo,
  RequestFailed,
} from '../bus.ts'
import { ack, bytes, type ContractCase, commit, hashOf, namesIn } from './support.ts'

const instance = (id: string, info: Record<string, string> = {}): InstanceInfo => ({
  id,
  role: 'router',
  protocol: 1,
  info,
})
const idsOn = async (bus: Bus): Promise<string[]> => (await bus.instances()).map(({ id }) => id)

/** §3.8, §3.11 and §5: heartbeats, requests, and the loss of everything. */
export const instanceCases: readonly ContractCase[] = [
  {
    title: 'claim §4: of several takers of a name one gets it, and the others learn who',
    async run({ open }) {
      const [bus, other] = [await open(), await open()]
      const holders = await Promise.all([
        bus.claim('s:1', undefined, 'cm1'),
        other.claim('s:1', undefined, 'cm2'),
      ])
      assert.equal(holders[0], holders[1])
      assert.deepEqual([...(await other.claims())], [['s:1', holders[0]]])
    },
  },
  {
    title: 'claim §4: a name is taken over only from the holder that it is believed to have',
    async run({ open }) {
      const bus = await open()
      assert.equal(await bus.claim('s:1', undefined, 'cm1'), 'cm1')
      assert.equal(await bus.claim('s:1', 'cm3', 'cm2'), 'cm1')
      assert.equal(await bus.claim('s:1', 'cm1', 'cm2'), 'cm2')
      assert.equal(await bus.claim('s:1', 'cm1', undefined), 'cm2')
      assert.equal(await bus.claim('s:1', 'cm2', undefined), undefined)
      assert.equal((await bus.claims()).size, 0)
    },
  },
  {
    title: 'beat §3.8: an instance is announced to all, with what it says of itself',
    async run({ open }) {
      const [bus, other] = [await open(), await open()]
      await bus.beat(instance('r1', { host: 'verona' }), 10_000)
      await bus.beat({ ...instance('cm1'), role: 'connection-manager' }, 10_000)
      assert.deepEqual(await other.instances(), [
        { ...instance('cm1'), role: 'connection-manager' },
        instance('r1', { host: 'verona' }),
      ])
    },
  },
  {
    title: 'beat: a later announcement replaces the earlier',
    async run({ open }) {
      const bus = await open()
      await bus.beat(instance('r1'), 10_000)
      await bus.beat(instance('r1', { draining: 'yes' }), 10_000)
      assert.deepEqual(await bus.instances(), [instance('r1', { draining: 'yes' })])
    },
  },
  {
    title: 'beat: an announcement that is not repeated runs out',
    async run({ open }) {
      const bus = await open()
      await bus.beat(instance('r1'), 40)
      await bus.beat(instance('r2'), 30_000)
      const until = performance.now() + 5_000
      while ((await idsOn(bus)).includes('r1') && performance.now() < until) await pause(10)
      assert.deepEqual(await idsOn(bus), ['r2'])
    },
  },
  {
    title: 'leave: takes the announcement back at once',
    async run({ open }) {
      const bus = await open()
      await bus.beat(instance('r1'), 30_000)
      await bus.leave('r1')
      await bus.leave('never')
      assert.deepEqual(await idsOn(bus), [])
    },
  },
  {
    title: 'request §5: is answered by the instance it names',
    async run({ open }) {
      const [caller, first, second] = [await open(), await open(), await open()]
      await using _1 = first.serve('r1', async ({ method, input }) => ({ by: 'r1', method, input }))
      await using _2 = second.serve('r2', async () => ({ by: 'r2' }))
      const input = { account: 'romeo@montague.example', salt: Buffer.from([0, 255]) }
      const reply = await caller.request('r1', { method: 'account.credentials', input }, 5_000)
      assert.deepEqual(reply, { by: 'r1', method: 'account.credentials', input })
      assert.deepEqual(await caller.request('r2', { method: 'm', input: undefined }, 5_000), {
        by: 'r2',
      })
    },
  },
  {
    title: 'request: many at once get each its own answer',
    async run({ open }) {
      const [caller, server] = [await open(), await open()]
      await using _ = server.serve('r1', async ({ input }) => Number(input) * 2)
      const numbers = Array.from({ length: 200 }, (_, n) => n)
      const replies = await Promise.all(
        numbers.map((input) => caller.request('r1', { method: 'double', input }, 5_000)),
      )
      assert.deepEqual(
        replies,
        numbers.map((n) => n * 2),
      )
    },
  },
  {
    title: 'request: no answer is an answer too',
    async run({ open }) {
      const bus = await open()
      await using _ = bus.serve('r1', async () => undefined)
      const reply = await bus.request('r1', { method: 'm', input: null }, 5_000)
      assert(reply === undefined || reply === null)
    },
  },
  {
    title: 'request: a handler that throws answers with an error',
    async run({ open }) {
      const bus = await open()
      await using _ = bus.serve('r1', async () => {
        throw new RangeError('no such table')
      })
      await assert.rejects(bus.request('r1', { method: 'm', input: 1 }, 5_000), (error) => {
        assert(error instanceof RequestFailed)
        return error.message === 'no such table'
      })
    },
  },
  {
    title: 'request: an instance that is not there ends it by timeout',
    async run({ open }) {
      const bus = await open()
      await assert.rejects(bus.request('gone', { method: 'm', input: 1 }, 30), BusUnavailable)
    },
  },
  {
    title: 'request: an instance that does not answer ends it by timeout',
    async run({ open }) {
      const bus = await open()
      const never = Promise.withResolvers<void>()
      await using _ = bus.serve('r1', () => never.promise)
      await assert.rejects(bus.request('r1', { method: 'm', input: 1 }, 30), BusUnavailable)
      never.resolve()
    },
  },
  {
    title: 'serve: ends when disposed of',
    async run({ open }) {
      const bus = await open()
      const serving = bus.serve('r1', async () => 1)
      assert.equal(await bus.request('r1', { method: 'm', input: 1 }, 5_000), 1)
      await serving[Symbol.asyncDispose]()
      await assert.rejects(bus.request('r1', { method: 'm', input: 1 }, 30), BusUnavailable)
    },
  },
  {
    title: 'incarnation §3.11: where the marker is missing, every call says so',
    async run({ open, lose }) {
      const bus = await open()
      await bus.publish('p:1', [ack(1)])
      await lose()
      const calls: (() => Promise<unknown>)[] = [
        () => commit(bus, 'r1', 1),
        () => bus.publish('p:1', [ack(2)]),
        () => bus.read(new Map([['p:1', '0']]), { count: 1, wait: 0 }),
        () => bus.remove('p:1', '1'),
        () => bus.extent(['p:1']),
        () => bus.fence('r1', undefined),
        () => bus.step('r1'),
        () => bus.hashes(['a']),
        () => bus.due(['a'], 1, 1),
        () => bus.record('a'),
        () => bus.replace('a', 0, bytes('x'), 1_000),
        () => bus.queue('a', 0, 1),
        () => bus.beat(instance('r1'), 1_000),
        () => bus.instances(),
      ]
      for (const call of calls) await assert.rejects(call, IncarnationChanged)
    },
  },
  {
    title: 'incarnation §3.11: a publish alone finds out as well',
    async run({ open, lose }) {
      const bus = await open()
      await lose()
      await assert.rejects(bus.publish('p:1', [ack(1)]), IncarnationChanged)
    },
  },
  {
    title: 'incarnation §3.11: a lost one is not opened again, the next one is empty',
    async run({ open, lose }) {
      const bus = await open()
      await bus.publish('p:1', [ack(1)])
      await commit(bus, 'r1', 1, { op: 'hset', key: 'a', fields: [['x', Buffer.from('1')]] })
      await lose()
      await assert.rejects(open({ incarnation: 1 }), IncarnationChanged)
      await assert.rejects(open({ incarnation: 2 }), IncarnationChanged)
      const next = await open({ incarnation: 2, create: true })
      assert.equal(next.incarnation, 2)
      assert.deepEqual(await namesIn(next, 'p:1'), [])
      assert.deepEqual(await hashOf(next, 'a'), {})
      assert.equal(await next.step('r1'), 0)
      assert.equal((await open({ incarnation: 2 })).incarnation, 2)
    },
  },
  {
    title:
      'incarnation §3.11: a raised one voids the handles of the last; a straggler cannot go back',
    async run({ open }) {
      const old = await open()
      await commit(old, 'r1', 1)
      const next = await open({ incarnation: 2, create: true })
      await assert.rejects(commit(old, 'r1', 2), IncarnationChanged)
      await assert.rejects(old.publish('p:1', [ack(1)]), IncarnationChanged)
      await assert.rejects(open({ incarnation: 1, create: true }), IncarnationChanged)
      assert.deepEqual(await namesIn(next, 'p:1'), [])
    },
  },
]
