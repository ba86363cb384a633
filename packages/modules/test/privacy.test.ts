import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  activate,
  apply,
  blocking,
  blockList,
  deny,
  edit,
  juliet,
  julietBalcony,
  list,
  notAcceptable,
  nurse,
  pushed,
  query,
  refuses,
  result,
  romeoHome,
  romeoPhone,
  set,
  shows,
  unavailable,
  useByDefault,
} from './privacy/words.ts'

story(
  'XEP-0016 §2.3 to §2.8: lists are made, asked for, applied and removed',
  async ({ connect }) => {
    const romeo = await connect(romeoHome)
    const open = `<item action='allow' order='2'/>`
    await shows(romeo, query(''), query(''))

    await edit(romeo, 'public', `${open}${deny('tybalt@example.com', 1, '<iq/><message/>')}`)
    await edit(
      romeo,
      'private',
      `<item type='subscription' value='both' action='allow' order='10'/>`,
    )
    await useByDefault(romeo, 'public')
    await activate(romeo, 'private')

    await shows(
      romeo,
      query(''),
      query(
        `<active name='private'/><default name='public'/><list name='public'/><list name='private'/>`,
      ),
    )
    await shows(
      romeo,
      list('public'),
      list('public', `${deny('tybalt@example.com', 1, '<iq/><message/>')}${open}`),
    )
    await set(romeo, query('<active/>'))
    await set(romeo, query('<default/>'))
    await set(romeo, list('private'))
    romeo.receives`<iq type='set' id='{any}' to='${romeo.jid}'>${list('private')}</iq>`
    await shows(romeo, query(''), query(`<list name='public'/>`))
  },
)

for (const [what, type, content, condition] of [
  ['§2.3: a list that there is not', 'get', list('x'), 'item-not-found'],
  ['§2.3: two lists at once', 'get', query(`<list name='a'/><list name='b'/>`), 'bad-request'],
  ['§2.4: an active list that there is not', 'set', query(`<active name='x'/>`), 'item-not-found'],
  ['§2.5: a default list that there is not', 'set', query(`<default name='x'/>`), 'item-not-found'],
  ['§2.8: a removal of what there is not', 'set', list('x'), 'item-not-found'],
  ['§2.8: two lists at once', 'set', query(`<list name='a'/><list name='b'/>`), 'bad-request'],
  ['§2.1: nothing', 'set', query(''), 'bad-request'],
  ['§2.1: the same order twice', 'set', list('a', deny('a@b', 1) + deny('c@d', 1)), 'bad-request'],
  ['§2.1: no action', 'set', list('a', `<item order='1'/>`), 'bad-request'],
  ['§2.1: no order', 'set', list('a', `<item action='deny'/>`), 'bad-request'],
  ['§2.1: a negative order', 'set', list('a', `<item action='deny' order='-1'/>`), 'bad-request'],
  ['§2.1: no JID', 'set', list('a', deny('@', 1)), 'bad-request'],
  [
    '§2.1: no subscription',
    'set',
    list('a', `<item type='subscription' value='x' action='deny' order='1'/>`),
    'bad-request',
  ],
  [
    '§2.1: a group that there is not',
    'set',
    list('a', `<item type='group' value='x' action='deny' order='1'/>`),
    'item-not-found',
  ],
] as const)
  story(`XEP-0016 ${what} is ${condition}`, async ({ connect }) => {
    const romeo = await connect(romeoHome)
    assert.equal(await refuses(romeo, type, content), condition)
    await shows(romeo, query(''), query(''))
  })

story('XEP-0016 §2.2: a changed list is pushed to all resources', async ({ connect }) => {
  const home = await connect(romeoHome)
  const phone = await connect(romeoPhone)

  await edit(home, 'public', deny('a@b.example', 1))

  phone.receives`<iq type='set' id='{any}' to='${phone.jid}'>${list('public')}</iq>`
  await phone.receivesNothing()
})

story(
  'XEP-0016 §2.2: what applies to another resource is neither removed nor replaced',
  async ({ connect }) => {
    const home = await connect(romeoHome)
    await edit(home, 'one', deny('a@b.example', 1))
    await edit(home, 'two', deny('c@d.example', 1))
    await useByDefault(home, 'one')
    const phone = await connect(romeoPhone)

    for (const content of [query(`<default name='two'/>`), query('<default/>'), list('one')])
      assert.equal(await refuses(home, 'set', content), 'conflict')
    await activate(phone, 'two')
    assert.equal(await refuses(home, 'set', list('two')), 'conflict')
    await useByDefault(home, 'two')
  },
)

for (const [what, rule] of [
  ['the JID', deny(juliet, 1, '<message/>')],
  ['the resource', deny(julietBalcony, 1, '<message/>')],
  ['the domain', deny('capulet.example', 1, '<message/>')],
  [
    'the subscription',
    `<item type='subscription' value='none' action='deny' order='1'><message/></item>`,
  ],
  ['everybody', `<item action='deny' order='1'><message/></item>`],
] as const)
  story(`XEP-0016 §2.9: messages are blocked by ${what}, nothing else is`, async ({ online }) => {
    const romeo = await online(romeoHome)
    const other = await online(julietBalcony)
    await apply(romeo, rule)

    await other.send`<message to='${romeo.account}' type='chat' id='1'><body>x</body></message>`
    other.receives`<message type='error' id='1' from='${romeo.account}' to='${other.jid}'>${unavailable}</message>`
    await other.send`<iq to='${romeo.jid}' type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>`
    romeo.receives`<iq to='${romeo.jid}' from='${other.jid}' type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>`
    await romeo.send`<message to='${other.jid}' type='headline'><body>y</body></message>`
    assert.equal(other.drain().length, 1)
    await romeo.receivesNothing()
  })

story(
  'XEP-0016 §2.2: rules follow the roster, and the first that matches decides',
  async ({ online }) => {
    const romeo = await online(romeoHome)
    const other = await online(julietBalcony)
    const item = (group: string) =>
      `<query xmlns='jabber:iq:roster'><item jid='${juliet}'><group>${group}</group></item></query>`
    await set(romeo, item('Enemies'))
    await apply(
      romeo,
      `<item type='group' value='Enemies' action='deny' order='5'/><item type='jid' value='${juliet}' action='allow' order='9'/>`,
    )
    await other.send`<message to='${romeo.jid}' type='headline'><body>1</body></message>`
    await romeo.receivesNothing()

    await set(romeo, item('Friends'))
    await other.send`<message to='${romeo.jid}' type='headline'><body>2</body></message>`
    assert.equal(romeo.drain().length, 1)

    await edit(
      romeo,
      'rules',
      `<item type='jid' value='${juliet}' action='allow' order='1'/><item action='deny' order='2'/>`,
    )
    await other.send`<message to='${romeo.jid}' type='headline'><body>3</body></message>`
    assert.equal(romeo.drain().length, 1)
  },
)

story(
  'XEP-0016 §2.10: presence is not let in, subscriptions and probes are',
  async ({ online, befriend }) => {
    const romeo = await online(romeoHome)
    const other = await online(julietBalcony)
    await befriend(romeo, other)
    await apply(romeo, `<item action='deny' order='1'><presence-in/></item>`)

    await other.send`<presence><show>away</show></presence>`
    await romeo.receivesNothing()
    await romeo.send`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
    for (const client of [romeo, other]) client.drain()
    await other.send`<presence type='probe' to='${romeo.account}'/>`
    other.receives`<presence from='${romeo.jid}' to='${other.jid}'/>`
    await other.send`<presence type='unsubscribe' to='${romeo.account}'/>`
    assert.equal(romeo.drain()[0]?.type, 'unsubscribe')
  },
)

story(
  'XEP-0016 §2.11: presence does not go out, and who had it is told that it is gone',
  async ({ online, befriend }) => {
    const romeo = await online(romeoHome)
    const other = await online(julietBalcony)
    await befriend(romeo, other)

    await apply(
      romeo,
      `<item type='subscription' value='both' action='deny' order='1'><presence-out/></item>`,
    )
    other.receives`<presence type='unavailable' from='${romeo.jid}' to='${other.account}'/>`
    await romeo.send`<presence><show>away</show></presence>`
    await other.receivesNothing()
    await other.send`<presence type='probe' to='${romeo.account}'/>`
    other.receives`<presence type='unavailable' from='${romeo.account}' to='${other.jid}'/>`
    romeo.drain()
    await romeo.send`<presence to='${other.jid}' id='p'/>`
    romeo.receives`<presence type='error' id='p' from='${other.jid}' to='${romeo.jid}'>${notAcceptable}</presence>`

    await set(romeo, query('<default/>'))
    other.receives`<presence from='${romeo.jid}' to='${other.account}'><show>away</show></presence>`
  },
)

story(
  'XEP-0016 §2.12: IQ stanzas are blocked',
  { memoryOnly: 'what a barrier asks is answered by such stanzas' },
  async ({ online }) => {
    const romeo = await online(romeoHome)
    const other = await online(julietBalcony)
    await apply(romeo, `<item action='deny' order='1'><iq/></item>`)

    for (const to of [romeo.jid, romeo.account]) {
      await other.send`<iq to='${to}' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`
      other.receives`<iq from='${to}' to='${other.jid}' type='error' id='1'>${unavailable}</iq>`
    }
    await other.send`<iq to='${romeo.jid}' type='result' id='2'/>`
    for (const client of [romeo, other]) await client.receivesNothing()
    // §2.1: never its own resources, nor its server.
    await romeo.send`<iq to='montague.example' type='get' id='3'><ping xmlns='urn:xmpp:ping'/></iq>`
    romeo.receives`<iq type='result' id='3' from='montague.example' to='${romeo.jid}'/>`
  },
)

story(
  'XEP-0016 §2.13: all communication is blocked, in both directions',
  async ({ online, befriend }) => {
    const romeo = await online(romeoHome)
    const other = await online(julietBalcony)
    await befriend(romeo, other)
    await apply(romeo, `<item type='subscription' value='both' action='deny' order='1'/>`)
    other.drain()

    await other.send`<message to='${romeo.jid}' type='headline'><body>x</body></message>`
    await other.send`<presence type='probe' to='${romeo.account}'/>`
    await other.send`<iq to='${romeo.jid}' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`
    await romeo.send`<message to='${other.jid}' id='2'><body>x</body></message>`

    assert.deepEqual(
      other.drain().map(({ name, type }) => `${name} ${type}`),
      ['message error', 'iq error'],
    )
    romeo.receives`<message type='error' id='2' from='${other.jid}' to='${romeo.jid}'>${notAcceptable}</message>`
  },
)

story(
  'XEP-0016 §2.2: an active list is for one resource, in place of the default list',
  async ({ online }) => {
    const home = await online(romeoHome)
    const phone = await online(romeoPhone)
    const other = await online(julietBalcony)
    for (const client of [home, phone]) client.drain()
    await edit(home, 'quiet', `<item action='deny' order='1'><message/></item>`)
    phone.drain()
    await activate(home, 'quiet')

    await other.send`<message to='${home.account}' type='chat'><body>1</body></message>`
    assert.equal(phone.drain().length, 1)
    await other.send`<message to='${phone.jid}' type='chat'><body>2</body></message>`
    assert.equal(phone.drain().length, 1)
    await other.send`<message to='${home.jid}' type='chat' id='3'><body>3</body></message>`
    other.receives`<message type='error' id='3' from='${home.jid}' to='${other.jid}'>${unavailable}</message>`
    await home.receivesNothing()
  },
)

story(
  'XEP-0191 §5: the block list is the default list, and changes with it',
  async ({ connect }) => {
    const romeo = await connect(romeoHome)
    await blocking(romeo, 'block', juliet)
    await shows(romeo, query(''), query(`<default name='blocked'/><list name='blocked'/>`))
    await shows(romeo, list('blocked'), list('blocked', deny(juliet, 1)))
    await blockList(romeo, juliet)

    await set(romeo, list('blocked', `${deny(nurse, 3)}<item action='deny' order='7'><iq/></item>`))
    assert.deepEqual(pushed(romeo), ['block', 'query', 'unblock'])
    await blockList(romeo, nurse)

    await blocking(romeo, 'block', juliet)
    assert.deepEqual(pushed(romeo), ['block', 'query'])
  },
)

story(
  'XEP-0191 §5: a list that becomes the default one brings its block list',
  async ({ online }) => {
    const romeo = await online(romeoHome)
    const other = await online(julietBalcony)
    await blockList(romeo)
    await edit(romeo, 'strict', `${deny(juliet, 1)}<item action='deny' order='2'><iq/></item>`)

    await useByDefaultWithPush(romeo, 'strict', 'block', juliet)
    await blockList(romeo, juliet)
    await other.send`<message to='${romeo.jid}' type='headline'><body>x</body></message>`
    await romeo.receivesNothing()

    await useByDefaultWithPush(romeo, undefined, 'unblock', juliet)
    await blockList(romeo)
    await shows(
      romeo,
      list('strict'),
      list('strict', `${deny(juliet, 1)}<item action='deny' order='2'><iq/></item>`),
    )
    other.drain()
    await other.send`<message to='${romeo.jid}' type='headline'><body>x</body></message>`
    assert.equal(romeo.drain().length, 1)
  },
)

async function useByDefaultWithPush(
  client: Client,
  name: string | undefined,
  command: string,
  jid: string,
): Promise<void> {
  await client.send`<iq type='set' id='d'>${query(name === undefined ? '<default/>' : `<default name='${name}'/>`)}</iq>`
  client.receives`${result(client, 'd')}`
  client.receives`<iq type='set' id='{any}' to='${client.jid}'><${command} xmlns='urn:xmpp:blocking'><item jid='${jid}'/></${command}></iq>`
}

story(
  'lists are the account’s own, and are gone with it',
  { memoryOnly: 'only there the kit makes an account twice' },
  async ({ connect, command }) => {
    const romeo = await connect(romeoHome)
    const other = await connect(julietBalcony)
    await other.send`<iq type='get' id='1' to='${romeo.account}'>${query('')}</iq>`
    other.receives`<iq type='error' id='1' from='${romeo.account}' to='${other.jid}'>${unavailable}</iq>`
    await edit(romeo, 'a', `<item action='deny' order='1'/>`)

    await command('user delete', { jid: romeo.account })
    const reborn = await connect(romeoHome)

    await shows(reborn, query(''), query(''))
  },
)

story(
  'lists have limits',
  { modules: { privacy: { lists: 1, bytes: 300 } } },
  async ({ connect }) => {
    const romeo = await connect(romeoHome)
    await edit(romeo, 'a', deny('a@b.example', 1))
    assert.equal(await refuses(romeo, 'set', list('b', deny('a@b.example', 1))), 'policy-violation')
    const many = [1, 2, 3, 4, 5].map((order) => deny('a@b.example', order)).join('')
    assert.equal(await refuses(romeo, 'set', list('a', many)), 'policy-violation')
  },
)
