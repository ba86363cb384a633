import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InputFrame } from '@tactus/bus'
import { Stanza } from '@tactus/xml'
import { account, Owner, Source } from './support/owner.ts'

/** A stanza of somebody else, as it comes into the account's partition. */
function half(text: string, id = 'i1'): InputFrame {
  const stanza = Stanza.parse(Buffer.from(text), 'jabber:client')
  return { kind: 'half', entity: account, stanza, id, at: 0, durable: true, hops: 16 }
}

const romeo = 'romeo@montague.example/orchard'
const chat = `<message from='${romeo}' to='${account}' type='chat'><body>x</body></message>`

/** The balcony has stream management, so what it was sent is not its own before it said so. */
async function balcony(owner: Owner): Promise<Source> {
  const source = new Source('s1')
  await owner.feed(source.open('balcony'), source.enable(), source.stanza('<presence/>'))
  return source
}

async function delivered(owner: Owner, session: string): Promise<readonly (string | undefined)[]> {
  const frames = await owner.heardOf('deliver')
  return frames
    .filter(({ targets }) => targets.some((target) => target.session === session))
    .map(({ stanza }) => stanza.name)
}

test('C15: a message that was not acknowledged goes to another resource', async () => {
  await using owner = await Owner.open()
  const source = await balcony(owner)
  await owner.feed(half(chat))
  const chamber = new Source('s2')
  await owner.feed(chamber.open('chamber'), chamber.stanza('<presence/>'))
  await owner.heard()

  await owner.feed(source.close('closed'))

  assert.deepEqual(await delivered(owner, 's2'), ['message'])
  assert.equal(await owner.waiting(), 1)
  await owner.feed(chamber.ack(1))
  assert.equal(await owner.waiting(), 0)
})

test('C15: with nobody else there it waits', async () => {
  await using owner = await Owner.open()
  const source = await balcony(owner)
  await owner.feed(half(chat), source.close('closed'))

  assert.equal(await owner.waiting(), 1)
})

test('what was acknowledged waits no longer', async () => {
  await using owner = await Owner.open()
  const source = await balcony(owner)
  await owner.feed(half(chat), source.ack(1), source.close('closed'))

  assert.equal(await owner.waiting(), 0)
})

test('C15: a message that another resource was sent as well is not sent to it again', async () => {
  await using owner = await Owner.open()
  const source = await balcony(owner)
  const chamber = new Source('s2')
  await owner.feed(chamber.open('chamber'), chamber.stanza('<presence/>'))
  await owner.feed(half(chat), source.close('closed'))

  assert.deepEqual(await delivered(owner, 's2'), ['message'])
})

test('C15: nor one that another resource has acknowledged', async () => {
  await using owner = await Owner.open()
  const source = await balcony(owner)
  const chamber = new Source('s2')
  await owner.feed(chamber.open('chamber'), chamber.stanza('<presence/>'))
  await owner.feed(half(chat), chamber.ack(1))

  await owner.feed(source.close('closed'), half(chat, 'i2'))

  assert.deepEqual(await delivered(owner, 's2'), ['message', 'message'])
  assert.equal(await owner.waiting(), 1)
  await owner.feed(chamber.ack(2))
  assert.equal(await owner.waiting(), 0)
})

for (const [what, stanza, back] of [
  [
    'a request',
    `<iq from='${romeo}' to='${account}/balcony' type='get' id='q'><q xmlns='urn:x'/></iq>`,
    1,
  ],
  ['a result', `<iq from='${romeo}' to='${account}/balcony' type='result' id='q'/>`, 0],
  [
    'groupchat',
    `<message from='${romeo}' to='${account}/balcony' type='groupchat'><body>x</body></message>`,
    0,
  ],
  [
    'a headline',
    `<message from='${romeo}' to='${account}/balcony' type='headline'><body>x</body></message>`,
    0,
  ],
] as const)
  test(`C15: ${what} that was not acknowledged is ${back ? 'answered with an error' : 'dropped'}`, async () => {
    await using owner = await Owner.open()
    const asker = new Source('s9', 'romeo@montague.example')
    await owner.feed(asker.open('orchard'))
    const source = await balcony(owner)
    await owner.feed(half(stanza))
    await owner.heard()

    await owner.feed(source.close('closed'))

    const frames = await owner.heardOf('deliver')
    const answers = frames.map(({ stanza: { type, id } }) => [type, id])
    assert.deepEqual(answers, back ? [['error', 'q']] : [])
    assert.equal(await owner.waiting(), 0)
  })

test('design §3.9: a queue that is full ends the session, and its messages wait', async () => {
  await using owner = await Owner.open({ queueStanzas: 3 })
  const source = await balcony(owner)
  await owner.feed(source.close('dropped'))
  for (const id of ['i1', 'i2', 'i3', 'i4']) await owner.feed(half(chat, id))

  assert.equal(await owner.waiting(), 4)
  assert.deepEqual(await owner.listed(), [])
  assert.deepEqual(owner.problems, [])
})

test('design §3.9: ten times as much may be under way to a client that reads', async () => {
  await using owner = await Owner.open({ queueStanzas: 3 })
  await balcony(owner)
  for (let n = 1; n <= 30; n += 1) await owner.feed(half(chat, `i${n}`))
  assert.deepEqual(await owner.heardOf('session.end'), [])

  await owner.feed(half(chat, 'i31'))

  const [ended] = await owner.heardOf('session.end')
  assert.deepEqual([ended?.session, ended?.condition], ['s1', 'policy-violation'])
  assert.equal(await owner.waiting(), 31)
  assert.deepEqual(owner.problems, [])
})

test('design §3.9: bytes that nobody reads fill a queue as well', async () => {
  await using owner = await Owner.open({ queueBytes: 2_000 })
  const source = await balcony(owner)
  const large = chat.replace('<body>', `<body>${'x'.repeat(900)}`)
  for (const id of ['i1', 'i2', 'i3']) await owner.feed(half(large, id))
  assert.deepEqual(await owner.heardOf('session.end'), [])

  await owner.feed(source.close('dropped'), half(large, 'i4'), source.resume('a1', 0))

  const [answer] = await owner.heardOf('session.resumed', 'cm-2')
  assert.equal(answer?.outcome.resumed, false)
  assert.equal(await owner.waiting(), 4)
  assert.deepEqual(owner.problems, [])
})
