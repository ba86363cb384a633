import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeHeld } from '../src/held.ts'
import type { Scope } from '../src/scope.ts'
import { account, Owner, Source } from './support/owner.ts'

const later = (id: string, more = ''): string =>
  `<message to='${account}/balcony' type='headline' id='${id}'><later xmlns='urn:x' about='${id}'/>${more}</message>`
const now = (id: string): string => `<message to='${account}/balcony' type='headline' id='${id}'/>`

/** A resumable session whose client is inactive, and somebody who says something to it. */
async function scene(owner: Owner): Promise<{ balcony: Source; romeo: Source }> {
  const balcony = new Source('s1')
  const romeo = new Source('s2', 'romeo@montague.example')
  await owner.feed(balcony.open('balcony'), balcony.enable(), romeo.open('orchard'))
  await owner.feed(balcony.state('inactive'))
  await owner.heard()
  return { balcony, romeo }
}

/** Out-numbers and ids that were sent to the balcony. */
async function delivered(owner: Owner, cm = 'cm-1'): Promise<readonly string[]> {
  const frames = await owner.heardOf('deliver', cm)
  return frames.map(({ stanza, targets: [target] }) => `${target?.n} ${stanza.id}`)
}

test('XEP-0352 §4.2, XEP-0198 §4: a state is an input with a number, and no stanza', async () => {
  await using owner = await Owner.open()
  const balcony = new Source('s1')
  await owner.feed(balcony.open('balcony'), balcony.enable(), balcony.stanza(now('a')))
  await owner.feed(balcony.state('inactive'), balcony.stanza(now('b')))

  const frames = await owner.heardOf('committed')
  assert.deepEqual(frames.at(-1)?.sessions, [['s1', 5, 2]])
})

test('XEP-0198 §4: out-numbers are given when something goes out', async () => {
  await using owner = await Owner.open()
  const { balcony, romeo } = await scene(owner)
  await owner.feed(romeo.stanza(later('a')), romeo.stanza(later('b')), romeo.stanza(later('a')))
  assert.deepEqual(await delivered(owner), [])

  await owner.feed(romeo.stanza(now('c')))
  assert.deepEqual(await delivered(owner), ['1 b', '2 a', '3 c'])

  await owner.feed(romeo.stanza(later('d')), balcony.state('active'), romeo.stanza(later('e')))
  assert.deepEqual(await delivered(owner), ['4 d', '5 e'])
})

test('a full list goes out, and what found it full last', async () => {
  await using owner = await Owner.open()
  const { romeo } = await scene(owner)
  for (const id of ['a', 'b', 'c', 'b']) await owner.feed(romeo.stanza(later(id)))
  assert.deepEqual(await delivered(owner), [])

  await owner.feed(romeo.stanza(later('d')), romeo.stanza(later('e')))
  assert.deepEqual(await delivered(owner), ['1 a', '2 c', '3 b', '4 d'])
})

test('`delivery.may-wait`: a module that refuses has it delivered at once', async () => {
  await using owner = await Owner.open()
  const { romeo } = await scene(owner)
  await owner.feed(romeo.stanza(later('a')), romeo.stanza(later('b', "<urgent xmlns='urn:x'/>")))

  assert.deepEqual(await delivered(owner), ['1 a', '2 b'])
  assert.deepEqual(owner.problems, [])
})

test('XEP-0352 §5.2: a session is active again once resumed, and gets what was held back', async () => {
  await using owner = await Owner.open()
  const { balcony, romeo } = await scene(owner)
  await owner.feed(romeo.stanza(now('a')), romeo.stanza(later('b')), balcony.close('dropped'))
  await owner.feed(romeo.stanza(later('c')))
  await owner.heard()

  await owner.feed(balcony.resume('r1', 1))

  const [answer] = await owner.heardOf('session.resumed', 'cm-2')
  const outcome = answer?.outcome
  assert(outcome?.resumed)
  assert.deepEqual([outcome.from, outcome.to, outcome.h, outcome.seq], [1, 3, 0, 4])
  await owner.feed(romeo.stanza(later('d')))
  assert.deepEqual(await delivered(owner, 'cm-2'), ['4 d'])
})

test('design §3.7: a session that is resumed while its old socket lives takes along what was held back', async () => {
  await using owner = await Owner.open()
  const { balcony, romeo } = await scene(owner)
  await owner.feed(romeo.stanza(later('a')), balcony.resume('r1', 0))

  const [answer] = await owner.heardOf('session.resumed', 'cm-2')
  assert(answer?.outcome.resumed)
  assert.deepEqual([answer.outcome.from, answer.outcome.to], [0, 1])
  assert.deepEqual(await delivered(owner), [])
  // What the old socket still says of its state is void.
  await owner.feed(balcony.state('inactive'))
  balcony.epoch = 2
  balcony.seq -= 1
  await owner.feed(romeo.stanza(later('b')))
  assert.deepEqual(await delivered(owner, 'cm-2'), ['2 b'])
})

test('design §3.9: held back from a stalled socket, it goes to the queue', async () => {
  await using owner = await Owner.open()
  const { balcony, romeo } = await scene(owner)
  const { entity, session, epoch } = balcony
  const flow = { kind: 'session.flow', entity, session, epoch } as const
  await owner.feed(romeo.stanza(later('a')), { ...flow, state: 'stalled', n: 0 })
  await owner.feed(romeo.stanza(now('b')))
  assert.deepEqual(await delivered(owner), [])

  await owner.feed({ ...flow, state: 'ready', n: 0 })
  assert.deepEqual(await delivered(owner), ['2 b'])
})

test('XEP-0198 §4: of an ended session nothing that was held back stays', async () => {
  await using owner = await Owner.open()
  const { balcony, romeo } = await scene(owner)
  const chat = (id: string) => later(id).replace('headline', 'chat')
  await owner.feed(romeo.stanza(chat('a')), romeo.stanza(later('b')), balcony.close('closed'))
  assert.equal(await owner.waiting(), 1)

  const again = new Source('s1')
  await owner.feed(again.open('balcony'), again.stanza(now('c')))
  assert.deepEqual(await delivered(owner), ['1 c'])
})

test('held back: in the order it came in, however the live state was read', () => {
  const numbers = [10, 9, 2, 1].map((place) => [`s1 ${place}`, place] as const)
  const kept = new Map<string, unknown>([...numbers, ['s10 3', 'of another']])
  const scope = {
    all: () => new Map(kept),
    set: (_: unknown, key: string) => kept.delete(key),
  } as unknown as Scope
  assert.deepEqual([...takeHeld(scope, 's1')], [1, 2, 9, 10])
  assert.deepEqual([...kept.keys()], ['s10 3'])
})
