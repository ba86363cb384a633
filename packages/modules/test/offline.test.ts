import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'

const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const delay =
  "<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='{any}'>Offline Storage</delay>"
const stanzaId = "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example' id='{any}'/>"

const bodies = (client: Client): (string | undefined)[] =>
  client
    .drain()
    .filter(({ name }) => name === 'message')
    .map((message) => message.child('body', 'jabber:client')?.text())

async function say(romeo: Client, ...texts: readonly string[]): Promise<void> {
  for (const text of texts)
    await romeo.send`<message type='chat' to='juliet@capulet.example'><body>${text}</body></message>`
}

story(
  'XEP-0160 §3: what came while nobody was there is handed over',
  async ({ connect, online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const away = await connect('juliet@capulet.example/balcony')
    await away.close()
    await say(romeo, 'O blessed, blessed night!')

    const juliet = await connect('juliet@capulet.example/balcony')
    await juliet.receivesNothing()
    await juliet.send`<presence/>`

    juliet.receives`<presence from='${juliet.jid}'/>`
    juliet.receives`<message type='chat' from='${romeo.jid}' to='juliet@capulet.example'><body>O blessed, blessed night!</body>${stanzaId}${delay}</message>`
    await juliet.receivesNothing()
    await romeo.receivesNothing()
  },
)

story('XEP-0160 §3: once handed over it waits no longer', async ({ connect, online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const away = await connect('juliet@capulet.example/balcony')
  await away.close()
  await say(romeo, 'one', 'two')
  const juliet = await online('juliet@capulet.example/balcony')
  await juliet.close()

  const again = await connect('juliet@capulet.example/balcony')
  await again.send`<presence/>`

  assert.deepEqual(bodies(again), [])
})

story(
  'RFC 6121 §8.5.2.1.1: a resource with negative priority is not handed the mailbox',
  async ({ connect, online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await connect('juliet@capulet.example/bot')
    await say(romeo, 'one')
    await juliet.send`<presence><priority>-1</priority></presence>`
    assert.deepEqual(bodies(juliet), [])

    await juliet.send`<presence><priority>0</priority></presence>`

    assert.deepEqual(bodies(juliet), ['one'])
  },
)

story(
  'a large mailbox comes in order, in portions that fit the queue',
  { memoryOnly: 'portions follow by timers, which no barrier waits for' },
  async ({ connect, online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await connect('juliet@capulet.example/balcony')
    const texts = Array.from({ length: 600 }, (_, at) => `message ${at}`)
    await say(romeo, ...texts)

    await juliet.send`<presence/>`

    assert.deepEqual(bodies(juliet), texts)
  },
)

story(
  'RFC 6120 §10.1: what comes during the hand-over does not overtake what waits',
  { memoryOnly: 'the hand-over has to be met in its middle' },
  async ({ connect, online, settle }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await connect('juliet@capulet.example/balcony')
    const waiting = Array.from({ length: 250 }, (_, at) => `waiting ${at}`)
    await say(romeo, ...waiting)

    const live = Array.from({ length: 20 }, (_, at) => `live ${at}`)
    const told = juliet.send`<presence/>`
    await Promise.all([told, say(romeo, ...live)])
    await settle()

    assert.deepEqual(bodies(juliet), [...waiting, ...live])
  },
)

story(
  'what comes during the hand-over to one resource reaches the other at once, and both have it',
  { memoryOnly: 'the hand-over has to be met in its middle' },
  async ({ connect, online, settle }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const bot = await connect('juliet@capulet.example/bot')
    const waiting = Array.from({ length: 150 }, (_, at) => `waiting ${at}`)
    await say(romeo, ...waiting)
    const chamber = await connect('juliet@capulet.example/chamber')

    const told = Promise.all([chamber.send`<presence/>`, bot.send`<presence/>`])
    await Promise.all([told, say(romeo, 'live')])
    await settle()

    // The chamber gets all that waited but one portion; the bot what was left then.
    const heard = [bodies(bot), bodies(chamber)].map((texts) => texts.filter((text) => text))
    assert.deepEqual(heard[0], [...waiting.slice(100), 'live'])
    assert.deepEqual(heard[1], [...waiting.slice(0, 100), 'live'])
  },
)

story(
  'a resource that goes away during the hand-over leaves the rest in the mailbox',
  { memoryOnly: 'the hand-over has to be met in its middle' },
  async ({ connect, online, settle }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await connect('juliet@capulet.example/balcony')
    const waiting = Array.from({ length: 250 }, (_, at) => `waiting ${at}`)
    await say(romeo, ...waiting)

    await juliet.send`<presence/><presence type='unavailable'/>`
    await settle()
    const first = bodies(juliet)
    await juliet.send`<presence/>`
    await say(romeo, 'live')

    assert.ok(first.length < waiting.length)
    assert.deepEqual([...first, ...bodies(juliet)], [...waiting, 'live'])
  },
)

story(
  'XEP-0160 §3: a full mailbox takes no more',
  { modules: { offline: { messages: 2 } } },
  async ({ connect, online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await connect('juliet@capulet.example/balcony')
    await say(romeo, 'one', 'two')
    await romeo.receivesNothing()

    await say(romeo, 'three')

    romeo.receives`<message type='error' from='juliet@capulet.example' to='${romeo.jid}'><error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error></message>`
    await juliet.send`<presence/>`
    assert.deepEqual(bodies(juliet), ['one', 'two'])

    // There is room again.
    await juliet.send`<presence type='unavailable'/>`
    juliet.drain()
    await say(romeo, 'four')
    await romeo.receivesNothing()
    await juliet.send`<presence/>`
    assert.deepEqual(bodies(juliet), ['four'])
  },
)

story(
  'a mailbox is full by its bytes too',
  { modules: { offline: { bytes: 400 } } },
  async ({ connect, online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    await connect('juliet@capulet.example/balcony')

    await say(romeo, 'x'.repeat(200))
    await romeo.receivesNothing()
    await say(romeo, 'x'.repeat(200))

    assert.equal(romeo.drain()[0]?.type, 'error')
  },
)

story(
  'XEP-0203 §2: a sender cannot pass for the server that held a message back',
  async ({ connect, online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await connect('juliet@capulet.example/balcony')
    await romeo.send`<message type='chat' to='juliet@capulet.example'><body>Old</body><delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='1597-01-01T00:00:00Z'/></message>`

    await juliet.send`<presence/>`

    const message = juliet.drain().find(({ name }) => name === 'message')
    assert.ok(message && !String(message).includes('1597'))
    assert.equal(message.children.filter(({ name }) => name === 'delay').length, 1)
  },
)

for (const [what, type, content] of [
  ['a headline', 'headline', '<body>News</body>'],
  ['chat states alone', 'chat', "<composing xmlns='http://jabber.org/protocol/chatstates'/>"],
  ['what is not to be stored', 'chat', "<body>x</body><no-store xmlns='urn:xmpp:hints'/>"],
] as const)
  story(`XEP-0160 §3: ${what} does not wait`, async ({ connect, online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await connect('juliet@capulet.example/balcony')
    await romeo.send`<message type='${type}' to='juliet@capulet.example'>${content}</message>`

    await juliet.send`<presence/>`

    juliet.receives`<presence from='${juliet.jid}'/>`
    await juliet.receivesNothing()
  })
