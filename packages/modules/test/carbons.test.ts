import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'

const NS = 'urn:xmpp:carbons:2'
const romeoPhone = 'romeo@montague.example/phone'

async function enable(...clients: readonly Client[]): Promise<void> {
  for (const client of clients) {
    await client.send`<iq type='set' id='c1'><enable xmlns='${NS}'/></iq>`
    client.receives`<iq type='result' id='c1' to='${client.jid}'/>`
  }
}

const stanzaId = (by: string) => `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='{any}'/>`

function carbon(to: Client, kind: 'received' | 'sent', type: string, message: string): string {
  return `<message from='${to.account}' to='${to.jid}' type='${type}'><${kind} xmlns='${NS}'><forwarded xmlns='urn:xmpp:forward:0'>${message}</forwarded></${kind}></message>`
}

story(
  'XEP-0280 §8: a sent message is copied to the other resources',
  async ({ online, connect }) => {
    const home = await online('romeo@montague.example/home')
    const phone = await connect(romeoPhone)
    const silent = await online('romeo@montague.example/silent')
    const juliet = await online('juliet@capulet.example/balcony')
    await enable(home, phone)
    home.drain()

    await home.send`<message to='${juliet.jid}' type='chat' id='m1'><body>Neither, fair saint.</body></message>`

    juliet.receives`<message from='${home.jid}' to='${juliet.jid}' type='chat' id='m1'><body>Neither, fair saint.</body>${stanzaId(juliet.account)}</message>`
    phone.receives`${carbon(
      phone,
      'sent',
      'chat',
      `<message xmlns='jabber:client' from='${home.jid}' to='${juliet.jid}' type='chat' id='m1'><body>Neither, fair saint.</body>${stanzaId(phone.account)}</message>`,
    )}`
    for (const client of [home, phone, silent, juliet]) await client.receivesNothing()
  },
)

story(
  'XEP-0280 §7: a message to one resource is copied to the others, with its stanza-id',
  async ({ online }) => {
    const home = await online('romeo@montague.example/home')
    const phone = await online(romeoPhone)
    const juliet = await online('juliet@capulet.example/balcony')
    await enable(home, phone)

    await juliet.send`<message to='${home.jid}' type='chat'><body>What man art thou?</body></message>`

    const original = `<message xmlns='jabber:client' from='${juliet.jid}' to='${home.jid}' type='chat'><body>What man art thou?</body>${stanzaId(home.account)}</message>`
    const received = home.receives`${original}`
    const copy = phone.receives`${carbon(phone, 'received', 'chat', original)}`
    const idIn = (text: string) => /by='romeo@montague.example' id='([^']+)'/.exec(text)?.[1]
    assert.equal(idIn(String(copy)), idIn(String(received)))
    for (const client of [home, phone, juliet]) await client.receivesNothing()
  },
)

story(
  'XEP-0280 §7: who got the message for the bare JID gets no copy',
  async ({ online, connect }) => {
    const home = await online('romeo@montague.example/home')
    const low = await connect(romeoPhone)
    await low.send`<presence><priority>-1</priority></presence>`
    const juliet = await online('juliet@capulet.example/balcony')
    home.drain()
    low.drain()
    await enable(home, low)

    await juliet.send`<message to='romeo@montague.example' type='chat'><body>Romeo?</body></message>`

    const original = `<message xmlns='jabber:client' from='${juliet.jid}' to='romeo@montague.example' type='chat'><body>Romeo?</body>${stanzaId(home.account)}</message>`
    home.receives`${original}`
    low.receives`${carbon(low, 'received', 'chat', original)}`
    for (const client of [home, low]) await client.receivesNothing()
  },
)

story('XEP-0280 §7: what waits in the mailbox is handed over once', async ({ connect, online }) => {
  const phone = await connect(romeoPhone)
  const juliet = await online('juliet@capulet.example/balcony')
  await enable(phone)

  await juliet.send`<message to='romeo@montague.example' type='chat'><body>Romeo?</body></message>`
  await phone.receivesNothing()
  await phone.send`<presence/>`

  const messages = phone.drain().filter(({ name }) => name === 'message')
  assert.equal(messages.length, 1)
  assert.ok(messages[0]?.hasChild('delay', 'urn:xmpp:delay'))
})

for (const [what, element] of [
  ['<private/>', `<private xmlns='${NS}'/>`],
  ['<no-copy/>', "<no-copy xmlns='urn:xmpp:hints'/>"],
] as const)
  story(`XEP-0280 §9: ${what} suppresses every copy, and stays`, async ({ online }) => {
    const home = await online('romeo@montague.example/home')
    const phone = await online(romeoPhone)
    const juliet = await online('juliet@capulet.example/balcony')
    const chamber = await online('juliet@capulet.example/chamber')
    await enable(phone, chamber)
    juliet.drain()

    await home.send`<message to='${juliet.jid}' type='chat'><body>x</body>${element}</message>`

    juliet.receives`<message from='${home.jid}' to='${juliet.jid}' type='chat'><body>x</body>${element}${stanzaId(juliet.account)}</message>`
    for (const client of [home, phone, chamber]) await client.receivesNothing()
  })

story(
  'XEP-0280 §5: after disable there are no copies; both may be repeated',
  async ({ online }) => {
    const home = await online('romeo@montague.example/home')
    const phone = await online(romeoPhone)
    await enable(phone, phone)
    for (const id of ['d1', 'd2']) {
      await phone.send`<iq type='set' id='${id}'><disable xmlns='${NS}'/></iq>`
      phone.receives`<iq type='result' id='${id}' to='${phone.jid}'/>`
    }

    await home.send`<message to='${home.jid}' type='chat'><body>note</body></message>`

    await phone.receivesNothing()
  },
)

story('XEP-0280 §4: nobody enables them for somebody else', async ({ online }) => {
  const romeo = await online('romeo@montague.example/home')
  const juliet = await online('juliet@capulet.example/balcony')

  await romeo.send`<iq type='set' id='c1' to='${juliet.account}'><enable xmlns='${NS}'/></iq>`

  romeo.receives`<iq type='error' id='c1' from='${juliet.account}' to='${romeo.jid}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
})

story('XEP-0280 §7: a message to the own account is copied once', async ({ online }) => {
  const home = await online('romeo@montague.example/home')
  const phone = await online(romeoPhone)
  const tablet = await online('romeo@montague.example/tablet')
  await enable(home, phone, tablet)

  await home.send`<message to='${phone.jid}' type='chat'><body>note</body></message>`

  const original = `<message xmlns='jabber:client' from='${home.jid}' to='${phone.jid}' type='chat'><body>note</body>${stanzaId(home.account)}</message>`
  phone.receives`${original}`
  tablet.receives`${carbon(tablet, 'received', 'chat', original)}`
  for (const client of [home, phone, tablet]) await client.receivesNothing()
})

story('XEP-0280 §6.1: an error is copied when it answers what was copied', async ({ online }) => {
  const home = await online('romeo@montague.example/home')
  const phone = await online(romeoPhone)
  const juliet = await online('juliet@capulet.example/balcony')
  await enable(phone)
  const fail = async (id: string) =>
    juliet.send`<message to='${home.jid}' type='error' id='${id}'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`

  await home.send`<message to='${juliet.jid}' type='chat' id='m1'><body>x</body></message>`
  phone.drain()
  await fail('m1')
  await fail('m2')

  assert.equal(home.drain().length, 2)
  phone.receives`${carbon(
    phone,
    'received',
    'error',
    `<message xmlns='jabber:client' from='${juliet.jid}' to='${home.jid}' type='error' id='m1'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
  )}`
  await phone.receivesNothing()
})

story('XEP-0280 §10.3: a copy that is lost is no news to the sender', async ({ online }) => {
  const home = await online('romeo@montague.example/home')
  const phone = await online(romeoPhone)
  const juliet = await online('juliet@capulet.example/balcony')
  await enable(phone)

  await juliet.send`<message to='${home.jid}' type='chat' id='m1'><body>x</body></message>`
  home.drain()
  phone.drain()
  await phone.send`<message to='${phone.account}' type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`

  for (const client of [home, phone, juliet]) await client.receivesNothing()
})

// @mutant V39-not-received: drop the rewrite of `message.receiving` and that of `message.sending`.
for (const to of ['romeo@montague.example', 'romeo@montague.example/home'])
  story(`V39: a stranger’s carbon does not reach ${to}`, async ({ online }) => {
    const romeo = await online('romeo@montague.example/home')
    const tybalt = await online('tybalt@capulet.example/square')
    const forged = (kind: string) =>
      carbon(
        romeo,
        kind as 'sent',
        'chat',
        "<message xmlns='jabber:client' from='juliet@capulet.example/b'><body>Meet me</body></message>",
      ).replace(/^<message[^>]*>|<\/message>$/g, '')

    await tybalt.send`<message to='${to}' type='chat'><body>x</body>${forged('received')}<x xmlns='urn:x'>${forged('sent')}</x></message>`

    romeo.receives`<message from='${tybalt.jid}' to='${to}' type='chat'><body>x</body><x xmlns='urn:x'/>${stanzaId(romeo.account)}</message>`
  })
