import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'

const NS = 'urn:xmpp:blocking'
const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const [romeoHome, romeoPhone] = ['romeo@montague.example/home', 'romeo@montague.example/phone']
const julietBalcony = 'juliet@capulet.example/balcony'

const items = (...jids: readonly string[]) => jids.map((jid) => `<item jid='${jid}'/>`).join('')
const command = (name: string, content: string) => `<${name} xmlns='${NS}'>${content}</${name}>`
const result = (client: Client, id: string) => `<iq type='result' id='${id}' to='${client.jid}'/>`
const push = (client: Client, name: string, content: string) =>
  `<iq type='set' id='{any}' to='${client.jid}'>${command(name, content)}</iq>`
const unavailable = `<error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error>`
const blocked = `<error type='cancel'><not-acceptable xmlns='${NS_ERRORS}'/><blocked xmlns='urn:xmpp:blocking:errors'/></error>`

async function block(client: Client, ...jids: readonly string[]): Promise<void> {
  await client.send`<iq type='set' id='b'>${command('block', items(...jids))}</iq>`
  client.receives`${result(client, 'b')}`
}

async function unblock(client: Client, ...jids: readonly string[]): Promise<void> {
  await client.send`<iq type='set' id='u'>${command('unblock', items(...jids))}</iq>`
  client.receives`${result(client, 'u')}`
}

async function lists(client: Client, ...jids: readonly string[]): Promise<void> {
  await client.send`<iq type='get' id='l'><blocklist xmlns='${NS}'/></iq>`
  client.receives`<iq type='result' id='l' to='${client.jid}'>${command('blocklist', items(...jids))}</iq>`
}

story('XEP-0191 §3.2 to §3.5: block, list, unblock one, unblock all', async ({ connect }) => {
  const romeo = await connect(romeoHome)

  await lists(romeo)
  await romeo.send`<iq type='set' id='1'>${command('block', items('Tybalt@capulet.example', 'spam.example', 'a@b.example/c'))}</iq>`
  romeo.receives`${result(romeo, '1')}`
  romeo.receives`${push(romeo, 'block', items('tybalt@capulet.example', 'spam.example', 'a@b.example/c'))}`
  await lists(romeo, 'tybalt@capulet.example', 'spam.example', 'a@b.example/c')

  await romeo.send`<iq type='set' id='2'>${command('unblock', items('spam.example'))}</iq>`
  romeo.receives`${result(romeo, '2')}`
  romeo.receives`${push(romeo, 'unblock', items('spam.example'))}`
  await lists(romeo, 'tybalt@capulet.example', 'a@b.example/c')

  await romeo.send`<iq type='set' id='3'>${command('unblock', '')}</iq>`
  romeo.receives`${result(romeo, '3')}`
  romeo.receives`${push(romeo, 'unblock', '')}`
  await lists(romeo)
})

story(
  'XEP-0191 §3.3: pushes go to all that asked for the list, to nobody else',
  async ({ connect }) => {
    const home = await connect(romeoHome)
    const phone = await connect(romeoPhone)
    const tablet = await connect('romeo@montague.example/tablet')
    await lists(phone)

    await block(home, 'tybalt@capulet.example')

    phone.receives`${push(phone, 'block', items('tybalt@capulet.example'))}`
    for (const client of [home, phone, tablet]) await client.receivesNothing()
  },
)

for (const entry of ['juliet@capulet.example', julietBalcony, 'capulet.example'])
  story(`XEP-0191 §3.3: what comes from ${entry} is refused`, async ({ online, befriend }) => {
    const romeo = await online(romeoHome)
    const juliet = await online(julietBalcony)
    await befriend(romeo, juliet)
    await block(romeo, entry)
    juliet.drain()
    const error = (kind: string, attrs: string) =>
      `<${kind} type='error' ${attrs} to='${juliet.jid}'>${unavailable}</${kind}>`

    await juliet.send`<message to='${romeo.account}' type='chat' id='m1'><body>Romeo?</body></message>`
    await juliet.send`<message to='${romeo.jid}' id='m2'><body>Romeo?</body></message>`
    await juliet.send`<iq to='${romeo.jid}' type='get' id='i1'><query xmlns='urn:x'/></iq>`
    await juliet.send`<iq to='${romeo.account}' type='set' id='i2'><query xmlns='urn:x'/></iq>`
    juliet.receives`${error('message', `id='m1' from='${romeo.account}'`)}`
    juliet.receives`${error('message', `id='m2' from='${romeo.jid}'`)}`
    juliet.receives`${error('iq', `id='i1' from='${romeo.jid}'`)}`
    juliet.receives`${error('iq', `id='i2' from='${romeo.account}'`)}`

    // These get no answer at all.
    await juliet.send`<presence to='${romeo.jid}'/>`
    await juliet.send`<message to='${romeo.jid}' type='groupchat'><body>x</body></message>`
    await juliet.send`<message to='${romeo.jid}' type='error' id='m3'>${unavailable}</message>`
    await juliet.send`<iq to='${romeo.jid}' type='result' id='i3'/>`
    for (const client of [romeo, juliet]) await client.receivesNothing()
  })

story('XEP-0191 §3.3: subscriptions and probes are met with silence', async ({ online }) => {
  const romeo = await online(romeoHome)
  const juliet = await online(julietBalcony)
  await block(romeo, juliet.account)

  for (const type of ['subscribe', 'probe', 'unsubscribe', 'subscribed'])
    await juliet.send`<presence to='${romeo.account}' type='${type}'/>`

  for (const client of [romeo, juliet]) await client.receivesNothing()
})

for (const entry of ['juliet@capulet.example', julietBalcony, 'capulet.example'])
  story(`XEP-0191 §3.3: what is for ${entry} does not leave`, async ({ online }) => {
    const romeo = await online(romeoHome)
    const juliet = await online(julietBalcony)
    await block(romeo, entry)
    const error = (kind: string, id: string) =>
      `<${kind} type='error' id='${id}' from='${juliet.jid}' to='${romeo.jid}'>${blocked}</${kind}>`

    await romeo.send`<message to='${juliet.jid}' type='chat' id='m'><body>x</body></message>`
    await romeo.send`<iq to='${juliet.jid}' type='get' id='i'><query xmlns='urn:x'/></iq>`
    await romeo.send`<presence to='${juliet.jid}' id='p'/>`
    await romeo.send`<iq to='${juliet.jid}' type='result' id='r'/>`

    romeo.receives`${error('message', 'm')}`
    romeo.receives`${error('iq', 'i')}`
    romeo.receives`${error('presence', 'p')}`
    for (const client of [romeo, juliet]) await client.receivesNothing()
  })

story('XEP-0191 §5: one resource is blocked, the others are not', async ({ online }) => {
  const romeo = await online(romeoHome)
  const balcony = await online(julietBalcony)
  const chamber = await online('juliet@capulet.example/chamber')
  await block(romeo, balcony.jid)
  balcony.drain()

  await chamber.send`<message to='${romeo.jid}' type='headline'><body>Hist!</body></message>`

  assert.equal(romeo.drain().length, 1)
})

story(
  'XEP-0191 §3.3: a contact sees who blocks it go, and no more of it',
  async ({ online, befriend }) => {
    const romeo = await online(romeoHome)
    const juliet = await online(julietBalcony)
    const nurse = await online('nurse@capulet.example/kitchen')
    await befriend(romeo, juliet)

    await block(romeo, juliet.account, nurse.account)
    juliet.receives`<presence type='unavailable' from='${romeo.jid}' to='${juliet.account}'/>`
    await romeo.send`<presence><show>away</show></presence>`
    await romeo.send`<presence type='unavailable'/>`

    // One that may not see its presence learns nothing.
    for (const client of [juliet, nurse]) await client.receivesNothing()
  },
)

story(
  'XEP-0191 §3.3: directed presence is taken back, and a stream that ends says no more',
  async ({ online }) => {
    const romeo = await online(romeoHome)
    const juliet = await online(julietBalcony)
    await romeo.send`<presence to='${juliet.jid}'/>`
    juliet.drain()

    await block(romeo, 'capulet.example')
    juliet.receives`<presence type='unavailable' from='${romeo.jid}' to='${juliet.jid}'/>`
    await romeo.close()

    await juliet.receivesNothing()
  },
)

for (const entry of ['juliet@capulet.example', 'capulet.example'])
  story(
    `XEP-0191 §3.4: presence and stanzas come through when ${entry} is unblocked`,
    async ({ online, befriend }) => {
      const romeo = await online(romeoHome)
      const juliet = await online(julietBalcony)
      await befriend(romeo, juliet)
      await block(romeo, entry)
      await romeo.send`<presence><show>away</show></presence>`
      for (const client of [romeo, juliet]) client.drain()

      await unblock(romeo, entry)

      juliet.receives`<presence from='${romeo.jid}' to='${juliet.account}'><show>away</show></presence>`
      await juliet.send`<message to='${romeo.jid}' type='headline'><body>Hist!</body></message>`
      assert.equal(romeo.drain().length, 1)
      await juliet.receivesNothing()
    },
  )

story(
  'XEP-0191 §3.4: who stays blocked by another entry sees nothing',
  async ({ online, befriend }) => {
    const romeo = await online(romeoHome)
    const juliet = await online(julietBalcony)
    await befriend(romeo, juliet)
    await block(romeo, juliet.account, 'capulet.example')
    juliet.drain()

    await unblock(romeo, juliet.account)

    await juliet.receivesNothing()
  },
)

story('XEP-0191 §4: own resources and the own host are never shut out', async ({ online }) => {
  const home = await online(romeoHome)
  const phone = await online(romeoPhone)
  home.drain()
  await block(home, 'montague.example')

  await home.send`<message to='${phone.jid}' type='headline'><body>x</body></message>`
  await home.send`<iq to='montague.example' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`

  assert.equal(phone.drain().length, 1)
  home.receives`<iq type='result' id='p' from='montague.example' to='${home.jid}'/>`
})

for (const [what, content, type, condition] of [
  ['a block of nobody is bad-request', '', 'modify', 'bad-request'],
  ['an item without an address is bad-request', '<item/>', 'modify', 'bad-request'],
  ['an address that is none is jid-malformed', items('@'), 'modify', 'jid-malformed'],
  ['the account itself is not-allowed', items(romeoPhone), 'cancel', 'not-allowed'],
] as const)
  story(`XEP-0191 §3.3: ${what}`, async ({ connect }) => {
    const romeo = await connect(romeoHome)

    await romeo.send`<iq type='set' id='1' to='${romeo.account}'>${command('block', content)}</iq>`

    const [answer] = romeo.drain()
    const error = answer?.child('error', 'jabber:client')
    assert.equal(error?.attrs.type, type)
    assert.ok(error?.getChild(condition, NS_ERRORS))
    await lists(romeo)
  })

story('the list of somebody else stays shut', async ({ connect }) => {
  const romeo = await connect(romeoHome)
  const juliet = await connect(julietBalcony)

  await romeo.send`<iq type='set' id='1' to='${juliet.account}'>${command('block', items('a@b.example'))}</iq>`
  await romeo.send`<iq type='get' id='2' to='${juliet.account}'><blocklist xmlns='${NS}'/></iq>`

  for (const id of ['1', '2'])
    romeo.receives`<iq type='error' id='${id}' from='${juliet.account}' to='${romeo.jid}'>${unavailable}</iq>`
  await lists(juliet)
})

story(
  'a block list has a limit, and a block that passes it does nothing',
  { modules: { blocking: { addresses: 2 } } },
  async ({ connect }) => {
    const romeo = await connect(romeoHome)
    await block(romeo, 'a@x.example', 'b@x.example')

    await block(romeo, 'b@x.example')
    await romeo.send`<iq type='set' id='1' to='${romeo.account}'>${command('block', items('b@x.example', 'c@x.example'))}</iq>`

    romeo.receives`<iq type='error' id='1' from='${romeo.account}' to='${romeo.jid}'><error type='modify'><policy-violation xmlns='${NS_ERRORS}'/><text xmlns='${NS_ERRORS}' xml:lang='en'>{any}</text></error></iq>`
    await lists(romeo, 'a@x.example', 'b@x.example')
  },
)

const complain = (jid: string, text = 'Trouble') =>
  `<item jid='${jid}'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'><stanza-id xmlns='urn:xmpp:sid:0' by='${jid}' id='s1'/><text>${text}</text></report></item>`

type Reports = { readonly reports: readonly Readonly<Record<string, unknown>>[] }
const reportsOf = async (
  command: (name: string, given: unknown) => Promise<unknown>,
  reporter: string,
) =>
  ((await command('report list', {})) as Reports).reports.filter(
    (report) => report.reporter === reporter,
  )

story('XEP-0377 §6: a report is kept for the operators', async ({ connect, command: run }) => {
  const romeo = await connect(romeoHome)

  await romeo.send`<iq type='set' id='1'>${command('block', complain('spammer@spam.example'))}</iq>`
  romeo.receives`${result(romeo, '1')}`
  await lists(romeo, 'spammer@spam.example')
  await unblock(romeo, 'spammer@spam.example')

  const [report, ...others] = await reportsOf(run, romeo.account)
  assert.deepEqual(others, [])
  const { id, at, ...said } = report ?? {}
  assert.deepEqual(said, {
    reporter: romeo.account,
    jid: 'spammer@spam.example',
    reason: 'urn:xmpp:reporting:spam',
    text: 'Trouble',
    stanzaIds: ['s1'],
    reportOrigin: false,
    thirdParty: false,
  })
  assert.ok(typeof at === 'string')
  await run('report delete', { jid: romeo.account, id })
  assert.deepEqual(await reportsOf(run, romeo.account), [])
})

story(
  'reports have a limit: the oldest make way',
  { modules: { blocking: { reports: 2 } } },
  async ({ connect, command: run }) => {
    const romeo = await connect(romeoHome)

    for (const name of ['a', 'b', 'c'])
      await romeo.send`<iq type='set' id='1'>${command('block', complain(`${name}@spam.example`))}</iq>`

    const reports = await reportsOf(run, romeo.account)
    assert.deepEqual(reports.map(({ jid }) => jid).sort(), ['b@spam.example', 'c@spam.example'])
  },
)

story(
  'an account that is made anew has an empty list',
  { memoryOnly: 'only there the kit makes an account twice' },
  async ({ connect, command: run }) => {
    const romeo = await connect(romeoHome)
    await romeo.send`<iq type='set' id='1'>${command('block', complain('a@spam.example'))}</iq>`

    await run('user delete', { jid: romeo.account })
    const reborn = await connect(romeoHome)

    await lists(reborn)
    assert.deepEqual(await reportsOf(run, reborn.account), [])
  },
)
