import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'

const NS = 'urn:xmpp:invisible:1'
const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const [romeoHome, romeoPhone] = ['romeo@montague.example/home', 'romeo@montague.example/phone']
const julietBalcony = 'juliet@capulet.example/balcony'

async function command(client: Client, element: string): Promise<void> {
  await client.send`<iq type='set' id='v'>${element}</iq>`
  client.receives`<iq type='result' id='v' to='${client.jid}'/>`
  client.drain()
}
const hide = (client: Client, probe = 'false') =>
  command(client, `<invisible xmlns='${NS}' probe='${probe}'/>`)
const show = (client: Client) => command(client, `<visible xmlns='${NS}'/>`)
const gone = (from: string, to: string) =>
  `<presence type='unavailable' from='${from}' to='${to}'/>`

story('XEP-0186 §3.1: who becomes invisible is seen to go', async ({ online, befriend }) => {
  const romeo = await online(romeoHome)
  const juliet = await online(julietBalcony)
  const nurse = await online('nurse@capulet.example/kitchen')
  await befriend(romeo, juliet)
  await romeo.send`<presence to='${nurse.jid}'/>`
  nurse.drain()

  await hide(romeo)

  juliet.receives`${gone(romeo.jid, juliet.account)}`
  nurse.receives`${gone(romeo.jid, nurse.jid)}`
  // Point 1.
  await romeo.send`<presence><show>away</show></presence>`
  romeo.drain()
  await hide(romeo)
  await romeo.close()
  for (const client of [juliet, nurse]) await client.receivesNothing()
})

story(
  'XEP-0186 §3.1.1: who it tells by name knows, and is told of its end',
  async ({ online, befriend }) => {
    const romeo = await online(romeoHome)
    const juliet = await online(julietBalcony)
    const nurse = await online('nurse@capulet.example/kitchen')
    await befriend(romeo, juliet)
    await befriend(romeo, nurse)
    await hide(romeo)
    for (const client of [juliet, nurse]) client.drain()

    // Points 2 and 9.
    await romeo.send`<presence to='${juliet.jid}'><show>chat</show></presence>`
    juliet.receives`<presence from='${romeo.jid}' to='${juliet.jid}'><show>chat</show></presence>`
    await romeo.send`<presence type='unavailable'/>`
    juliet.receives`${gone(romeo.jid, juliet.jid)}`
    for (const client of [juliet, nurse]) await client.receivesNothing()
  },
)

for (const [probe, asks] of [
  ['true', true],
  ['1', true],
  ['false', false],
] as const)
  story(
    `XEP-0186 §3.1: with probe=${probe} contacts are ${asks ? '' : 'not '}asked`,
    async ({ online, connect, befriend }) => {
      const before = await online(romeoHome)
      const juliet = await online(julietBalcony)
      await befriend(before, juliet)
      await before.close()
      juliet.drain()
      const romeo = await connect(romeoHome)

      await romeo.send`<iq type='set' id='v'><invisible xmlns='${NS}' probe='${probe}'/></iq>`

      const seen = romeo.drain().filter(({ from }) => from === juliet.jid)
      assert.equal(seen.length, asks ? 1 : 0)
      await juliet.receivesNothing()
    },
  )

story(
  'XEP-0186 §3.1.1: messages and presence reach it, as nobody knows',
  async ({ online, connect, befriend }) => {
    const juliet = await online(julietBalcony)
    const romeo = await connect(romeoHome)
    await befriend(romeo, juliet)
    await hide(romeo)
    romeo.drain()

    // Points 4 to 6.
    await juliet.send`<presence><show>dnd</show></presence>`
    await juliet.send`<message to='${romeo.account}' type='headline'><body>1</body></message>`
    await juliet.send`<message to='${romeo.jid}' type='headline'><body>2</body></message>`
    await juliet.send`<iq to='${romeo.jid}' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`

    assert.deepEqual(
      romeo.drain().map(({ name }) => name),
      ['presence', 'message', 'message', 'iq'],
    )
  },
)

story('XEP-0186 §3.1.1: the account is as one that is offline', async ({ online, befriend }) => {
  const romeo = await online(romeoHome)
  const juliet = await online(julietBalcony)
  await befriend(romeo, juliet)
  await hide(romeo)
  juliet.drain()

  // Point 8.
  for (const to of [romeo.account, romeo.jid]) {
    await juliet.send`<presence type='probe' to='${to}'/>`
    juliet.receives`${gone(to, juliet.jid)}`
  }
  await juliet.send`<iq to='${romeo.account}' type='get' id='1'><query xmlns='jabber:iq:last'/></iq>`
  juliet.receives`<iq from='${romeo.account}' to='${juliet.jid}' type='result' id='1'><query xmlns='jabber:iq:last' seconds='{any}'/></iq>`
  await juliet.send`<iq to='${romeo.account}' type='get' id='2'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
  const [items] = juliet.drain()
  assert.ok(!Buffer.from(items?.bytes ?? []).includes(romeo.jid))
})

story(
  'XEP-0186 §3.1.1: the last activity is when it became invisible',
  { memoryOnly: 'time passes there' },
  async ({ online, befriend, pass }) => {
    const romeo = await online(romeoHome)
    const juliet = await online(julietBalcony)
    await befriend(romeo, juliet)
    await hide(romeo)
    await pass(60_000)
    await romeo.close()
    juliet.drain()

    await juliet.send`<iq to='${romeo.account}' type='get' id='1'><query xmlns='jabber:iq:last'/></iq>`

    const seconds = juliet.drain()[0]?.child('query', 'jabber:iq:last')?.attrs.seconds
    assert.ok(Number(seconds) >= 60, `${seconds}`)
  },
)

story(
  'XEP-0186 §3.1: another resource stays visible, and sees both',
  async ({ online, befriend }) => {
    const romeo = await online(romeoHome)
    const phone = await online(romeoPhone)
    const juliet = await online(julietBalcony)
    await befriend(romeo, juliet)
    for (const client of [romeo, phone, juliet]) client.drain()

    await hide(romeo)
    juliet.receives`${gone(romeo.jid, juliet.account)}`
    await romeo.send`<presence><show>xa</show></presence>`
    phone.receives`<presence from='${romeo.jid}'><show>xa</show></presence>`
    await juliet.send`<presence type='probe' to='${romeo.account}'/>`

    juliet.receives`<presence from='${phone.jid}' to='${juliet.jid}'/>`
    for (const client of [phone, juliet]) await client.receivesNothing()
  },
)

story(
  'XEP-0186 §3.2: who becomes visible is as before initial presence',
  async ({ online, befriend }) => {
    const romeo = await online(romeoHome)
    const juliet = await online(julietBalcony)
    const nurse = await online('nurse@capulet.example/kitchen')
    await befriend(romeo, juliet)
    await hide(romeo)
    await romeo.send`<presence to='${nurse.jid}'/>`
    for (const client of [juliet, nurse]) client.drain()

    await show(romeo)
    await juliet.receivesNothing()
    await romeo.send`<presence/>`
    juliet.receives`<presence from='${romeo.jid}' to='${juliet.account}'/>`
    await romeo.close()

    juliet.receives`${gone(romeo.jid, juliet.account)}`
    nurse.receives`${gone(romeo.jid, nurse.jid)}`
  },
)

story('XEP-0186 §3.1: somebody else cannot hide an account', async ({ connect }) => {
  const romeo = await connect(romeoHome)
  const juliet = await connect(julietBalcony)

  await juliet.send`<iq type='set' id='1' to='${romeo.account}'><invisible xmlns='${NS}'/></iq>`

  juliet.receives`<iq type='error' id='1' from='${romeo.account}' to='${juliet.jid}'><error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error></iq>`
})
