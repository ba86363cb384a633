import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realEnv } from '@tactus/env'
import { Judge } from '../src/judge.ts'

const ttl = 3_000
const watched = ['cm-1']
const nobody: ReadonlySet<string> = new Set()
const there: ReadonlySet<string> = new Set(watched)

function scene() {
  let now = 0
  const judge = new Judge({ ...realEnv().clock, monotonic: () => now }, ttl)
  return {
    judge,
    /** Looks every second for so long, and tells whether that made a verdict. */
    look(seconds: number, present: ReadonlySet<string>): boolean {
      for (let second = 0; second < seconds; second++) {
        now += 1_000
        judge.observe(present, watched)
      }
      return judge.isDead('cm-1')
    },
    /** The clock runs on while the judge does not. */
    stop(seconds: number): void {
      now += seconds * 1_000
    },
  }
}

test('design §3.8: who is missing for the whole time-out is dead, and no sooner', () => {
  const { look } = scene()
  assert.equal(look(2, there), false)
  assert.equal(look(3, nobody), false)
  assert.equal(look(1, nobody), true)
  assert.equal(look(1, there), false, 'whoever is heard of again is not')
})

test('design §3.8: a router that has just begun needs no more time than the others', () => {
  const { look } = scene()
  assert.equal(look(3, nobody), false)
  assert.equal(look(1, nobody), true)
})

test('design §3.8: a judge that was stopped knows nothing of the meantime', () => {
  const { look, stop } = scene()
  look(2, nobody)
  stop(20)
  assert.equal(look(3, nobody), false)
  assert.equal(look(1, nobody), true)
})

test('design §3.8: after an outage of the bus everybody has a time-out more to find back to it', () => {
  const { judge, look, stop } = scene()
  look(2, there)
  judge.lostContact()
  stop(1)
  judge.lostContact()
  assert.equal(look(6, nobody), false, 'the others were cut off as well and may come later')
  assert.equal(look(1, nobody), true)
})

test('design §3.8: who comes back after an outage and then dies gets no second chance', () => {
  const { judge, look } = scene()
  judge.lostContact()
  look(4, there)
  assert.equal(look(3, nobody), false)
  assert.equal(look(1, nobody), true)
})
