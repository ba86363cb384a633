import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stanza } from '@tactus/xml'
import { account, Owner, Source } from './support/owner.ts'

const headline = "<message type='headline' to='juliet@capulet.example'/>"

/** `[seq, h]` of the last commit that a session was told of. */
async function committed(owner: Owner, { session }: Source): Promise<unknown> {
  const frames = await owner.heardOf('committed')
  return frames
    .flatMap(({ sessions }) => sessions)
    .findLast(([id]) => id === session)
    ?.slice(1)
}

test('RFC 6120 §7: a resource is bound; a repeat of the same request is answered again', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  await owner.feed(source.open('balcony'), source.open('balcony'))

  const opened = await owner.heardOf('session.opened')
  assert.deepEqual(
    opened.map(({ jid }) => jid),
    [`${account}/balcony`, `${account}/balcony`],
  )
})

test('RFC 6120 §7.6: without a wish the owner makes a resource', async () => {
  await using owner = await Owner.open()
  await owner.feed(new Source('s1').open(undefined))

  const [opened] = await owner.heardOf('session.opened')
  assert.match(opened?.jid ?? '', /^juliet@capulet\.example\/[\w-]{12}$/)
})

test('RFC 6120 §7.7.2.2: the newcomer gets the resource, the old session ends with conflict', async () => {
  await using owner = await Owner.open()
  await owner.feed(new Source('s1').open('balcony'), new Source('s2').open('balcony'))

  const [ended] = await owner.heardOf('session.end')
  assert.deepEqual([ended?.session, ended?.condition], ['s1', 'conflict'])
})

test('B13: keys that were changed since the client proved them open nothing', async () => {
  await using owner = await Owner.open()
  await owner.feed(new Source('s1').open('balcony', 'cm-1', 0))
  await owner.feed(new Source('s2', 'nobody@capulet.example').open('hall'))

  const refused = await owner.heardOf('session.refused')
  assert.deepEqual(
    refused.map(({ session, condition }) => [session, condition]),
    [
      ['s1', 'not-authorized'],
      ['s2', 'not-authorized'],
    ],
  )
})

test('an account has so many resources; one that hibernates makes room, one in use does not', async () => {
  await using owner = await Owner.open({ resources: 2 })
  const one = new Source('s1')
  const two = new Source('s2')
  await owner.feed(one.open('one'), one.enable(), two.open('two'))
  await owner.feed(new Source('s3').open('three'))
  assert.equal((await owner.heardOf('session.refused'))[0]?.condition, 'resource-constraint')

  await owner.feed(one.close('dropped'), new Source('s4').open('four'))

  assert.equal((await owner.heardOf('session.opened'))[0]?.jid, `${account}/four`)
})

test('a host that is not served: the binding is refused at once', async () => {
  await using owner = await Owner.open()
  await owner.feed(new Source('s1', 'escalus@verona.example').open('hall'))

  assert.equal((await owner.heardOf('session.refused'))[0]?.condition, 'item-not-found')
})

test('design §3.4: the next input is taken, and what it did is told with its number', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  await owner.feed(source.open('balcony'), source.stanza(headline))

  assert.deepEqual(await committed(owner, source), [2, 0])
})

test('design §3.4: what was seen is dropped, and its number told again', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  const stanza = source.stanza("<message to='romeo@montague.example/x' type='headline'/>")
  source.seq = 1
  const toSelf = source.stanza(`<message to='${account}/balcony' type='headline'/>`)
  source.seq = 1
  await owner.feed(source.open('balcony'), toSelf, toSelf, stanza)

  assert.equal((await owner.heardOf('deliver')).length, 1)
  await owner.feed(toSelf)
  assert.deepEqual(await committed(owner, source), [2, 0])
})

test('design §3.4: a gap is told, and nothing is taken until it is filled', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  const open = source.open('balcony')
  const first = source.stanza(`<message to='${account}/balcony' type='headline' id='first'/>`)
  const second = source.stanza(`<message to='${account}/balcony' type='headline' id='second'/>`)
  await owner.feed(open, second)

  const frames = await owner.heard()
  assert.deepEqual(
    frames.filter(({ kind }) => kind === 'gap' || kind === 'deliver'),
    [{ kind: 'gap', session: 's1', epoch: 1, expected: 2 }],
  )

  await owner.feed(first, second)
  const delivered = await owner.heardOf('deliver')
  assert.deepEqual(
    delivered.map(({ stanza }) => stanza.id),
    ['first', 'second'],
  )
})

test('design §3.7: what an older attachment still sends is void', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  await owner.feed(source.open('balcony'), source.enable(), source.resume('a1', 0))
  await owner.heard()

  await owner.feed(source.stanza(`<message to='${account}/balcony' type='headline'/>`))

  assert.deepEqual(await owner.heard(), [])
  assert.deepEqual(await owner.heardOf('deliver', 'cm-2'), [])
})

test('design §3.10: a stanza that is refused is answered, and its source goes on', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  await owner.feed(
    source.open('balcony'),
    source.stanza("<iq type='get' id='q1' to='capulet.example'><query xmlns='urn:example'/></iq>"),
    source.stanza("<message to='@' id='m1'><body>x</body></message>"),
    source.stanza(`<message to='${account}/balcony' type='headline' id='m2'/>`),
  )

  const delivered = await owner.heardOf('deliver')
  assert.deepEqual(
    delivered.map(({ stanza: { name, type, id } }) => [name, type, id]),
    [
      ['iq', 'error', 'q1'],
      ['message', 'error', 'm1'],
      ['message', 'headline', 'm2'],
    ],
  )
})

test('design §3.9: a stalled socket is sent nothing until it can take more', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  const flow = (state: 'stalled' | 'ready', n: number) =>
    ({ kind: 'session.flow', entity: account, session: 's1', epoch: 1, state, n }) as const
  const toSelf = (): ReturnType<Source['stanza']> =>
    source.stanza(`<message to='${account}/balcony' type='headline'/>`)
  await owner.feed(source.open('balcony'), flow('stalled', 0), toSelf(), toSelf())
  assert.deepEqual(await owner.heardOf('deliver'), [])

  await owner.feed(flow('ready', 0))

  const delivered = await owner.heardOf('deliver')
  assert.deepEqual(
    delivered.flatMap(({ targets }) => targets.map(({ n }) => n)),
    [2],
  )
})

test('design §3.4: an instance that asks is told how far its session is', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  await owner.feed(source.open('balcony'), source.stanza(headline))
  await owner.heard()

  await owner.feed(source.ask())

  assert.deepEqual(await owner.heard(), [{ kind: 'committed', sessions: [['s1', 2, 0]] }])
})

for (const [what, prepare] of [
  ['a session that there is not', () => []],
  [
    'an attachment that is over',
    (source: Source) => [source.open('balcony'), source.enable(), source.resume('a1', 0)],
  ],
] as const)
  test(`design §3.7: an instance that asks after ${what} is told to end it`, async () => {
    await using owner = await Owner.open()
    const source = new Source('s1')
    await owner.feed(...prepare(source))
    await owner.heard()

    await owner.feed(source.ask())

    const ended = { kind: 'session.end', session: 's1', epoch: 1, condition: 'reset' }
    assert.deepEqual(await owner.heard(), [{ ...ended, text: undefined }])
  })

test('design §3.10: where <enable/> fails the client begins anew', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  await owner.feed(source.open('balcony'))
  owner.fails = (kind) => kind === 'session.enable'

  await owner.feed(source.enable())

  const [ended] = await owner.heardOf('session.end')
  assert.deepEqual([ended?.session, ended?.condition], ['s1', 'internal-server-error'])
  assert.deepEqual(await owner.listed(), [])
})

test('design §3.10: where an acknowledgement fails, what it acknowledged waits no longer', async () => {
  await using owner = await Owner.open({ queueStanzas: 2 })
  const source = new Source('s1')
  await owner.feed(source.open('balcony'), source.enable(), source.stanza('<presence/>'))
  owner.fails = (kind) => kind === 'session.ack'
  const chat = Stanza.parse(
    `<message xmlns='jabber:client' from='romeo@montague.example/x' to='${account}' type='chat'><body>x</body></message>`,
  )
  const half = (id: string) =>
    ({ kind: 'half', entity: account, stanza: chat, id, at: 0, durable: true, hops: 16 }) as const

  for (let n = 1; n <= 4; n += 1) await owner.feed(half(`i${n}`), source.ack(n))

  assert.equal(await owner.waiting(), 0)
  assert.deepEqual(await owner.heardOf('session.end'), [])
})
