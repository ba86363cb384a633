import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attrsOf, keySequence, message, RawBosh, texts } from './support/bosh.ts'
import { boshScene, condition, quick, sessionOf, taken, terminated } from './support/bosh-scene.ts'
import type { Scene } from './support/scene.ts'

test('XEP-0124 §8: a request waits for something to say, and a second one takes its place', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const first = client.request()
  const second = client.request(message('one', 'nobody@montague.example'))
  assert.deepEqual(texts(await first), [])
  await stage.owner.until(() => taken(stage).length === 1)
  await stage.owner.deliver(sessionOf(stage), message('two'))
  assert.deepEqual(texts(await second), ['two'])
})

test('XEP-0124 §8: nobody waits longer than was agreed', async () => {
  await using stage = await boshScene(quick({ polling: 0 }))
  const client = await RawBosh.login(stage.web, 'romeo', { wait: 1 })
  assert.deepEqual(attrsOf(await client.request()), {})
})

test('XEP-0124 §14.2: requests that come out of order are taken and answered in order', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const { rid } = client
  const answers: string[] = []
  const note = (name: string) => (): void => void answers.push(name)
  const later = client.repeat(rid + 1, message('two', 'x@y.example')).then(note('two'))
  const sooner = client.repeat(rid, message('one', 'x@y.example')).then(note('one'))
  await sooner
  await stage.owner.deliver(sessionOf(stage), message('three'))
  await later
  assert.deepEqual(taken(stage), ['one', 'two'])
  assert.deepEqual(answers, ['one', 'two'])
})

test('V16, XEP-0124 §14.2: a number beyond the window ends the session, as one that was never there', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const held = client.request()
  assert.deepEqual(attrsOf(await client.repeat(client.rid + 2)), terminated('item-not-found'))
  assert.deepEqual(attrsOf(await held), terminated('other-request'))
  assert.deepEqual(attrsOf(await client.request()), terminated('item-not-found'))
})

test('XEP-0124 §14.3: a request that was answered gets the same answer again, and nothing is taken twice', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const { rid } = client
  const first = await client.request(message('one'))
  assert.deepEqual(texts(first), ['one'])
  const again = await client.repeat(rid, message('one'))
  assert.equal(again.text, first.text)
  assert.deepEqual(taken(stage), ['one'])
})

test('XEP-0124 §14.3: an answer that nobody can want any more is not kept, and who asks for it ends nothing', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const { rid } = client
  for (const text of ['one', 'two', 'three', 'four']) await client.request(message(text))
  assert.deepEqual(attrsOf(await client.repeat(rid, message('one'))), terminated('item-not-found'))
  assert.deepEqual(texts(await client.request(message('five'))), ['five'])
  assert.deepEqual(taken(stage), ['one', 'two', 'three', 'four', 'five'])
})

test('XEP-0124 §14.3: one that was not answered is let go where it is sent again', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const lost = client.request()
  const again = client.repeat(client.rid - 1)
  assert.deepEqual(attrsOf(await lost), { type: 'error' })
  await stage.owner.deliver(sessionOf(stage), message('one'))
  assert.deepEqual(texts(await again), ['one'])
})

test('invariant 5: no request is answered before the owner has committed what was in it', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo', { ack: 1, wait: 0 })
  stage.owner.commits = false
  let isAnswered = false
  const asked = client.request(message('one', 'x@y.example')).then(() => {
    isAnswered = true
  })
  await stage.owner.until(() => taken(stage).length === 1)
  const other = await stage.login('benvolio')
  other.send("<presence to='x@y.example' id='p'/>")
  await stage.owner.until(() => taken(stage).length === 2)
  assert.equal(isAnswered, false)
  await stage.owner.commit(sessionIn(stage, 'romeo'))
  await asked
  other.close()
})

const sessionIn = ({ owner }: Scene, username: string): string =>
  [...owner.sessions].find(([, { jid }]) => jid.startsWith(`${username}@`))?.[0] ?? ''

test('XEP-0124 §9.1: an answer acknowledges later requests, as far as they are committed', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo', { ack: 1 })
  const { rid } = client
  const first = client.request()
  const second = client.request(message('one', 'x@y.example'))
  const { ack } = attrsOf(await first)
  assert(ack === undefined || Number(ack) === rid + 1)
  await stage.owner.deliver(sessionOf(stage), message('two'))
  // §9.1: the number of the request itself is not said.
  assert.deepEqual(attrsOf(await second), {})
})

test('design §3.7: what was in an answer counts as the client’s when a later request says so', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const acks = (): readonly number[] =>
    stage.owner.taken.flatMap((frame) => (frame.kind === 'session.ack' ? [frame.n] : []))
  await client.request(message('one'))
  await client.request(message('two'))
  assert.deepEqual(acks(), [])
  // The second request after an answer has been allowed only by that answer.
  await client.request(message('three'))
  await stage.owner.until(() => acks().includes(1))
})

test('XEP-0124 §9.2: a client that says what it has is believed at once, and told what it misses', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo', { ack: 1 })
  const acks = (): readonly number[] =>
    stage.owner.taken.flatMap((frame) => (frame.kind === 'session.ack' ? [frame.n] : []))
  await client.request(message('one'))
  const { rid } = client
  const held = client.request()
  await stage.owner.until(() => acks().includes(1))
  await stage.owner.deliver(sessionOf(stage), message('two'))
  await held
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  const { report, time } = attrsOf(await client.request('', { ack: rid - 1 }))
  assert.equal(report, String(rid))
  assert(Number(time) >= 1_000)
})

test('XEP-0124 §10: who sends nothing for too long has no session any more', async () => {
  await using stage = await boshScene(quick({ inactivity: 5 }))
  const client = await RawBosh.login(stage.web, 'romeo')
  await stage.owner.until(() => stage.owner.taken.some(({ kind }) => kind === 'session.close'))
  assert.deepEqual(attrsOf(await client.request()), terminated('item-not-found'))
})

test('XEP-0124 §10: a pause answers all that waits, without stanzas, and lasts as it says', async () => {
  await using stage = await boshScene(quick({ inactivity: 300 }))
  const client = await RawBosh.login(stage.web, 'romeo')
  const held = client.request()
  const pause = client.request('', { pause: 1 })
  assert.deepEqual(attrsOf(await held), {})
  assert.deepEqual(attrsOf(await pause), {})
  await stage.owner.until(() => stage.owner.taken.some(({ kind }) => kind === 'session.close'))
})

test('XEP-0124 §11: more requests at once than allowed end the session', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo', { wait: 60 })
  stage.owner.commits = false
  const waiting = [client.request(message('one')), client.request(message('two'))]
  await stage.owner.until(() => taken(stage).length === 2)
  assert.deepEqual(attrsOf(await client.request(message('three'))), terminated('policy-violation'))
  await Promise.all(waiting)
})

test('XEP-0124 §11: a page that is loaded again asks anew while its request from before waits, and goes on', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo', { wait: 60 })
  const before = client.request()
  const after = client.request()
  assert.deepEqual(attrsOf(await before), {})
  const spoken = client.request(message('one'))
  assert.deepEqual(attrsOf(await after), {})
  await stage.owner.until(() => taken(stage).length === 1)
  void spoken.catch(() => {})
})

test('XEP-0124 §12: who polls too often ends its session', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo', { hold: 0 })
  assert.equal(client.created?.attrs.requests, '1')
  assert.deepEqual(attrsOf(await client.request()), {})
  assert.deepEqual(attrsOf(await client.request()), terminated('policy-violation'))
})

test('XEP-0124 §13: what comes with the leave-taking is committed before it is answered; the oldest request is told', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const held = client.request()
  const last = client.request(message('one', 'x@y.example'), { type: 'terminate' })
  assert.deepEqual(attrsOf(await held), { type: 'terminate' })
  assert.deepEqual(attrsOf(await last), {})
  await stage.owner.until(() => stage.owner.taken.some(({ kind }) => kind === 'session.close'))
  const kinds = stage.owner.taken.map(({ kind }) => kind)
  assert(kinds.indexOf('session.close') > kinds.indexOf('session.stanza'))
  assert.deepEqual(attrsOf(await client.request()), terminated('item-not-found'))
})

test('XEP-0124 §15: every request carries the key before, or it is none of the session’s', async () => {
  await using stage = await boshScene(quick({ polling: 0 }))
  const [newkey = '', ...rest] = keySequence('seed', 3)
  const [other = '', ...others] = keySequence('another', 2)
  const client = await RawBosh.create(stage.web, { newkey: newkey.toUpperCase(), wait: 0 })
  assert.deepEqual(attrsOf(await client.request('', { key: rest[0] })), {})
  assert.deepEqual(attrsOf(await client.request(' ', { key: rest[1], newkey: other })), {})
  assert.deepEqual(attrsOf(await client.request(' ', { key: others[0] })), {})
  const stolen = await client.request(' ', { key: others[0] })
  assert.deepEqual(attrsOf(stolen), terminated('item-not-found'))
})

test('XEP-0206 §7: the stream’s error ends the session, and is told whoever asks next', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const session = sessionOf(stage)
  const end = {
    kind: 'session.end',
    session,
    epoch: 1,
    condition: 'conflict',
    text: undefined,
  } as const
  await stage.owner.output(stage.manager.instance, end)
  // Delivered like any other frame: what comes after it has found the session ended.
  const answer = await client.request()
  assert.deepEqual(condition(answer.text), ['remote-stream-error', 'conflict'])
})

test('V37: a stanza from somebody else ends the session', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const forged = message('one').replace('<message', "<message from='juliet@capulet.example'")
  const answer = await client.request(forged)
  assert.deepEqual(condition(answer.text), ['remote-stream-error', 'invalid-from'])
})
