import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'

const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const roster = (content: string) => `<query xmlns='jabber:iq:roster'>${content}</query>`
const versioned = (content: string) =>
  `<query xmlns='jabber:iq:roster' ver='{any}'>${content}</query>`

/** Asks for the roster, which makes the resource an interested one; answers the version it is in. */
async function fetchRoster(client: Client, known?: string): Promise<string> {
  const ver = known === undefined ? '' : ` ver='${known}'`
  await client.send`<iq type='get' id='r0'><query xmlns='jabber:iq:roster'${ver}/></iq>`
  const [result] = client.drain()
  return result?.child('query', 'jabber:iq:roster')?.attrs.ver ?? ''
}

const push = (client: Client, content: string) =>
  `<iq type='set' id='{any}' to='${client.jid}'>${versioned(content)}</iq>`

story('RFC 6121 §2.1.4: a new account has an empty roster', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')

  await juliet.send`<iq type='get' id='r1'>${roster('')}</iq>`

  juliet.receives`<iq type='result' id='r1' to='${juliet.jid}'>${versioned('')}</iq>`
})

story('RFC 6121 §2.3.2: a new item is pushed to interested resources only', async ({ connect }) => {
  const balcony = await connect('juliet@capulet.example/balcony')
  const chamber = await connect('juliet@capulet.example/chamber')
  const garden = await connect('juliet@capulet.example/garden')
  await fetchRoster(balcony)
  await fetchRoster(chamber)

  await balcony.send`<iq type='set' id='r1'>${roster("<item jid='nurse@capulet.example' name='Nurse'><group>Servants</group></item>")}</iq>`

  const item =
    "<item jid='nurse@capulet.example' name='Nurse' subscription='none'><group>Servants</group></item>"
  balcony.receivesInAnyOrder`${push(balcony, item)} <iq type='result' id='r1' to='${balcony.jid}'/>`
  chamber.receives`${push(chamber, item)}`
  await garden.receivesNothing()
})

story('RFC 6121 §2.2: the roster comes back as it was set', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  await juliet.send`<iq type='set' id='r1'>${roster("<item jid='nurse@capulet.example' name='Nurse'/>")}</iq>`
  await juliet.send`<iq type='set' id='r2'>${roster("<item jid='nurse@capulet.example'><group>Friends</group></item>")}</iq>`
  juliet.drain()

  await juliet.send`<iq type='get' id='r3'>${roster('')}</iq>`

  // §2.4.1: the name is gone, because the last set had none.
  juliet.receives`<iq type='result' id='r3' to='${juliet.jid}'>${versioned("<item jid='nurse@capulet.example' subscription='none'><group>Friends</group></item>")}</iq>`
})

story('RFC 6121 §2.1.5: a roster is its account’s alone', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  const romeo = await connect('romeo@montague.example/orchard')

  await romeo.send`<iq type='get' id='r1' to='${juliet.account}'>${roster('')}</iq>`
  await romeo.send`<iq type='set' id='r2' to='${juliet.account}'>${roster("<item jid='romeo@montague.example'/>")}</iq>`

  for (const id of ['r1', 'r2'])
    romeo.receives`<iq type='error' id='${id}' from='${juliet.account}' to='${romeo.jid}'><error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error></iq>`
})

for (const [what, item, type, error] of [
  [
    '§2.3.3: two items',
    "<item jid='a@b.example'/><item jid='c@b.example'/>",
    'modify',
    'bad-request',
  ],
  ['§2.3.3: the account itself', "<item jid='juliet@capulet.example'/>", 'cancel', 'not-allowed'],
  [
    '§2.5.3: removal of nobody',
    "<item jid='a@b.example' subscription='remove'/>",
    'cancel',
    'item-not-found',
  ],
] as const)
  story(`RFC 6121 ${what} is ${error}`, async ({ connect }) => {
    const juliet = await connect('juliet@capulet.example/balcony')

    await juliet.send`<iq type='set' id='r1' to='${juliet.account}'>${roster(item)}</iq>`

    juliet.receives`<iq type='error' id='r1' from='${juliet.account}' to='${juliet.jid}'><error type='${type}'><${error} xmlns='${NS_ERRORS}'/></error></iq>`
  })

story(
  'a roster is full at its limit',
  { modules: { roster: { items: 2 } } },
  async ({ connect }) => {
    const juliet = await connect('juliet@capulet.example/balcony')
    for (const name of ['a', 'b'])
      await juliet.send`<iq type='set' id='${name}'>${roster(`<item jid='${name}@b.example'/>`)}</iq>`
    juliet.drain()

    await juliet.send`<iq type='set' id='r1'>${roster("<item jid='a@b.example' name='A'/>")}</iq>`
    juliet.receives`<iq type='result' id='r1' to='${juliet.jid}'/>`

    await juliet.send`<iq type='set' id='r2'>${roster("<item jid='c@b.example'/>")}</iq>`
    const [refused] = juliet.drain()
    assert.equal(refused?.type, 'error')
    assert.ok(String(refused).includes('policy-violation'))
  },
)

story('RFC 6121 §2.5.2: who is removed is told, both ways', async ({ online, befriend }) => {
  const juliet = await online('juliet@capulet.example/balcony')
  const romeo = await online('romeo@montague.example/orchard')
  await befriend(juliet, romeo)
  await fetchRoster(juliet)
  await fetchRoster(romeo)

  await juliet.send`<iq type='set' id='r1'>${roster("<item jid='romeo@montague.example' subscription='remove'/>")}</iq>`

  juliet.receivesInAnyOrder`
    ${push(juliet, "<item jid='romeo@montague.example' subscription='remove'/>")}
    <iq type='result' id='r1' to='${juliet.jid}'/>
    <presence type='unavailable' from='${romeo.jid}' to='${juliet.account}'/>`
  romeo.receivesInAnyOrder`
    <presence type='unsubscribe' id='{any}' from='${juliet.account}' to='${romeo.account}'/>
    <presence type='unsubscribed' id='{any}' from='${juliet.account}' to='${romeo.account}'/>
    <presence type='unavailable' from='${juliet.jid}' to='${romeo.account}'/>
    ${push(romeo, "<item jid='juliet@capulet.example' subscription='to'/>")}
    ${push(romeo, "<item jid='juliet@capulet.example' subscription='none'/>")}`
  await juliet.receivesNothing()
  await romeo.receivesNothing()
})

story('RFC 6121 §2.6.3: nothing changed, nothing is sent', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  await juliet.send`<iq type='set' id='r1'>${roster("<item jid='nurse@capulet.example'/>")}</iq>`
  juliet.drain()
  const ver = await fetchRoster(juliet)

  await juliet.send`<iq type='get' id='r2'><query xmlns='jabber:iq:roster' ver='${ver}'/></iq>`

  juliet.receives`<iq type='result' id='r2' to='${juliet.jid}'/>`
  await juliet.receivesNothing()
})

story(
  'RFC 6121 §2.6.3: what changed comes as pushes behind an empty result',
  async ({ connect }) => {
    const juliet = await connect('juliet@capulet.example/balcony')
    for (const name of ['nurse', 'friar', 'paris'])
      await juliet.send`<iq type='set' id='${name}'>${roster(`<item jid='${name}@capulet.example'/>`)}</iq>`
    juliet.drain()
    const ver = await fetchRoster(juliet)
    await juliet.close()
    const chamber = await connect('juliet@capulet.example/chamber')
    await chamber.send`<iq type='set' id='c1'>${roster("<item jid='paris@capulet.example' subscription='remove'/>")}</iq>`
    await chamber.send`<iq type='set' id='c2'>${roster("<item jid='nurse@capulet.example' name='Nurse'/>")}</iq>`

    const again = await connect('juliet@capulet.example/balcony')
    await again.send`<iq type='get' id='r2'><query xmlns='jabber:iq:roster' ver='${ver}'/></iq>`

    again.receives`<iq type='result' id='r2' to='${again.jid}'/>`
    again.receives`${push(again, "<item jid='paris@capulet.example' subscription='remove'/>")}`
    again.receives`${push(again, "<item jid='nurse@capulet.example' name='Nurse' subscription='none'/>")}`
    await again.receivesNothing()
  },
)

story('RFC 6121 §2.6.2: a version of who knows where gets all', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  await juliet.send`<iq type='set' id='r1'>${roster("<item jid='nurse@capulet.example'/>")}</iq>`
  juliet.drain()

  for (const ver of ['', 'bogus', '1', '9999999999999']) {
    await juliet.send`<iq type='get' id='r2'><query xmlns='jabber:iq:roster' ver='${ver}'/></iq>`
    juliet.receives`<iq type='result' id='r2' to='${juliet.jid}'>${versioned("<item jid='nurse@capulet.example' subscription='none'/>")}</iq>`
  }
})

story('RFC 6121 §2.1.6: nobody else’s roster push reaches a client', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  const paris = await connect('paris@capulet.example/palace')

  await paris.send`<iq type='set' id='x1' to='${juliet.jid}'>${roster("<item jid='paris@capulet.example' subscription='both'/>")}</iq>`

  await juliet.receivesNothing()
  paris.receives`<iq type='error' id='x1' from='${juliet.jid}' to='${paris.jid}'><error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error></iq>`
})

story(
  'a deleted account takes its roster with it, and its contacts know',
  { memoryOnly: 'only there the kit makes an account twice' },
  async ({ online, connect, befriend, command }) => {
    const juliet = await online('juliet@capulet.example/balcony')
    const romeo = await online('romeo@montague.example/orchard')
    await befriend(juliet, romeo)

    await command('user delete', { jid: juliet.account })

    assert.equal(juliet.ended(), 'not-authorized')
    romeo.receivesInAnyOrder`
    <presence type='unavailable' from='${juliet.jid}' to='${romeo.account}'/>`
    const reborn = await connect('juliet@capulet.example/balcony')
    await reborn.send`<iq type='get' id='r1'>${roster('')}</iq>`
    reborn.receives`<iq type='result' id='r1' to='${reborn.jid}'>${versioned('')}</iq>`
    await romeo.send`<iq type='get' id='r2'>${roster('')}</iq>`
    romeo.receives`<iq type='result' id='r2' to='${romeo.jid}'>${versioned("<item jid='juliet@capulet.example' subscription='none'/>")}</iq>`
  },
)
