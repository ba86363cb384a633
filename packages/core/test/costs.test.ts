import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Costs } from '../src/costs.ts'
import { account, Owner, Source } from './support/owner.ts'

const rate = { perSecond: 10, burst: 5 }

test('XEP-0205 §3: what an account spends comes back with time, up to the burst', () => {
  const costs = new Costs(rate)
  assert.equal(costs.charge('juliet', 5, 0), 0)
  assert.equal(costs.charge('juliet', 1, 0), 100)
  assert.equal(costs.charge('romeo', 5, 0), 0, 'to each account its own')
  assert.equal(costs.charge('juliet', 5, 600), 0)
  assert.equal(costs.charge('juliet', 6, 60_000), 100, 'no more is saved than the burst')
  assert.equal(costs.charge('juliet', 1, 50_000), 200, 'a clock that goes back earns nothing')
})

test('without limits of rate nobody is charged', () => {
  assert.equal(new Costs(undefined).charge('juliet', 1_000_000, 0), 0)
})

test('V49: who sends more than it may is not read for a while, and nothing is refused', async () => {
  await using owner = await Owner.open({ costs: { perSecond: 0.001, burst: 5 } })
  const balcony = new Source('s1')
  await owner.feed(balcony.open('balcony'))
  const send = (): Promise<void> =>
    owner.feed(balcony.stanza(`<message to='${account}/balcony' id='m'/>`))
  for (let times = 0; times < 5; times += 1) await send()
  const before = await owner.heard()
  assert.equal(before.filter(({ kind }) => kind === 'session.pause').length, 0)

  await send()

  const frames = await owner.heard()
  const paused = { kind: 'session.pause', session: 's1', epoch: 1, milliseconds: 10_000 }
  assert.deepEqual(
    frames.filter(({ kind }) => kind === 'session.pause'),
    [paused],
    'for no longer than makes a client seem dead',
  )
  assert.equal(frames.filter(({ kind }) => kind === 'deliver').length, 1)
})
