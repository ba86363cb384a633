import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBoshRecord, encodeBoshRecord, recordName } from '../src/bosh/record.ts'
import { attrsOf, keySequence, message, RawBosh, texts } from './support/bosh.ts'
import { type Other, type Scene, scene } from './support/scene.ts'

/** Two connection managers beside the scene's own, which only keeps the bus open. */
interface Pair extends AsyncDisposable {
  readonly stage: Scene
  readonly one: Other
  readonly two: Other
}

async function pair(config: Readonly<Record<string, unknown>> = {}): Promise<Pair> {
  const stage = await scene({ config })
  const [one, two] = [await stage.another(), await stage.another()]
  return {
    stage,
    one,
    two,
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]()
      await two[Symbol.asyncDispose]()
      await stage[Symbol.asyncDispose]()
    },
  }
}

const portOf = ({ manager }: Pick<Other, 'manager'>): number => manager.ports.http[0]?.port ?? 0

/** As when a process is killed, and the others have noticed. */
async function kill({ stage }: Pair, victim: Other): Promise<void> {
  await victim.cutOff()
  await stage.bus.leave(victim.manager.instance)
}

/** Others take it for dead, though it lives on: as when it was frozen for a while. */
const forget = ({ stage }: Pair, victim: Other): Promise<void> =>
  stage.bus.leave(victim.manager.instance)

const taken = ({ stage }: Pair): readonly (string | undefined)[] =>
  stage.owner.taken.flatMap((frame) => (frame.kind === 'session.stanza' ? [frame.stanza.id] : []))

const sessionOf = ({ stage }: Pair): string => [...stage.owner.sessions.keys()].at(-1) ?? ''
const away = (text: string): string => message(text, 'nobody@verona.example')
const gone = { type: 'terminate', condition: 'item-not-found' }

test('design §1: any instance takes any request of a session', async () => {
  await using world = await pair()
  const client = await RawBosh.create(portOf(world.one))
  const ports = [portOf(world.two), portOf(world.one), portOf(world.stage)]
  client.port = portOf(world.two)
  await client.authenticate('romeo')
  for (const [n, port] of [...ports, ...ports].entries()) {
    client.port = port
    assert.deepEqual(texts(await client.request(message(`m${n}`))), [`m${n}`])
  }
  assert.deepEqual(taken(world), ['m0', 'm1', 'm2', 'm3', 'm4', 'm5'])
  // One session, held where it began.
  assert(!world.stage.owner.taken.some(({ kind }) => kind === 'session.resume'))
})

test('design §3.7: requests in order, wherever each of them arrives', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  const { rid } = client
  client.port = portOf(world.two)
  const second = client.repeat(rid + 1, away('two'))
  client.port = portOf(world.stage)
  const first = client.repeat(rid, away('one'))
  await first
  await world.stage.owner.until(() => taken(world).length === 2)
  await world.stage.owner.deliver(sessionOf(world), message('three'))
  assert.deepEqual(texts(await second), ['three'])
  assert.deepEqual(taken(world), ['one', 'two'])
})

test('design §3.8: an instance that is dead is followed by whoever is asked', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  assert.deepEqual(texts(await client.request(message('one'))), ['one'])
  await kill(world, world.one)
  client.port = portOf(world.two)
  assert.deepEqual(texts(await client.request(message('two'))), ['two'])
  assert.deepEqual(texts(await client.request(message('three'))), ['three'])
  assert.deepEqual(taken(world), ['one', 'two', 'three'])
  assert.equal(world.stage.owner.sessions.get(sessionOf(world))?.epoch, 2)
})

test('… and that one by the next, also over a third', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  await kill(world, world.one)
  client.port = portOf(world.two)
  assert.deepEqual(texts(await client.request(message('one'))), ['one'])
  await kill(world, world.two)
  client.port = portOf(world.stage)
  assert.deepEqual(texts(await client.request(message('two'))), ['two'])
  await using third = await world.stage.another()
  client.port = portOf(third)
  assert.deepEqual(texts(await client.request(message('three'))), ['three'])
  assert.deepEqual(taken(world), ['one', 'two', 'three'])
})

test('a request that waits at another instance is answered when the holder dies over it', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  client.port = portOf(world.two)
  const held = client.request(away('one'))
  await world.stage.owner.until(() => taken(world).length === 1)
  await kill(world, world.one)
  await world.stage.owner.until(() => world.stage.owner.sessions.get(sessionOf(world))?.epoch === 2)
  await world.stage.owner.deliver(sessionOf(world), message('two'))
  assert.deepEqual(texts(await held), ['two'])
  assert.deepEqual(taken(world), ['one'])
})

test('a request whose stanzas were taken, and whose answer never left, is not taken again', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  world.stage.owner.commits = false
  const { rid } = client
  client.request(away('one')).catch(() => {})
  await world.stage.owner.until(() => taken(world).length === 1)
  world.stage.owner.commits = true
  await kill(world, world.one)
  client.port = portOf(world.two)
  const again = client.repeat(rid, away('one'))
  const next = client.request(away('two'))
  await again
  await world.stage.owner.until(() => taken(world).length === 2)
  await world.stage.owner.deliver(sessionOf(world), message('three'))
  assert.deepEqual(texts(await next), ['three'])
  assert.deepEqual(taken(world), ['one', 'two'])
})

test('one of which only a part was taken is taken from there on', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  world.stage.owner.drop = (frame) =>
    frame.kind === 'session.stanza' && frame.stanza.id !== 'one' && frame.epoch === 1
  const { rid } = client
  const body = away('one') + away('two') + away('three')
  client.request(body).catch(() => {})
  await world.stage.owner.until(() => taken(world).length === 1)
  await kill(world, world.one)
  client.port = portOf(world.two)
  const again = client.repeat(rid, body)
  await world.stage.owner.until(() => taken(world).length === 3)
  await world.stage.owner.deliver(sessionOf(world), message('four'))
  assert.deepEqual(texts(await again), ['four'])
  assert.deepEqual(taken(world), ['one', 'two', 'three'])
})

test('XEP-0124 §14.3: the next instance gives the last answers again, the one to the binding as well', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  const bound = client.rid - 1
  const { rid } = client
  const first = await client.request(message('one'))
  await kill(world, world.one)
  client.port = portOf(world.two)
  assert.deepEqual(texts(await client.repeat(rid, message('one'))), texts(first))
  assert.match((await client.repeat(bound)).text, /<jid>romeo@montague\.example\/garden<\/jid>/)
  assert.deepEqual(texts(await client.request(message('two'))), ['two'])
  assert.deepEqual(taken(world), ['one', 'two'])
})

test('design §3.7: what was on its way to a client whose instance died comes once, in order', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  const session = sessionOf(world)
  await world.stage.owner.deliver(session, message('one'))
  assert.deepEqual(texts(await client.request()), ['one'])
  // Written here, with nobody to take it.
  await world.stage.owner.deliver(session, message('two'))
  await kill(world, world.one)
  await world.stage.owner.deliver(session, message('three'))
  client.port = portOf(world.two)
  assert.deepEqual(texts(await client.request()), ['two', 'three'])
  await world.stage.owner.deliver(session, message('four'))
  assert.deepEqual(texts(await client.request()), ['four'])
})

test('an instance that was thought dead and lives on has lost the session, and follows it', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  const held = client.request(away('one'))
  await world.stage.owner.until(() => taken(world).length === 1)
  await forget(world, world.one)
  client.port = portOf(world.two)
  const next = client.request(away('two'))
  // The one that waits at the old instance is brought to the new one, and takes its turn there.
  assert.deepEqual(texts(await held), [])
  await world.stage.owner.until(() => taken(world).length === 2)
  await world.stage.owner.deliver(sessionOf(world), message('three'))
  assert.deepEqual(texts(await next), ['three'])
  client.port = portOf(world.one)
  assert.deepEqual(texts(await client.request(message('four'))), ['four'])
  assert.deepEqual(taken(world), ['one', 'two', 'four'])
})

test('XEP-0124 §14.3: … and what its client has sent again elsewhere meanwhile is answered there', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  const { rid } = client
  const held = client.request(away('one'))
  await world.stage.owner.until(() => taken(world).length === 1)
  await forget(world, world.one)
  client.port = portOf(world.two)
  const again = client.repeat(rid, away('one'))
  assert.deepEqual(attrsOf(await held), { type: 'error' })
  await world.stage.owner.deliver(sessionOf(world), message('two'))
  assert.deepEqual(texts(await again), ['two'])
  assert.deepEqual(taken(world), ['one'])
})

test('design §3.7: who has lost a session without knowing judges nobody in it', async () => {
  await using world = await pair()
  const { bus } = world.stage
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  const name = recordName(client.sid ?? '')
  const found = await bus.record(name)
  const record = found && decodeBoshRecord(found.value)
  assert(record)
  const theirs = encodeBoshRecord({ ...record, holder: world.two.manager.instance })
  await bus.replace(name, found.version, theirs, 60_000)
  // As far as the old holder knows, this number is none that may come.
  const { status } = await client.repeat(client.rid + 5)
  assert.equal(status, 503)
  assert((await bus.record(name))?.version === found.version + 1, 'the record is not its any more')
})

test('what has no resource yet is gone with its instance, and its client begins anew', async () => {
  await using world = await pair()
  const client = await RawBosh.create(portOf(world.one))
  await kill(world, world.one)
  client.port = portOf(world.two)
  assert.deepEqual(attrsOf(await client.request()), gone)
})

test('a session that its owner does not know any more is over at the next instance too', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  await kill(world, world.one)
  world.stage.owner.sessions.clear()
  client.port = portOf(world.two)
  assert.deepEqual(attrsOf(await client.request()), gone)
  assert.deepEqual(attrsOf(await client.request()), gone)
})

test('XEP-0124 §15: the key sequence goes on at the next instance', async () => {
  await using world = await pair()
  const client = await RawBosh.create(portOf(world.one), {}, keySequence('seed', 8))
  await client.authenticate('romeo')
  await kill(world, world.one)
  client.port = portOf(world.two)
  assert.deepEqual(texts(await client.request(message('one'))), ['one'])
  const [used] = keySequence('seed', 8)
  assert.deepEqual(attrsOf(await client.request('', { key: used })), gone)
})

test('a drain hands sessions over: those who wait are answered, and go on elsewhere', async () => {
  await using world = await pair()
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  const held = client.request(away('one'))
  await world.stage.owner.until(() => taken(world).length === 1)
  const drained = world.one.manager.drain({ over: 0 })
  assert.deepEqual(attrsOf(await held), {})
  await drained
  client.port = portOf(world.two)
  assert.deepEqual(texts(await client.request(message('two'))), ['two'])
  assert.deepEqual(taken(world), ['one', 'two'])
})

test('XEP-0124 §17.2: where a drain knows another place, sessions end there: see-other-uri', async () => {
  const seeOtherBosh = 'https://other.example/http-bind'
  await using world = await pair({ drain: { seeOtherBosh } })
  const client = await RawBosh.login(portOf(world.one), 'romeo')
  await world.one.manager.drain({ over: 0 })
  client.port = portOf(world.two)
  const told = await client.request()
  assert.deepEqual(attrsOf(told), { type: 'terminate', condition: 'see-other-uri' })
  assert.match(told.text, /<uri>https:\/\/other\.example\/http-bind<\/uri>/)
})
