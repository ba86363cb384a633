import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { bytes, type ContractCase, textOf } from './support.ts'

const minute = 60_000

/** What one instance at a time writes: sessions over HTTP that go from one to another. */
export const recordCases: readonly ContractCase[] = [
  {
    title: 'record: is what was written last, with its version',
    async run({ open }) {
      const [bus, other] = [await open(), await open()]
      assert.equal(await bus.record('a'), undefined)
      assert.equal(await bus.replace('a', 0, bytes('one'), minute), true)
      assert.equal(await other.replace('a', 1, bytes('two'), minute), true)
      const record = await bus.record('a')
      assert.deepEqual([record?.version, textOf(record?.value)], [2, 'two'])
    },
  },
  {
    title: 'replace: of several writers one succeeds, and the others change nothing',
    async run({ open }) {
      const buses = [await open(), await open(), await open()]
      const first = await Promise.all(
        buses.map((bus, n) => bus.replace('a', 0, bytes(`cm${n}`), minute)),
      )
      assert.equal(first.filter(Boolean).length, 1)
      const second = await Promise.all(
        buses.map((bus, n) => bus.replace('a', 1, bytes(`cm${n} again`), minute)),
      )
      assert.equal(second.filter(Boolean).length, 1)
      const record = await buses[0]?.record('a')
      assert.deepEqual(
        [record?.version, textOf(record?.value)],
        [2, `cm${second.indexOf(true)} again`],
      )
    },
  },
  {
    title: 'replace: what was written before the last is not replaced, nor what was never written',
    async run({ open }) {
      const bus = await open()
      assert.equal(await bus.replace('a', 1, bytes('x'), minute), false)
      await bus.replace('a', 0, bytes('one'), minute)
      await bus.replace('a', 1, bytes('two'), minute)
      assert.equal(await bus.replace('a', 0, bytes('three'), minute), false)
      assert.equal(await bus.replace('a', 0, bytes('two'), minute), false)
      assert.equal(textOf((await bus.record('a'))?.value), 'two')
    },
  },
  {
    title: 'replace: a repeat whose first attempt was taken is told so, and changes nothing',
    async run({ open }) {
      const bus = await open()
      await bus.replace('a', 0, bytes('one'), minute)
      assert.equal(await bus.replace('a', 0, bytes('one'), minute), true)
      assert.equal((await bus.record('a'))?.version, 1)
    },
  },
  {
    title: 'replace: nothing removes a record, once and again, but not one of another version',
    async run({ open }) {
      const bus = await open()
      await bus.replace('a', 0, bytes('one'), minute)
      await bus.replace('a', 1, bytes('two'), minute)
      assert.equal(await bus.replace('a', 1, undefined, 0), false)
      assert.equal(await bus.replace('a', 2, undefined, 0), true)
      assert.equal(await bus.replace('a', 2, undefined, 0), true)
      assert.equal(await bus.record('a'), undefined)
      assert.equal(await bus.replace('a', 0, bytes('anew'), minute), true)
    },
  },
  {
    title: 'replace: a record that is not written again is forgotten',
    async run({ open }) {
      const bus = await open()
      await bus.replace('a', 0, bytes('one'), 20)
      while (await bus.record('a')) await pause(5)
      assert.equal(await bus.replace('a', 1, bytes('two'), minute), false)
      assert.equal(await bus.replace('a', 0, bytes('two'), minute), true)
    },
  },
]
