import assert from 'node:assert/strict'
import { type Client, type Story, story } from '@tactus/testkit'
import type { Stanza } from '@tactus/xml'

const NS = 'urn:xmpp:push:0'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const OPTIONS = `${PUBSUB}#publish-options`
const memoryOnly = 'notifications come some time after what they tell of'
const app = 'app@montague.example/push'
const phoneJid = 'juliet@capulet.example/phone'
const juliet = 'juliet@capulet.example'

const form = (secret: string, type = OPTIONS): string =>
  `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${type}</value></field><field var='secret'><value>${secret}</value></field></x>`
const enable = (node: string, more = '', service = app): string =>
  `<iq type='set' id='e'><enable xmlns='${NS}' jid='${service}' node='${node}'>${more}</enable></iq>`
const message = (text: string, to = juliet): string =>
  `<message to='${to}' type='chat'><body>${text}</body></message>`
const answer = (iq: Stanza, error?: string, type = 'cancel'): string =>
  error === undefined
    ? `<iq type='result' id='${iq.id}' to='${iq.from}'/>`
    : `<iq type='error' id='${iq.id}' to='${iq.from}'><error type='${type}'><${error} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`

interface Scene {
  /** An ordinary resource that plays the push service. */
  readonly service: Client
  readonly phone: Client
  readonly romeo: Client
}

/** Juliet's phone has enabled a node and is gone. */
async function away({ online }: Story, more = ''): Promise<Scene> {
  const service = await online(app)
  const romeo = await online('romeo@montague.example/orchard')
  const phone = await online(phoneJid)
  await phone.send`${enable('n1', more)}`
  phone.receives`<iq type='result' id='e' to='${phoneJid}'/>`
  await phone.close()
  return { service, phone, romeo }
}

/** The node, the fields of the summary and the options of a notification. */
function told(iq: Stanza | undefined): Readonly<Record<string, string>> {
  assert(iq, 'no notification')
  const pubsub = iq.child('pubsub', PUBSUB)
  const publish = pubsub?.getChild('publish')
  const forms = [
    publish?.getChild('item')?.getChild('notification', NS)?.getChild('x', 'jabber:x:data'),
    pubsub?.getChild('publish-options')?.getChild('x', 'jabber:x:data'),
  ]
  const fields = forms
    .flatMap((each) => each?.getChildren('field') ?? [])
    .filter(({ attrs }) => attrs.var !== 'FORM_TYPE')
    .map((field) => [field.attrs.var, field.getChildText('value') ?? ''] as const)
  return { node: publish?.attrs.node, ...Object.fromEntries(fields) }
}

function notifications(service: Client): Readonly<Record<string, string>>[] {
  return service.drain().map(told)
}

story('XEP-0357 §4.1: the account says that it can', async ({ online }) => {
  const phone = await online(phoneJid)
  await phone.send`<iq type='get' id='d' to='${juliet}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  assert.match(String(phone.drain()[0]), /var=["']urn:xmpp:push:0["']/)
})

story(
  'XEP-0357 §7: a message for somebody who is away is published in the account’s name, without its content',
  { memoryOnly },
  async (tale) => {
    const { service, romeo } = await away(tale)

    await romeo.send`${message('Wherefore art thou?')}`

    service.receives`<iq type='set' from='${juliet}' to='${app}' id='{any}'><pubsub xmlns='${PUBSUB}'><publish node='n1'><item><notification xmlns='${NS}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field><field var='message-count'><value>1</value></field></x></notification></item></publish></pubsub></iq>`
    await service.receivesNothing()
  },
)

story(
  'XEP-0357 §7: with the options that were given, and what the settings allow',
  { modules: { push: { sender: true, body: true } } },
  async (tale) => {
    const { service, romeo } = await away(tale, form('s3cret'))

    await romeo.send`${message('Wherefore art thou?')}`

    assert.deepEqual(notifications(service), [
      {
        node: 'n1',
        'message-count': '1',
        'last-message-sender': romeo.jid,
        'last-message-body': 'Wherefore art thou?',
        secret: 's3cret',
      },
    ])
  },
)

for (const [what, stanza] of [
  [
    'a chat state',
    `<message to='${juliet}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
  ],
  ['a receipt', `<message to='${juliet}'><received xmlns='urn:xmpp:receipts' id='x'/></message>`],
  ['a headline', message('x').replace('chat', 'headline')],
  [
    'what is not to be kept',
    message('x').replace('</message>', "<no-store xmlns='urn:xmpp:hints'/></message>"),
  ],
  ['presence', `<presence to='${juliet}'/>`],
] as const)
  story(`XEP-0357 §7: ${what} wakes nobody`, { memoryOnly }, async (tale) => {
    const { service, romeo } = await away(tale)
    await romeo.send`${stanza}`
    await service.receivesNothing()
  })

for (const [what, stanza] of [
  [
    'an encrypted message',
    `<message to='${juliet}' type='chat'><encrypted xmlns='urn:xmpp:omemo:2'/><body>[encrypted]</body></message>`,
  ],
  [
    'a call (XEP-0353)',
    `<message to='${juliet}' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='c'/><store xmlns='urn:xmpp:hints'/></message>`,
  ],
] as const)
  story(
    `XEP-0357 §7: ${what} wakes, and nothing of it is told`,
    { modules: { push: { body: true } } },
    async (tale) => {
      const { service, romeo } = await away(tale)
      await romeo.send`${stanza}`
      assert.deepEqual(notifications(service), [{ node: 'n1', 'message-count': '1' }])
    },
  )

story('what a room says to another resource wakes nobody', { memoryOnly }, async (tale) => {
  const { service, romeo } = await away(tale)
  const hall = await tale.online('juliet@capulet.example/hall')
  await romeo.send`${message('x', hall.jid).replace('chat', 'groupchat')}`
  assert.equal(hall.drain().length, 1)
  await service.receivesNothing()
})

story('what the account says to itself wakes nobody', { memoryOnly }, async (tale) => {
  const { service } = await away(tale)
  const hall = await tale.online('juliet@capulet.example/hall')
  await hall.send`${message('note')}`
  await service.receivesNothing()
})

story(
  'a device that is away is woken while another is there; one that is there is not',
  { memoryOnly },
  async (tale) => {
    const { service, romeo } = await away(tale)
    const hall = await tale.online('juliet@capulet.example/hall')
    await romeo.send`${message('one')}`
    assert.equal(service.drain().length, 1)
    assert.equal(hall.drain().length, 1)

    await tale.online(phoneJid)
    await romeo.send`${message('two')}`
    await service.receivesNothing()
  },
)

story(
  '`otherDevices: false`: not while another is there',
  { modules: { push: { otherDevices: false } } },
  async (tale) => {
    const { service, romeo } = await away(tale)
    const hall = await tale.online('juliet@capulet.example/hall')
    await romeo.send`${message('one')}`
    await service.receivesNothing()
    await hall.close()
    await romeo.send`${message('two')}`
    assert.equal(service.drain().length, 1)
  },
)

story(
  'what comes in quick succession is told at once, then together; calls do not wait',
  { memoryOnly },
  async (tale) => {
    const { service, romeo } = await away(tale)
    await romeo.send`${message('one')}`
    const [first] = service.drain()
    await romeo.send`${message('two')}`
    // One request at a time.
    await tale.pass(11_000)
    await service.receivesNothing()
    assert(first)
    await service.send`${answer(first)}`
    const [second] = service.drain()
    assert.equal(told(second)['message-count'], '2')
    assert(second)
    await service.send`${answer(second)}`

    await romeo.send`${message('three')}${message('four')}`
    await service.receivesNothing()
    await tale.pass(10_000)
    const [third] = service.drain()
    assert.equal(told(third)['message-count'], '4')
    assert(third)
    await service.send`${answer(third)}`

    await tale.pass(1_000)
    await romeo.send`<message to='${juliet}' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='c'/></message>`
    assert.deepEqual(notifications(service), [{ node: 'n1', 'message-count': '5' }])
  },
)

story('V40: an answer counts only from whom was asked', { memoryOnly }, async (tale) => {
  const { service, romeo } = await away(tale)
  await romeo.send`${message('one')}`
  const [first] = service.drain()
  assert(first)
  await romeo.send`${answer(first, 'item-not-found')}`
  await service.send`${answer(first)}`

  await tale.pass(10_000)
  await romeo.send`${message('two')}`
  assert.equal(service.drain().length, 1)
})

for (const condition of ['item-not-found', 'forbidden', 'not-acceptable'])
  story(`XEP-0357 §7.1: ${condition} disables the node`, { memoryOnly }, async (tale) => {
    const { service, romeo } = await away(tale)
    await romeo.send`${message('one')}`
    const [first] = service.drain()
    assert(first)
    await service.send`${answer(first, condition)}`

    await tale.pass(3_600_000)
    await romeo.send`${message('two')}`
    await service.receivesNothing()
  })

story(
  'XEP-0357 §7.1: what may pass is tried again, later each time, and not for ever',
  { modules: { push: { attempts: 3 } } },
  async (tale) => {
    const { service, romeo } = await away(tale)
    await romeo.send`${message('one')}`
    for (const pause of [38_000, 76_000]) {
      const [iq] = service.drain()
      assert(iq)
      await service.send`${answer(iq, 'resource-constraint', 'wait')}`
      await tale.pass(pause / 2)
      await service.receivesNothing()
      await tale.pass(pause / 2)
    }
    const [last] = service.drain()
    assert(last)
    await service.send`${answer(last, 'resource-constraint', 'wait')}`
    await tale.pass(3_600_000)
    await romeo.send`${message('two')}`
    await service.receivesNothing()
  },
)

story('a service that does not answer is asked again', { memoryOnly }, async (tale) => {
  const { service, romeo } = await away(tale)
  await romeo.send`${message('one')}`
  assert.equal(service.drain().length, 1)
  await tale.pass(30_000)
  await service.receivesNothing()
  await tale.pass(38_000)
  assert.deepEqual(notifications(service), [{ node: 'n1', 'message-count': '1' }])
})

story('nor is one waited for that cannot be reached', { memoryOnly }, async ({ online, pass }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const phone = await online(phoneJid)
  await phone.send`${enable('n1', '', 'push.nowhere.example')}`
  await phone.close()
  await romeo.send`${message('one')}`
  await pass(40_000)
  const hall = await online('juliet@capulet.example/hall')
  await hall.receivesNothing()
})

story(
  'XEP-0357 §5: a node enabled again is one node, with the last options; a service may have several',
  { memoryOnly },
  async (tale) => {
    const { online } = tale
    const service = await online(app)
    const romeo = await online('romeo@montague.example/orchard')
    const phone = await online(phoneJid)
    await phone.send`${enable('n1', form('old'))}${enable('n2', form('two'))}${enable('n1', form('new'))}`
    await phone.close()

    await romeo.send`${message('one')}`

    const all = notifications(service).map(({ node, secret }) => `${node} ${secret}`)
    assert.deepEqual(all.sort(), ['n1 new', 'n2 two'])
  },
)

for (const [what, node, left] of [
  ['one node', "node='n1'", ['n2']],
  ['a service', '', []],
] as const)
  story(`XEP-0357 §6: ${what} is disabled`, { memoryOnly }, async ({ online }) => {
    const service = await online(app)
    const romeo = await online('romeo@montague.example/orchard')
    const phone = await online(phoneJid)
    await phone.send`${enable('n1')}${enable('n2')}`
    phone.drain()
    await phone.send`<iq type='set' id='x'><disable xmlns='${NS}' jid='${app}' ${node}/></iq>`
    phone.receives`<iq type='result' id='x' to='${phoneJid}'/>`
    await phone.close()

    await romeo.send`${message('one')}`

    assert.deepEqual(
      notifications(service).map((each) => each.node),
      left,
    )
  })

for (const [what, request, condition] of [
  ['no service', enable('n', '', ''), 'bad-request'],
  ['another form', enable('n', form('x', 'urn:x')), 'bad-request'],
  ['too much of it', enable('n', form('x'.repeat(4_097))), 'policy-violation'],
  ['too long a node', enable('n'.repeat(1_025)), 'bad-request'],
] as const)
  story(`XEP-0357 §5: ${what} is refused`, async ({ online }) => {
    const phone = await online(phoneJid)
    await phone.send`${request}`
    assert.match(String(phone.drain()[0]), new RegExp(`type=["']error["'].*<${condition}`))
  })

story('XEP-0357 §5: nobody enables for somebody else', async ({ online }) => {
  const phone = await online(phoneJid)
  const romeo = await online('romeo@montague.example/orchard')
  await romeo.send`${enable('n').replace('<iq', `<iq to='${phone.account}'`)}`
  assert.match(String(romeo.drain()[0]), /<service-unavailable/)
})

story('XEP-0357 §6: nor does anybody disable for somebody else', { memoryOnly }, async (tale) => {
  const { service, romeo } = await away(tale)
  await romeo.send`<iq type='set' id='x' to='${juliet}'><disable xmlns='${NS}' jid='${app}'/></iq>`
  assert.match(String(romeo.drain()[0]), /<service-unavailable/)
  await romeo.send`${message('one')}`
  assert.equal(service.drain().length, 1)
})

story(
  'an account has so many nodes; a new one takes the place of the oldest',
  { modules: { push: { nodes: 2 } } },
  async ({ online }) => {
    const service = await online(app)
    const romeo = await online('romeo@montague.example/orchard')
    const phone = await online(phoneJid)
    await phone.send`${enable('n1')}${enable('n2')}${enable('n3')}`
    await phone.close()
    await romeo.send`${message('one')}`
    assert.deepEqual(
      notifications(service)
        .map(({ node }) => node)
        .sort(),
      ['n2', 'n3'],
    )
  },
)

story(
  'XEP-0357 §8: a service that shuts the account out is not asked any more',
  { memoryOnly },
  async (tale) => {
    const { service, romeo } = await away(tale)
    await service.send`<message to='${juliet}'><pubsub xmlns='${PUBSUB}' node='n1'><affiliation jid='${juliet}' affiliation='none'/></pubsub></message>`
    await romeo.send`${message('one')}`
    await service.receivesNothing()
  },
)

story('XEP-0357 §8: but nobody else can say so', { memoryOnly }, async (tale) => {
  const { service, romeo } = await away(tale)
  await romeo.send`<message to='${juliet}'><pubsub xmlns='${PUBSUB}' node='n1'><affiliation jid='${juliet}' affiliation='none'/></pubsub></message>`
  await romeo.send`${message('one')}`
  assert.equal(service.drain().length, 1)
})

story('an account that is made anew has no nodes', { memoryOnly }, async (tale) => {
  const { service, romeo } = await away(tale)
  await tale.command('user delete', { jid: juliet })
  const again = await tale.online(phoneJid)
  await again.close()
  await romeo.send`${message('one')}`
  await service.receivesNothing()
})
