import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '@tactus/env'
import { AddressBook, keyOf } from '../src/limits/address-book.ts'
import { fullBucket, take } from '../src/limits/token-bucket.ts'
import { type Timed, Wheel } from '../src/limits/wheel.ts'

/** Time that passes when told to. */
class HandClock implements Clock {
  #now = 1_000
  #tasks: { readonly at: number; readonly task: () => void }[] = []

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  after(delay: number, task: () => void): () => void {
    const entry = { at: this.#now + delay, task }
    this.#tasks.push(entry)
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry)
    }
  }

  pass(time: number): void {
    const until = this.#now + time
    for (;;) {
      const next = this.#tasks.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#tasks = this.#tasks.filter((other) => other !== next)
      this.#now = next.at
      next.task()
    }
    this.#now = until
  }

  /** Nothing runs for a while, as when the process was stopped. */
  freeze(time: number): void {
    this.#now += time
  }
}

class Alarm implements Timed {
  deadline: number
  wheelSlot = -1
  readonly rung: number[] = []

  constructor(deadline: number) {
    this.deadline = deadline
  }

  expire(now: number): void {
    this.rung.push(now)
  }
}

test('the wheel: an item expires once, within a second after its deadline', () => {
  const clock = new HandClock()
  const wheel = new Wheel(clock)
  const alarms = [1_500, 2_000, 31_000, 64_000, 65_000, 200_000].map((at) => new Alarm(at))
  for (const alarm of alarms) wheel.watch(alarm)
  for (let second = 0; second < 300; second += 1) clock.pass(1_000)
  for (const { deadline, rung } of alarms) {
    assert.equal(rung.length, 1, `${deadline}`)
    const late = (rung[0] ?? 0) - deadline
    assert.ok(late >= 0 && late <= 1_000, `${deadline} rang ${late} ms late`)
  }
})

test('the wheel: a deadline that was moved later does not expire before', () => {
  const clock = new HandClock()
  const wheel = new Wheel(clock)
  const alarm = new Alarm(3_000)
  wheel.watch(alarm)
  clock.pass(1_000)
  alarm.deadline = 20_000
  clock.pass(15_000)
  assert.deepEqual(alarm.rung, [])
  clock.pass(5_000)
  assert.equal(alarm.rung.length, 1)
})

test('the wheel: who is forgotten, or watched again earlier', () => {
  const clock = new HandClock()
  const wheel = new Wheel(clock)
  const gone = new Alarm(3_000)
  const hasty = new Alarm(50_000)
  wheel.watch(gone)
  wheel.watch(hasty)
  wheel.forget(gone)
  hasty.deadline = 4_000
  wheel.watch(hasty)
  clock.pass(5_000)
  assert.deepEqual(gone.rung, [])
  assert.equal(hasty.rung.length, 1)
})

test('the wheel: a process that stood still finds every deadline that passed', () => {
  const clock = new HandClock()
  const wheel = new Wheel(clock)
  const alarms = [5_000, 40_000, 500_000].map((at) => new Alarm(at))
  for (const alarm of alarms) wheel.watch(alarm)
  clock.freeze(1_000_000)
  clock.pass(1_000)
  assert.deepEqual(
    alarms.map(({ rung }) => rung.length),
    [1, 1, 1],
  )
})

test('a bucket: a burst is free, then the rate; debts are told in milliseconds', () => {
  const rate = { perSecond: 1_000, burst: 5_000 }
  const bucket = fullBucket(rate, 0)
  assert.equal(take(bucket, rate, 5_000, 0), 0)
  assert.equal(take(bucket, rate, 500, 0), 500)
  assert.equal(take(bucket, rate, 0, 500), 0)
  assert.equal(take(bucket, rate, 5_001, 60_000), 1)
})

const limits = {
  unauthenticated: 2,
  connectsPerSecond: 3,
  failures: 2,
  window: 600_000,
  ban: 900_000,
  registrations: 1,
}

test('§5.2: strangers of one address are counted until they authenticate or leave', () => {
  const book = new AddressBook(limits)
  assert.ok(book.admit('192.0.2.1', 0))
  assert.ok(book.admit('192.0.2.1', 1_000))
  assert.ok(!book.admit('192.0.2.1', 2_000))
  assert.ok(book.admit('192.0.2.2', 2_000))
  book.settle('192.0.2.1')
  assert.ok(book.admit('192.0.2.1', 3_000))
  // Those that are still here count on when a new window begins.
  assert.ok(!book.admit('192.0.2.1', 1_000_000))
})

test('§5.2: connections a second', () => {
  const book = new AddressBook({ ...limits, unauthenticated: 100 })
  const admitted = (now: number): boolean => book.admit('192.0.2.1', now)
  assert.deepEqual([0, 100, 200, 300, 1_000].map(admitted), [true, true, true, false, true])
})

test('§5.2: failures within the window ban for a while', () => {
  const book = new AddressBook(limits)
  book.failed('192.0.2.1', 0)
  book.failed('192.0.2.1', 700_000)
  assert.ok(book.admit('192.0.2.1', 700_001), 'the window of the first was over')
  book.failed('192.0.2.1', 700_002)
  assert.ok(!book.admit('192.0.2.1', 700_003))
  assert.ok(!book.admit('192.0.2.1', 1_599_000))
  assert.ok(book.admit('192.0.2.1', 1_600_003))
})

test('§5.2: accounts made from an address', () => {
  const book = new AddressBook(limits)
  const admitted = (now: number): boolean => book.admitRegistration('192.0.2.1', now)
  // The second comes while the first is under way.
  assert.deepEqual([0, 1].map(admitted), [true, false])
  book.registrationFailed('192.0.2.1', 2)
  assert.deepEqual([3, 599_999, 600_004].map(admitted), [true, false, true])
})

const keys: readonly [string, string][] = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
]

for (const [address, key] of keys)
  test(`${address} counts as ${key}`, () => assert.equal(keyOf(address), key))

test('a flood of addresses is forgotten in time', () => {
  const book = new AddressBook(limits)
  for (let n = 0; n < 150_000; n += 1) {
    const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
    book.admit(address, n)
    book.settle(address)
  }
  assert.ok(book.size <= 100_000, String(book.size))
})
