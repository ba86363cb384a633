import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { assertAlike } from './likeness.ts'

const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

story(
  'RFC 6121 §4.2.2: initial presence goes to contacts and to own resources',
  async ({ connect, online, befriend }) => {
    const orchard = await online('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')
    const stranger = await online('tybalt@capulet.example/square')
    await befriend(orchard, juliet)
    const phone = await connect('romeo@montague.example/phone')

    await phone.send`<presence><priority>1</priority></presence>`

    juliet.receives`<presence from='${phone.jid}' to='juliet@capulet.example'><priority>1</priority></presence>`
    orchard.receives`<presence from='${phone.jid}'><priority>1</priority></presence>`
    // Its own, that of the other resource, and §4.3.2 what the contact's server answers its probe with.
    phone.receivesInAnyOrder`
    <presence from='${phone.jid}'><priority>1</priority></presence>
    <presence from='${orchard.jid}' to='${phone.jid}'/>
    <presence from='${juliet.jid}' to='${phone.jid}'/>`
    for (const client of [juliet, orchard, phone, stranger]) await client.receivesNothing()
  },
)

story(
  'RFC 6121 §4.4.2: changed presence goes the same ways, without probes',
  async ({ online, befriend }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')
    await befriend(romeo, juliet)

    await romeo.send`<presence><show>away</show></presence>`

    juliet.receives`<presence from='${romeo.jid}' to='juliet@capulet.example'><show>away</show></presence>`
    romeo.receives`<presence from='${romeo.jid}'><show>away</show></presence>`
    await romeo.receivesNothing()
  },
)

story(
  'RFC 6121 §4.5.2: unavailable presence reaches those who saw the resource',
  async ({ online, befriend }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const phone = await online('romeo@montague.example/phone')
    const juliet = await online('juliet@capulet.example/balcony')
    await befriend(romeo, juliet)

    await phone.send`<presence type='unavailable'><status>To bed</status></presence>`

    const gone = (to = '') =>
      `<presence type='unavailable' from='${phone.jid}'${to}><status>To bed</status></presence>`
    juliet.receives`${gone(" to='juliet@capulet.example'")}`
    romeo.receives`${gone()}`
    phone.receives`${gone()}`

    // Once gone it gets nothing any more, and a second farewell is none.
    await juliet.send`<presence><show>dnd</show></presence>`
    await phone.send`<presence type='unavailable'/>`
    await phone.receivesNothing()
  },
)

story(
  'RFC 6121 §4.5.2: a stream that ends takes its presence with it',
  async ({ online, befriend }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const phone = await online('romeo@montague.example/phone')
    const juliet = await online('juliet@capulet.example/balcony')
    await befriend(romeo, juliet)

    await phone.close()

    juliet.receives`<presence type='unavailable' from='${phone.jid}' to='juliet@capulet.example'/>`
    romeo.receives`<presence type='unavailable' from='${phone.jid}'/>`
    await juliet.receivesNothing()
  },
)

story(
  'RFC 6121 §4.3.2: a probe of an account that is away is answered so',
  async ({ online, connect, befriend }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')
    await befriend(romeo, juliet)
    await juliet.close()
    const phone = await connect('romeo@montague.example/phone')

    await phone.send`<presence/>`

    phone.receivesInAnyOrder`
    <presence from='${phone.jid}'/>
    <presence from='${romeo.jid}' to='${phone.jid}'/>
    <presence type='unavailable' from='juliet@capulet.example' to='${phone.jid}'/>`
  },
)

story(
  'RFC 6121 §4.3.2, rule 1: who may not see presence is told it may not',
  async ({ online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    await online('juliet@capulet.example/balcony')

    await romeo.send`<presence type='probe' to='juliet@capulet.example'/>`
    await romeo.send`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
    romeo.drain()
    await romeo.send`<presence type='probe' to='juliet@capulet.example'/>`

    // An answer to nothing that was asked (Appendix A.3.4) is not shown to the client.
    await romeo.receivesNothing()
  },
)

story('a probe does not find out who has an account', async ({ online }) => {
  await online('juliet@capulet.example/balcony')
  const romeo = await online('romeo@montague.example/orchard')
  // §3.1.2: with a request under way an `unsubscribed` would show.
  for (const account of ['juliet@capulet.example', 'nobody@capulet.example'])
    await romeo.send`<presence type='subscribe' to='${account}'/>`
  await romeo.send`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
  romeo.drain()

  const ids = /id='[^']*'|ver='[^']*'/g
  const answers: string[] = []
  for (const account of ['juliet@capulet.example', 'nobody@capulet.example']) {
    await romeo.send`<presence type='probe' to='${account}'/>`
    const heard = romeo.drain().map((stanza) => String(stanza).replace(ids, ''))
    answers.push(heard.join('\n').replaceAll(account, 'somebody'))
  }
  assert.notEqual(answers[0], '')
  assert.equal(answers[0], answers[1])
})

story('presence and iq to an account do not find out whether it exists', async ({ connect }) => {
  await connect('juliet@capulet.example/balcony')
  const romeo = await connect('romeo@montague.example/orchard')
  await assertAlike(
    romeo,
    async (account) => {
      await romeo.send`<presence to='${account}'/>`
      await romeo.send`<iq type='get' id='1' to='${account}'><query xmlns='urn:example:unknown'/></iq>`
    },
    ['juliet@capulet.example', 'nobody@capulet.example'],
  )
})

story(
  'RFC 6121 §4.6: directed presence goes to whom it names, and is taken back at the end',
  async ({ online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')

    await romeo.send`<presence to='${juliet.jid}'><status>Below</status></presence>`
    juliet.receives`<presence from='${romeo.jid}' to='${juliet.jid}'><status>Below</status></presence>`

    // §4.6.5: changes are broadcast, and a stranger does not get them.
    await romeo.send`<presence><show>away</show></presence>`
    await juliet.receivesNothing()

    await romeo.close()
    juliet.receives`<presence type='unavailable' from='${romeo.jid}' to='${juliet.jid}'/>`
    await juliet.receivesNothing()
  },
)

story(
  'RFC 6121 §4.6.3: what was taken back by name is not taken back again',
  async ({ online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')
    await romeo.send`<presence to='${juliet.jid}'/>`
    await romeo.send`<presence to='${juliet.jid}' type='unavailable'/>`
    juliet.drain()

    await romeo.send`<presence type='unavailable'/>`

    await juliet.receivesNothing()
  },
)

story(
  'RFC 6121 §4.6.3: a contact that also got directed presence hears the end once',
  async ({ online, befriend }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')
    await befriend(romeo, juliet)
    await romeo.send`<presence to='${juliet.jid}'/>`
    juliet.drain()

    await romeo.send`<presence type='unavailable'/>`

    juliet.receives`<presence type='unavailable' from='${romeo.jid}' to='juliet@capulet.example'/>`
    await juliet.receivesNothing()
  },
)

story(
  'RFC 6121 §4.6.3: directed presence of a resource that never was available',
  async ({ connect, online }) => {
    const romeo = await connect('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')
    await romeo.send`<presence to='juliet@capulet.example'/>`
    juliet.receives`<presence from='${romeo.jid}' to='juliet@capulet.example'/>`

    await romeo.close()

    juliet.receives`<presence type='unavailable' from='${romeo.jid}' to='juliet@capulet.example'/>`
  },
)

story(
  'directed presence has a limit',
  { modules: { presence: { directed: 1 } } },
  async ({ connect }) => {
    const romeo = await connect('romeo@montague.example/orchard')
    await romeo.send`<presence to='a@capulet.example'/>`
    await romeo.send`<presence to='a@capulet.example'><show>away</show></presence>`
    await romeo.receivesNothing()

    await romeo.send`<presence to='b@capulet.example'/>`

    const [refused] = romeo.drain()
    assert.equal(refused?.type, 'error')
    assert.ok(String(refused).includes('resource-constraint'))
  },
)

for (const [what, attributes] of [
  ['a type that does not exist', "type='dancing'"],
  ['a subscription to nobody', "type='subscribe'"],
  ['a probe of nobody', "type='probe'"],
] as const)
  story(`RFC 6121 §4.7.1: ${what} is bad-request`, async ({ connect }) => {
    const romeo = await connect('romeo@montague.example/orchard')

    await romeo.send`<presence id='x' ${attributes}/>`

    romeo.receives`<presence type='error' id='x' from='romeo@montague.example' to='${romeo.jid}'><error type='modify'><bad-request xmlns='${NS_ERRORS}'/></error></presence>`
  })

story(
  'RFC 6121 §8.5.2.2: presence errors go to the resource they name only',
  async ({ online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')
    const error = `<error type='cancel'><gone xmlns='${NS_ERRORS}'/></error>`

    await romeo.send`<presence type='error' to='juliet@capulet.example'>${error}</presence>`
    await juliet.receivesNothing()

    await romeo.send`<presence type='error' to='${juliet.jid}'>${error}</presence>`
    juliet.receives`<presence type='error' from='${romeo.jid}' to='${juliet.jid}'>${error}</presence>`
  },
)

story('presence has a limit', { modules: { presence: { bytes: 200 } } }, async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  await romeo.send`<presence><status>${'x'.repeat(300)}</status></presence>`

  const [refused] = romeo.drain()
  assert.equal(refused?.type, 'error')
})
