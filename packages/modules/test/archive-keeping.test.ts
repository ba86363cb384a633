import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { bodiesOf, lovers, messageOf, query, say } from './archive-client.ts'

story(
  'XEP-0313 §6.1: a message is archived once, however many resources had a part in it',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    const chamber = await tale.online('juliet@capulet.example/chamber')
    const field = await tale.online('romeo@montague.example/field')
    for (const client of [juliet, chamber, romeo, field])
      await client.send`<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`
    await say(romeo, juliet.account, 'one')
    await say(chamber, romeo.account, 'two')

    for (const client of [juliet, chamber, romeo, field]) {
      client.drain()
      assert.deepEqual(await bodiesOf(client), ['one', 'two'])
    }
  },
)

story(
  'XEP-0313 §6.1: a message to oneself is archived once, and found by the own address',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await say(juliet, juliet.account, 'a note')
    await juliet.send`<message type='chat'><body>another</body></message>`
    await say(romeo, juliet.account, 'hist')
    juliet.drain()

    assert.deepEqual(await bodiesOf(juliet), ['a note', 'another', 'hist'])
    assert.deepEqual((await query(juliet, { with: juliet.account })).bodies, ['a note', 'another'])
  },
)

story('V42: an id that claims to be from an archive is not archived under it', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  const forged = ['juliet@capulet.example', 'romeo@montague.example']
    .map((by) => `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='forged'/>`)
    .join('')
  await romeo.send`<message type='chat' to='${juliet.account}'><body>x</body>${forged}</message>`

  for (const client of [romeo, juliet]) {
    const { results } = await query(client)
    assert.equal(results.length, 1)
    const ids = results.flatMap((result) => messageOf(result).getChildren('stanza-id'))
    assert.ok(ids.every(({ attrs }) => attrs.by !== client.account || attrs.id !== 'forged'))
    assert.notEqual(results[0]?.attrs.id, 'forged')
  }
})

story('a deleted account leaves nothing for the next one of its name', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  await say(romeo, juliet.account, 'secret')
  const before = await query(juliet)
  assert.equal(before.ids.length, 1)
  await tale.command('user delete', { jid: juliet.account })
  await tale.command('user add', { jid: juliet.account, password: 'a rose by any other name' })
  const next = await tale.connect('juliet@capulet.example/tomb')

  assert.deepEqual(await bodiesOf(next), [])
  assert.equal((await query(next, { ids: before.ids })).error, 'item-not-found')
  await say(romeo, juliet.account, 'new')
  next.drain()
  assert.deepEqual(await bodiesOf(next), ['new'])
  assert.deepEqual(await bodiesOf(romeo), ['secret', 'new'])
})

const kept: Readonly<Record<string, string>> = {
  body: '<body>x</body>',
  omemo: "<encrypted xmlns='eu.siacs.conversations.axolotl'/>",
  'eme only': "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/>",
  reaction: "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>",
  retraction: "<retract xmlns='urn:xmpp:message-retract:1' id='nothing'/>",
  receipt: "<received xmlns='urn:xmpp:receipts' id='1'/>",
  marker: "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
  invitation: "<x xmlns='jabber:x:conference' jid='hall@rooms.capulet.example'/>",
  'stored on request':
    "<active xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>",
  'not copied': "<body>x</body><no-copy xmlns='urn:xmpp:hints'/>",
}
const dropped: Readonly<Record<string, string>> = {
  'chat state': "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
  'not stored': "<body>x</body><no-store xmlns='urn:xmpp:hints'/>",
  'not stored for good': "<body>x</body><no-permanent-store xmlns='urn:xmpp:hints'/>",
  'receipt request': "<request xmlns='urn:xmpp:receipts'/>",
  unknown: "<x xmlns='urn:example:x'/>",
}

story('XEP-0313 §6.1, XEP-0334 §4: what is kept and what is not', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  for (const [id, payload] of Object.entries({ ...dropped, ...kept }))
    await romeo.send`<message type='chat' id='${id}' to='${juliet.account}'>${payload}</message>`
  for (const type of ['headline', 'error', 'groupchat'])
    await romeo.send`<message type='${type}' id='${type}' to='${juliet.jid}'><body>x</body></message>`
  for (const client of [romeo, juliet]) {
    const { results } = await query(client)
    assert.deepEqual(
      results.map((result) => messageOf(result).attrs.id),
      Object.keys(kept),
    )
  }
})

story(
  'XEP-0191 §3.3, XEP-0313 §6: what the account refuses is not in its archive',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await juliet.send`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='${romeo.account}'/></block></iq>`
    await say(romeo, juliet.account, 'let me in')
    juliet.drain()
    assert.deepEqual(await bodiesOf(juliet), [])
  },
)

const aDay = 86_400_000

story(
  'XEP-0313 §3.2: messages go when they are too old, as the host says',
  { modules: { archive: { days: 2 } }, memoryOnly: 'days have to pass' },
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await say(romeo, juliet.account, 'old')
    await tale.pass(1.5 * aDay)
    assert.deepEqual(await bodiesOf(juliet), ['old'])
    await say(romeo, juliet.account, 'new')
    await tale.pass(aDay)
    while ((await bodiesOf(juliet)).includes('old')) await tale.settle()
    assert.deepEqual(await bodiesOf(juliet), ['new'])
    await tale.pass(2 * aDay)
    while ((await bodiesOf(juliet)).length > 0) await tale.settle()
  },
)

story('an operator says what is kept of an account; the oldest make way', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  await say(romeo, juliet.account, '1', '2', '3', '4')
  juliet.drain()
  const limits = await tale.command('archive retention', { jid: juliet.account, messages: 2 })
  assert.deepEqual(limits, { jid: juliet.account, days: null, messages: 2 })

  while ((await bodiesOf(juliet)).length > 2) await tale.settle()
  assert.deepEqual(await bodiesOf(juliet), ['3', '4'])
  assert.equal((await bodiesOf(romeo)).length, 4)
})
