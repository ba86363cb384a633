import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { comesWith, item, publish, software, TUNE, tune } from './pubsub/words.ts'

const NS = 'urn:xmpp:csi:0'
const NS_EVENT = 'http://jabber.org/protocol/pubsub#event'
const memoryOnly = 'real clients wake each other while a story waits for silence'
const juliet = 'juliet@capulet.example/balcony'
const bodied = (to: string, text: string): string =>
  `<message to='${to}' type='chat' id='${text}'><body>${text}</body></message>`
const state = (to: string, name: string): string =>
  `<message to='${to}' type='chat'><${name} xmlns='http://jabber.org/protocol/chatstates'/></message>`
const event = (to: string, node: string, id: string, text: string): string =>
  `<message to='${to}' type='headline'><event xmlns='${NS_EVENT}'><items node='${node}'><item id='${id}'><x xmlns='urn:x'>${text}</x></item></items></event></message>`

/** What came, by what tells one from the other. */
function told(client: Client): string[] {
  return client.drain().map((stanza) => {
    const { element } = stanza
    const status = element.getChildText('status')
    const content = stanza.children[0]
    if (stanza.name === 'presence') return `${stanza.type ?? 'available'} ${status ?? ''}`.trim()
    if (stanza.name === 'iq') return `iq ${stanza.type}`
    return element.getChildText('body') ?? content?.name ?? 'nothing'
  })
}

async function scene(
  online: (jid: string) => Promise<Client>,
): Promise<{ readonly romeo: Client; readonly phone: Client }> {
  const romeo = await online('romeo@montague.example/orchard')
  const phone = await online(juliet)
  await phone.send`<inactive xmlns='${NS}'/>`
  return { romeo, phone }
}

story(
  'XEP-0352 §3.2: presence waits, and of each full JID only the newest comes',
  { memoryOnly },
  async ({ online }) => {
    const { romeo, phone } = await scene(online)
    const nurse = await online('nurse@capulet.example/hall')
    for (const status of ['one', 'two'])
      for (const from of [romeo, nurse])
        await from.send`<presence to='${juliet}'><status>${status}</status></presence>`
    await nurse.send`<presence to='${juliet}' type='unavailable'/>`
    await phone.receivesNothing()

    await phone.send`<active xmlns='${NS}'/>`

    assert.deepEqual(told(phone), ['available two', 'unavailable'])
  },
)

story(
  'RFC 6120 §10.1: what may not wait takes along what waited, in the order it came in',
  { memoryOnly },
  async ({ online }) => {
    const { romeo, phone } = await scene(online)
    await romeo.send`<presence to='${juliet}'><status>old</status></presence>`
    await romeo.send`${state(juliet, 'composing')}`
    await romeo.send`<presence to='${juliet}'><status>new</status></presence>`
    await romeo.send`<message to='${juliet}' id='r1'><received xmlns='urn:xmpp:receipts' id='m1'/></message>`
    await phone.receivesNothing()

    await romeo.send`${bodied(juliet, 'now')}`
    assert.deepEqual(told(phone), ['composing', 'available new', 'received', 'now'])

    await romeo.send`<presence to='${juliet}'><status>later</status></presence>`
    await phone.receivesNothing()
  },
)

for (const [what, stanza] of [
  ['a message with a body', bodied(juliet, 'x')],
  ['a groupchat message with a body', bodied(juliet, 'x').replace('chat', 'groupchat')],
  [
    'an encrypted message',
    `<message to='${juliet}' type='chat'><encrypted xmlns='eu.siacs.conversations.axolotl'/><store xmlns='urn:xmpp:hints'/></message>`,
  ],
  [
    'a call (XEP-0353)',
    `<message to='${juliet}' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='c'/></message>`,
  ],
  [
    'an invitation (XEP-0249)',
    `<message to='${juliet}'><x xmlns='jabber:x:conference' jid='hall@rooms.example'/></message>`,
  ],
  [
    'an error',
    `<message to='${juliet}' type='error' id='e'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
  ],
  ['a request', `<iq to='${juliet}' type='get' id='v'><query xmlns='jabber:iq:version'/></iq>`],
  ['a presence error', `<presence to='${juliet}' type='error'/>`],
  [
    'its own presence in a room',
    `<presence to='${juliet}'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`,
  ],
  ['what nobody here knows', `<message to='${juliet}'><alarm xmlns='urn:x'/></message>`],
] as const)
  story(`XEP-0352 §3.2: ${what} does not wait`, { memoryOnly }, async ({ online }) => {
    const { romeo, phone } = await scene(online)

    await romeo.send`${stanza}`

    assert.equal(phone.drain().length, 1)
  })

story('XEP-0352 §3.2: a subscription request does not wait', { memoryOnly }, async ({ online }) => {
  const { romeo, phone } = await scene(online)

  await romeo.send`<presence to='${phone.account}' type='subscribe'/>`

  assert.deepEqual(told(phone), ['subscribe'])
})

story(
  'XEP-0352 §3.2: of an item of pubsub the newest comes, and of other items nothing is lost',
  { memoryOnly },
  async ({ online }) => {
    const { romeo, phone } = await scene(online)
    for (const [node, id, text] of [
      ['mood', 'current', 'sad'],
      ['news', 'hall', 'one'],
      ['news', 'orchard', 'one'],
      ['mood', 'current', 'glad'],
      ['news', 'hall', 'two'],
    ] as const)
      await romeo.send`${event(juliet, node, id, text)}`
    await phone.receivesNothing()

    await phone.send`<active xmlns='${NS}'/>`

    const texts = phone
      .drain()
      .map((message) =>
        message.child('event', NS_EVENT)?.getChild('items')?.getChild('item')?.getChildText('x'),
      )
    assert.deepEqual(texts, ['one', 'glad', 'two'])
  },
)

story(
  'XEP-0352 §3.2, XEP-0163: of the tunes that a contact plays the last one comes',
  { memoryOnly },
  async ({ online, connect, befriend }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const phone = await connect(juliet)
    await comesWith(phone, software(TUNE))
    await befriend(romeo, phone)
    await phone.send`<inactive xmlns='${NS}'/>`
    for (const title of ['a', 'b']) await publish(romeo, TUNE, item('current', tune(title)))
    await phone.receivesNothing()

    await phone.send`<active xmlns='${NS}'/>`

    assert.deepEqual(
      phone.drain().map((message) => /<title>(.*)<\/title>/.exec(String(message))?.[1]),
      ['b'],
    )
  },
)

story(
  'XEP-0352 §3.2: copies are as urgent as what was said (XEP-0280)',
  { memoryOnly },
  async ({ online }) => {
    const { romeo, phone } = await scene(online)
    const hall = await online('juliet@capulet.example/hall')
    await phone.send`<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`
    phone.drain()

    await hall.send`${bodied(romeo.jid, 'from the hall')}`
    await romeo.send`${state(hall.jid, 'composing')}`
    await phone.receivesNothing()
    await romeo.send`${bodied(hall.jid, 'to the hall')}`

    assert.deepEqual(told(phone), ['sent', 'received', 'received'])
  },
)

story(
  'XEP-0352 §5.1: what waited comes before the answer to what follows <active/>',
  { memoryOnly },
  async ({ online }) => {
    const { romeo, phone } = await scene(online)
    await romeo.send`<presence to='${juliet}'/>`

    await phone.send`<active xmlns='${NS}'/><iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`

    assert.deepEqual(told(phone), ['available', 'iq result'])
    await romeo.send`<presence to='${juliet}'/>`
    assert.deepEqual(told(phone), ['available'])
  },
)

story(
  'XEP-0286 §4: what the client sends brings it what waited, and leaves it inactive',
  { memoryOnly },
  async ({ online }) => {
    const { romeo, phone } = await scene(online)
    await romeo.send`<presence to='${juliet}'/>`

    await phone.send`${bodied(romeo.jid, 'hello')}`

    assert.deepEqual(told(phone), ['available'])
    await romeo.send`<presence to='${juliet}'/>`
    await phone.receivesNothing()
  },
)

story(
  'V: no more is held back than the settings say; then all of it is delivered',
  { modules: { 'client-state': { stanzas: 2 } } },
  async ({ online }) => {
    const { phone } = await scene(online)
    for (const name of ['a', 'b', 'c']) {
      const other = await online(`${name}@montague.example/x`)
      assert.deepEqual(told(phone), [])
      await other.send`<presence to='${juliet}'><status>${name}</status></presence>`
    }

    assert.deepEqual(told(phone), ['available a', 'available b', 'available c'])
  },
)

story('V: nor more bytes', { modules: { 'client-state': { bytes: 300 } } }, async ({ online }) => {
  const { romeo, phone } = await scene(online)

  await romeo.send`<presence to='${juliet}'><status>${'x'.repeat(300)}</status></presence>`

  assert.equal(phone.drain().length, 1)
})

story(
  'XEP-0352 §5: being inactive is no news to anybody, and changes no presence',
  { memoryOnly },
  async ({ online, befriend }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const phone = await online(juliet)
    await befriend(romeo, phone)

    await phone.send`<inactive xmlns='${NS}'/>`
    await romeo.send`<presence type='probe' to='${phone.account}'/>`

    romeo.receives`<presence from='${juliet}' to='${romeo.jid}'/>`
    await romeo.receivesNothing()
  },
)

story(
  'XEP-0160: what was held back and may not be lost waits for the next resource',
  { memoryOnly },
  async ({ online, connect }) => {
    const { romeo, phone } = await scene(online)
    await romeo.send`<message to='${juliet}' type='chat' id='r1'><received xmlns='urn:xmpp:receipts' id='m1'/></message>`
    await romeo.send`<presence to='${juliet}'/>`
    await phone.receivesNothing()

    await phone.close()

    const next = await connect('juliet@capulet.example/hall')
    await next.send`<presence/>`
    assert.deepEqual(told(next), ['available', 'received'])
    await next.receivesNothing()
  },
)

story(
  'XEP-0160: what is held back from one resource is not handed to another as well',
  { memoryOnly },
  async ({ online, connect }) => {
    const { romeo, phone } = await scene(online)
    await romeo.send`<message to='${juliet}' type='chat' id='r1'><received xmlns='urn:xmpp:receipts' id='m1'/></message>`

    const hall = await connect('juliet@capulet.example/hall')
    await hall.send`<presence/>`
    await phone.send`<active xmlns='${NS}'/>`

    assert.deepEqual(told(hall), ['available', 'available'])
    assert.deepEqual(told(phone), ['received', 'available'])
    const tower = await connect('juliet@capulet.example/tower')
    await tower.send`<presence/>`
    assert.ok(!told(tower).includes('received'))
  },
)

story(
  'XEP-0198 §4: what was held back goes to the others when its resource ends',
  { memoryOnly },
  async ({ online, connect }) => {
    const { romeo, phone } = await scene(online)
    const hall = await connect('juliet@capulet.example/hall')
    await hall.send`<presence/>`
    await romeo.send`<message to='${juliet}' type='chat' id='r1'><received xmlns='urn:xmpp:receipts' id='m1'/></message>`
    hall.drain()

    await phone.close()

    assert.deepEqual(told(hall), ['unavailable', 'received'])
  },
)
