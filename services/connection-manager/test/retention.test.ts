import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InputFrame } from '@tactus/bus'
import { header, plainAuth, RawClient } from './support/client.ts'
import { host, type Scene, scene } from './support/scene.ts'

type Numbered = Extract<InputFrame, { seq: number }>

/** Numbers of the stanzas that the owner took. */
const takenIds = (stage: Scene): number[] =>
  stage.owner.taken.flatMap((frame) =>
    frame.kind === 'session.stanza' ? Number(frame.stanza.id) : [],
  )

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

const message = (n: number, text = ''): string =>
  `<message to='nobody@nowhere.example' id='${n}'><body>${text}</body></message>`

test('design §3.4: an input that the owner misses is published again, and order is kept', async () => {
  await using stage = await scene()
  const lost = new Set([3, 4, 11])
  stage.owner.drop = (frame) => 'seq' in frame && lost.delete((frame as Numbered).seq)
  const client = await stage.login('romeo')
  client.send(
    upTo(50)
      .map((n) => message(n))
      .join(''),
  )
  await stage.owner.until(() => takenIds(stage).length === 50)
  assert.deepEqual(takenIds(stage), upTo(50))
  assert.equal(lost.size, 0)
  client.close()
})

test('design §3.9: a bus that refuses stops the reading, and nothing is lost or reordered', async () => {
  const retention = { frames: 10_000, bytes: 100_000_000 }
  await using stage = await scene({ limits: { streamEntries: 2 }, settings: { retention } })
  const client = await stage.login('romeo')
  stage.owner.pause()
  using _resumed = { [Symbol.dispose]: () => stage.owner.resume() }
  const count = 1_000
  for (const n of upTo(count)) {
    client.send(message(n, 'x'.repeat(1_000)))
    // One turn each, so that they come in many chunks and would make many entries.
    await new Promise(setImmediate)
  }
  while ((await metric(stage, 'bus_retries_total')) < 3) await new Promise(setImmediate)
  assert.ok((await metric(stage, 'retained')) < count, 'the socket is not read while refused')
  stage.owner.resume()
  await stage.owner.until(() => takenIds(stage).length === count)
  assert.deepEqual(takenIds(stage), upTo(count))
  client.close()
})

test('design §3.4: without commits a session has 64 inputs under way and its socket is read no more', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  stage.owner.commits = false
  client.send(
    upTo(500)
      .map((n) => message(n))
      .join(''),
  )
  await stage.owner.until(() => takenIds(stage).length === 64)
  assert.equal(await metric(stage, 'retained'), 64)
  stage.owner.commits = true
  // The owner answers the repeat of what it has seen, as after a lost answer.
  const [id] = stage.owner.sessions.keys()
  assert(id)
  await stage.owner.commit(id)
  await stage.owner.until(() => takenIds(stage).length === 500)
  assert.deepEqual(takenIds(stage), upTo(500))
  client.close()
})

test('design §3.4: what is not committed in time is published again', async () => {
  await using stage = await scene({ settings: { repeatAfter: 50 } })
  const client = await stage.login('romeo')
  let seen = 0
  stage.owner.drop = (frame) => {
    if (frame.kind !== 'session.stanza') return false
    seen += 1
    return seen < 3
  }
  client.send(message(0))
  await stage.owner.until(() => takenIds(stage).length === 1)
  assert.equal(seen, 3)
  client.close()
})

test('design §3.7: deliveries are numbered; repeats are dropped and gaps read from the queue', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  const [session] = stage.owner.sessions.keys()
  assert(session)
  for (let n = 1; n <= 5; n += 1) await stage.owner.enqueue(session, n, `<message id='n${n}'/>`)
  const send = (n: number): Promise<void> =>
    stage.owner.deliverAs(session, n, `<message id='n${n}'/>`)
  await send(1)
  await send(1)
  await send(4)
  await send(3)
  await send(5)
  const heard = await client.until("id='n5'")
  assert.deepEqual(
    [...heard.matchAll(/id='n(\d)'/g)].map(([, n]) => n),
    ['1', '2', '3', '4', '5'],
  )
  client.close()
})

test('design §3.7: without stream management the written count is acknowledged', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  const [session] = stage.owner.sessions.keys()
  assert(session)
  for (let n = 0; n < 10; n += 1) await stage.owner.deliver(session, '<message/>')
  const acks = (): number[] =>
    stage.owner.taken.flatMap((frame) => (frame.kind === 'session.ack' ? frame.n : []))
  await stage.owner.until(() => acks().at(-1) === 10)
  client.close()
})

test('design §3.9: what came while a socket was stalled follows once it takes more', async () => {
  await using stage = await scene({ settings: { stallBytes: 1_000 } })
  const client = await stage.login('romeo')
  client.socket.pause()
  const [id] = stage.owner.sessions.keys()
  assert(id)
  const isStalled = (): boolean =>
    stage.owner.taken.some((frame) => frame.kind === 'session.flow' && frame.state === 'stalled')
  const large = 'x'.repeat(200_000)
  let sent = 0
  for (; !isStalled(); sent += 1) {
    await stage.owner.deliver(id, message(sent, large))
    await new Promise(setImmediate)
  }
  // This owner says nothing more on its own: the word that the socket is ready may be lost or late.
  await stage.owner.deliver(id, message(sent, 'the last'))
  client.socket.resume()
  await client.until('the last')
  client.close()
})

test('design §3.8: a session that an owner opened again after its end is given back', async () => {
  await using stage = await scene()
  const jid = `romeo@${host}/ghost`
  const cm = stage.manager.instance
  stage.owner.sessions.set('ghost', { cm, jid, epoch: 1, seq: 1, out: 0, h: undefined, base: 0 })

  await stage.owner.output(cm, { kind: 'session.opened', session: 'ghost', jid })

  const isClosed = (frame: InputFrame): boolean =>
    frame.kind === 'session.close' && frame.session === 'ghost' && frame.seq === 2
  await stage.owner.until(() => stage.owner.taken.some(isClosed))
})

test('design §3.9: an attempt to resume is not repeated to a bus that takes nothing', async () => {
  await using stage = await scene({ limits: { streamEntries: 1 }, settings: { repeatAfter: 20 } })
  const other = await stage.login('romeo')
  stage.owner.pause()
  using _resumed = { [Symbol.dispose]: () => stage.owner.resume() }
  const client = await RawClient.connect(stage.port)
  client.send(header(host) + plainAuth('romeo', 'wherefore') + header(host))
  await client.until('<success')
  await client.until('</stream:features>')
  for (const n of upTo(20)) {
    other.send(message(n))
    await new Promise(setImmediate)
  }
  client.send("<resume xmlns='urn:xmpp:sm:3' previd='none' h='0'/>")
  while ((await metric(stage, 'bus_retries_total')) < 5) await new Promise(setImmediate)
  stage.owner.resume()
  await client.until('</failed>')
  const attempts = stage.owner.taken.filter(({ kind }) => kind === 'session.resume').length
  assert.ok(attempts <= 3, `${attempts} times`)
  client.close()
  other.close()
})

async function metric(stage: Scene, name: string): Promise<number> {
  const text = await stage.metrics.expose()
  return Number(new RegExp(`xmpp_c2s_${name} (\\d+)`).exec(text)?.[1] ?? 0)
}

const asked = (stage: Scene): number =>
  stage.owner.taken.filter(({ kind }) => kind === 'session.ask').length

test('design §3.7: a session that its owner does not know is asked after, and ends', async () => {
  await using stage = await scene({ settings: { repeatAfter: 50 } })
  const client = await stage.login('romeo')
  const [session] = stage.owner.sessions.keys()
  assert(session)
  stage.owner.sessions.delete(session)
  client.send(message(0))

  await stage.owner.until(() => asked(stage) > 0)
  const end = { kind: 'session.end', session, epoch: 1, condition: 'reset' } as const
  await stage.owner.output(stage.manager.instance, { ...end, text: undefined })

  assert.match(await client.untilClosed(), /<reset /)
})

test('design §5: routers of a release before are not asked', async () => {
  await using stage = await scene({ settings: { repeatAfter: 50 }, protocol: 2 })
  const client = await stage.login('romeo')
  stage.owner.commits = false
  client.send(message(0))

  await stage.owner.until(() => takenIds(stage).length > 0)
  while ((await metric(stage, 'repeats_total')) < 3) await new Promise(setImmediate)
  assert.equal(asked(stage), 0)
  client.close()
})
