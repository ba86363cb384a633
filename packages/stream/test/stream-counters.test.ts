import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StreamCounters } from '../src/index.ts'

const start = { base: 10, acknowledged: 10, handled: 0 }

test('XEP-0198 §4: h counts what is committed, not what came in (design §3.5)', () => {
  const counters = new StreamCounters(start)
  counters.received()
  counters.received()
  assert.equal(counters.handled, 0)
  counters.committed(1)
  assert.equal(counters.handled, 1)
})

test('who asked before the commit is told again, once, when all it meant is committed', () => {
  const counters = new StreamCounters(start)
  counters.received()
  counters.received()
  counters.asked()
  counters.received()
  assert.equal(counters.committed(1), false)
  assert.equal(counters.committed(2), true)
  assert.equal(counters.committed(3), false)
})

test('who asked when all was committed has been told', () => {
  const counters = new StreamCounters(start)
  counters.received()
  counters.committed(1)
  counters.asked()
  assert.equal(counters.committed(1), false)
})

test('XEP-0198 §4: acknowledgements go forward; a repeat is no news, too much is none at all', () => {
  const counters = new StreamCounters(start)
  assert.equal(counters.acknowledge(2, 13), 12)
  assert.equal(counters.acknowledge(2, 13), 12)
  assert.equal(counters.acknowledge(4, 13), undefined)
  assert.equal(counters.acknowledge(1, 13), undefined)
  assert.equal(counters.acknowledge(3, 13), 13)
  assert.equal(counters.sent(13), 3)
})

test('XEP-0198 §4: after 2^32 - 1 comes 0', () => {
  const top = 2 ** 32 - 1
  const counters = new StreamCounters({ base: 5, acknowledged: 5 + top, handled: top })
  assert.equal(counters.acknowledge(0, 5 + top + 3), 5 + top + 1)
  assert.equal(counters.acknowledge(2, 5 + top + 3), 5 + top + 3)
  counters.received()
  counters.received()
  counters.asked()
  assert.equal(counters.committed(0), false)
  assert.equal(counters.committed(1), true)
  assert.equal(counters.handled, 1)
})
