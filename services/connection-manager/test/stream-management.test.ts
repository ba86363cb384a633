import assert from 'node:assert/strict'
import { test } from 'node:test'
import { header, plainAuth, RawClient } from './support/client.ts'
import { host, type Scene, scene } from './support/scene.ts'

const NS = 'urn:xmpp:sm:3'
const enable = `<enable xmlns='${NS}' resume='true'/>`
const request = `<r xmlns='${NS}'/>`
const ack = (h: number): string => `<a xmlns='${NS}' h='${h}'/>`
const resume = (id: string, h: number): string => `<resume xmlns='${NS}' previd='${id}' h='${h}'/>`
const message = (id: string): string => `<message to='x@y' id='${id}'/>`

async function managed(stage: Scene): Promise<{ client: RawClient; id: string }> {
  const client = await stage.login('romeo')
  client.send(enable)
  const enabled = await client.until('>')
  const id = / id=["']([^"']+)["']/.exec(enabled)?.[1] ?? ''
  assert.match(enabled, /<enabled .*resume=["']true["']/)
  return { client, id }
}

async function authenticated(stage: Scene): Promise<RawClient> {
  const client = await RawClient.connect(stage.port)
  client.send(header(host) + plainAuth('romeo', 'wherefore') + header(host))
  await client.until('<success')
  const features = await client.until('</stream:features>')
  assert.match(features, /<sm xmlns=["']urn:xmpp:sm:3["']\/>/)
  return client
}

const acks = (stage: Scene): number[] =>
  stage.owner.taken.flatMap((frame) => (frame.kind === 'session.ack' ? frame.n : []))

test('XEP-0198 §4: <r/> is answered with what is committed, and once more when the rest is', async () => {
  await using stage = await scene()
  const { client } = await managed(stage)
  client.send(message('1'))
  client.send(request)
  // Asked before anything was committed or after: either way the count of 1 comes.
  while (!(await client.until('/>')).includes('1'));
  stage.owner.commits = false
  client.send(message('2') + request)
  assert.match(await client.until('/>'), /<a .*h=["']1["']/)
  const [session] = stage.owner.sessions.keys()
  assert(session)
  const stanzas = (): number =>
    stage.owner.taken.filter(({ kind }) => kind === 'session.stanza').length
  await stage.owner.until(() => stanzas() === 2)
  await stage.owner.commit(session)
  assert.match(await client.until('/>'), /<a .*h=["']2["']/)
  client.close()
})

test('XEP-0198 §3: what follows <enable/> at once counts', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  client.send(enable + message('1') + message('2') + request)
  await client.until('<enabled')
  while (!/h=["']2["']/.test(await client.until('/>')));
  client.close()
})

test('XEP-0198 §3: enabling twice, or before binding, fails', async () => {
  await using stage = await scene()
  const { client } = await managed(stage)
  client.send(resume('x', 0))
  assert.match(await client.until('</failed>'), /<unexpected-request/)
  client.send(enable)
  assert.match(await client.untilClosed(), /<policy-violation/)
  const early = await authenticated(stage)
  early.send(enable)
  assert.match(await early.until('</failed>'), /<unexpected-request/)
  early.close()
})

test('XEP-0198 §4: the client is asked, and only its answer acknowledges', async () => {
  await using stage = await scene({ settings: { reportEvery: 20 } })
  const { client, id } = await managed(stage)
  for (const n of ['1', '2', '3']) await stage.owner.deliver(id, message(n))
  await client.until('<r ')
  client.send(ack(2))
  await stage.owner.until(() => acks(stage).at(-1) === 2)
  // One is open still, so it is asked for again.
  await client.until('<r ')
  client.send(ack(3))
  await stage.owner.until(() => acks(stage).at(-1) === 3)
  assert.deepEqual(acks(stage), [2, 3])
  client.close()
})

test('XEP-0198 §4: who acknowledges what was never sent is cut off', async () => {
  await using stage = await scene()
  const { client } = await managed(stage)
  client.send(ack(7))
  const heard = await client.untilClosed()
  assert.match(heard, /<undefined-condition.*<handled-count-too-high .*send-count=["']0["']/)
})

test('XEP-0198 §4: a count that is none ends the stream', async () => {
  await using stage = await scene()
  for (const h of ['', '-1', 'x', '4294967296', '1.0']) {
    const { client } = await managed(stage)
    client.send(`<a xmlns='${NS}' h='${h}'/>`)
    assert.match(await client.untilClosed(), /<policy-violation/)
  }
})

test('XEP-0198 §5: a session is resumed with what was missed, once and in order', async () => {
  await using stage = await scene()
  const { client, id } = await managed(stage)
  client.send(message('1') + message('2'))
  for (const n of ['a', 'b', 'c']) await stage.owner.deliver(id, message(n))
  await client.until("id='c'")
  const stanzas = (): number =>
    stage.owner.taken.filter(({ kind }) => kind === 'session.stanza').length
  await stage.owner.until(() => stanzas() === 2)
  const second = await authenticated(stage)
  second.send(resume(id, 1) + message('3'))
  assert.match(await second.until('/>'), /<resumed .*h=["']2["']/)
  const missed = await second.until("id='c'")
  assert.match(missed, /id=["']b["']/)
  assert.doesNotMatch(missed, /id=["']a["']/)
  // §5: the old stream is void, and says so.
  assert.match(await client.untilClosed(), /<conflict/)
  await stage.owner.until(() => stanzas() === 3)
  await stage.owner.deliver(id, message('d'))
  await second.until("id='d'")
  second.close()
})

test('design §3.7: what is still on its way for an older attachment is void', async () => {
  await using stage = await scene()
  const { id } = await managed(stage)
  const second = await authenticated(stage)
  second.send(resume(id, 0))
  await second.until('<resumed')
  await stage.owner.deliverAs(id, 1, message('void'))
  await stage.owner.deliver(id, message('valid'))
  assert.doesNotMatch(await second.until("id='valid'"), /void/)
  second.close()
})

test('XEP-0198 §3: <enabled/> comes after everything that does not count', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  const [session] = stage.owner.sessions.keys()
  assert(session)
  const owned = stage.owner.sessions.get(session)
  assert(owned)
  // Delivered by the owner, and lost on the way.
  await stage.owner.enqueue(session, 1, message('before'))
  owned.out = 1
  client.send(enable)
  assert.match(await client.until('<enabled'), /before/)
  client.close()
})

test('XEP-0198 §5: what cannot be resumed fails, and the client may bind', async () => {
  await using stage = await scene()
  const client = await authenticated(stage)
  for (const id of ['unknown', '', 'x'.repeat(65)]) {
    client.send(resume(id, 0))
    assert.match(await client.until('</failed>'), /<item-not-found/)
  }
  client.send(`<resume xmlns='${NS}' previd='x' h='x'/>`)
  assert.match(await client.until('</failed>'), /<bad-request/)
  client.send(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`)
  assert.match(await client.until('</iq>'), /<jid>romeo@montague\.example\/made</)
  client.close()
})

test('XEP-0198 §5: a resumption that claims too much ends the stream', async () => {
  await using stage = await scene()
  const { client, id } = await managed(stage)
  const second = await authenticated(stage)
  second.send(resume(id, 9))
  assert.match(await second.untilClosed(), /<undefined-condition.*<handled-count-too-high/)
  client.close()
})

test('XEP-0198 §4: who never answers is cut off and may come back', async () => {
  await using stage = await scene({ settings: { ackTimeout: 50, reportEvery: 20, wheel: 20 } })
  const { client, id } = await managed(stage)
  await stage.owner.deliver(id, message('1'))
  assert.match(await client.untilClosed(), /<r .*<connection-timeout/)
  const reasons = (): string[] =>
    stage.owner.taken.flatMap((frame) => (frame.kind === 'session.close' ? frame.reason : []))
  await stage.owner.until(() => reasons().length > 0)
  assert.deepEqual(reasons(), ['dropped'])
})

const long = 90_000
const patient = { tls: long, auth: long, bind: long, starttls: long, element: long }

test('§5.2: a quiet client is asked for a sign of life, again and again', async () => {
  const timeouts = { ...patient, idle: 50, idleClose: long }
  await using stage = await scene({ settings: { timeouts, wheel: 20 } })
  const { client } = await managed(stage)
  for (let round = 0; round < 3; round += 1) {
    await client.until('<r ')
    client.send(ack(0))
  }
  client.close()
})

test('§5.2: a quiet client that gives none is cut off', async () => {
  const timeouts = { ...patient, idle: 50, idleClose: 50 }
  await using stage = await scene({ settings: { timeouts, wheel: 20 } })
  const { client } = await managed(stage)
  assert.match(await client.untilClosed(), /<r .*<connection-timeout/)
})

test('§5.2: without stream management a quiet client gets a space, again and again', async () => {
  const timeouts = { ...patient, idle: 50, idleClose: 50 }
  await using stage = await scene({ settings: { timeouts, wheel: 20 } })
  const client = await stage.login('benvolio')
  await client.until('   ')
  client.close()
})

test('drain: streams end with system-shutdown, sessions stay resumable, and nothing is left', async () => {
  await using stage = await scene()
  const { client } = await managed(stage)
  const stranger = await RawClient.connect(stage.port)
  await stage.manager.drain({ over: 0 })
  assert.match(await client.untilClosed(), /<system-shutdown/)
  assert.match(await stranger.untilClosed(), /<system-shutdown/)
  const close = stage.owner.taken.find(({ kind }) => kind === 'session.close')
  assert(close?.kind === 'session.close')
  assert.equal(close.reason, 'dropped')
  await assert.rejects(RawClient.connect(stage.port))
})
