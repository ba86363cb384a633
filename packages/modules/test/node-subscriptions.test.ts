import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { get, create as makes, newNode, rule, service, set } from './pubsub/service-words.ts'
import {
  ask,
  create,
  form,
  item,
  juliet,
  julietBalcony,
  NS,
  owner,
  pubsub,
  romeoHome,
  tune,
} from './pubsub/words.ts'

const PAM = 'urn:xmpp:pam:0'
const romeo = 'romeo@montague.example'
const phone = 'romeo@montague.example/phone'

const pam = (content: string, to = service) => `<pam xmlns='${PAM}' jid='${to}'>${content}</pam>`
const named = (action: string, node: string, more = '') =>
  `<${action} xmlns='${NS}' node='${node}' jid='${romeo}'${more}/>`

interface Asked {
  /** Service. */
  readonly at?: string
  /** What comes besides. */
  readonly more?: string
}

/** Says it to the own server, and waits for the answer: `done`, or the conditions and whose they are. */
async function says(client: Client, content: string, to = ''): Promise<string> {
  await client.send`<iq type='set' id='pam'${to && ` to='${to}'`}>${content}</iq>`
  const answer = await client.hears('pam')
  if (answer.attrs.type === 'result') return answer.children.length === 0 ? 'done' : String(answer)
  const error = answer.getChild('error')
  return `${error?.attrs.by}: ${error?.getChildElements().map(({ name }) => name)}`
}
const subscribes = (client: Client, node: string, { at, more = '' }: Asked = {}) =>
  says(client, pam(named('subscribe', node) + more, at))
const unsubscribes = (client: Client, node: string, { at, more }: Asked = {}) =>
  says(client, pam(named('unsubscribe', node, more), at))

/** The next that a device is told: the version, and the subscription that changed. */
async function told(client: Client): Promise<Readonly<Record<string, string | undefined>>> {
  await client.arrived(1)
  const [message] = client.drain()
  const notify = message?.child('notify', PAM)
  const subscription = notify?.getChild('subscription', NS)
  assert(notify && subscription, String(message))
  assert.equal(message?.from, romeo)
  const { node, jid, subscription: state } = subscription.attrs
  assert.equal(jid, romeo)
  return { ver: notify.attrs.ver, service: notify.attrs.service, node, state }
}

/** What is on the list, and its version; undefined where a client is told that it has it already. */
async function listOf(
  client: Client,
  ver = '',
): Promise<{ readonly ver: string | undefined; readonly list: readonly string[] } | undefined> {
  await client.send`<iq type='get' id='list'><subscriptions xmlns='${PAM}' ver='${ver}'/></iq>`
  const answer = await client.hears('list')
  const list = answer.getChild('subscriptions', PAM)
  if (!list) return undefined
  const lines = list.getChildren('subscription').map(({ attrs }) => {
    assert.equal(attrs.jid, romeo)
    return `${attrs.service} ${attrs.node} ${attrs.subscription}`
  })
  return { ver: list.attrs.ver, list: lines }
}
const listed = async (client: Client) => (await listOf(client))?.list

story('XEP-0376 §3.1: the account says that its server does this', async ({ online }) => {
  const home = await online(romeoHome)
  const info = await ask(home, 'get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`)
  assert.match(info, new RegExp(`<feature var='${PAM}'/>`))
})

story(
  'XEP-0376 §3.2: the server subscribes for the account, tells its devices, then answers',
  async ({ online, connect }) => {
    const balcony = await online(julietBalcony)
    const [home, away] = [await online(romeoHome), await online(phone)]
    const silent = await connect('romeo@montague.example/silent')
    const node = newNode()
    await makes(balcony, node)
    home.drain()

    await home.send`<iq type='set' id='sub1'>${pam(named('subscribe', node))}</iq>`

    await home.arrived(2)
    const notify = (to: string) =>
      `<message type='headline' from='${romeo}' to='${to}' id='{any}'><notify xmlns='${PAM}' service='${service}' ver='{any}'><subscription xmlns='${NS}' node='${node}' jid='${romeo}' subid='{any}' subscription='subscribed'/></notify></message>`
    home.receives`${notify(home.jid)}`
    home.receives`<iq type='result' id='sub1' to='${home.jid}'/>`
    await away.arrived(1)
    away.receives`${notify(away.jid)}`
    await silent.receivesNothing()

    // It is a subscription as any other.
    await set(balcony, `<publish node='${node}'>${item('a', tune('a'))}</publish>`)
    for (const device of [home, away]) {
      await device.arrived(1)
      assert.match(String(device.drain()[0]), /<item id="a"|<item id='a'/)
    }
    // Nothing is news that is there already.
    assert.equal(await subscribes(home, node), 'done')
    await away.receivesNothing()
  },
)

story('XEP-0376 §3.2: at the account’s own nodes, and at those of others', async (tale) => {
  const [balcony, home] = [await tale.online(julietBalcony), await tale.online(romeoHome)]
  await create(balcony, 'plays', { access_model: 'open' })
  await create(home, 'notes')

  assert.equal(await subscribes(home, 'plays', { at: juliet }), 'done')
  assert.equal(await subscribes(home, 'notes', { at: romeo }), 'done')

  const all = [`${juliet} plays subscribed`, `${romeo} notes subscribed`]
  assert.deepEqual(await listed(home), all)
})

story('XEP-0376 §3.2: options of a subscription go with it', async ({ online }) => {
  const [balcony, home] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await makes(balcony, node)
  const options = `<options xmlns='${NS}'>${form('subscribe_options', { deliver: '0' })}</options>`

  assert.equal(await subscribes(home, node, { more: options }), 'done')

  const mine = await get(home, `<options node='${node}' jid='${romeo}'/>`)
  assert.match(mine, /<field var='pubsub#deliver'[^>]*><value>0</)
})

story('XEP-0376 §3.2: what cannot be is refused here, and says so', async ({ online }) => {
  const home = await online(romeoHome)
  const jids = [juliet, home.jid, 'romeo@', ''].map(
    (jid) => `<subscribe xmlns='${NS}' node='n' jid='${jid}'/>`,
  )
  for (const content of jids)
    assert.equal(await says(home, pam(content)), `${romeo}: bad-request,invalid-jid`)
  const nameless = `<subscribe xmlns='${NS}' jid='${romeo}'/>`
  assert.equal(await says(home, pam(nameless)), `${romeo}: bad-request,nodeid-required`)
  const both = named('subscribe', 'n') + named('unsubscribe', 'n')
  for (const content of ['', both, `<subscribe xmlns='urn:example' node='n' jid='${romeo}'/>`])
    assert.equal(await says(home, pam(content)), `${romeo}: bad-request`)
  assert.equal(await subscribes(home, 'n', { at: 'a@b@c' }), `${romeo}: jid-malformed`)
  assert.deepEqual(await listed(home), [])
})

story('XEP-0376 §3.2: a service’s refusal is handed on, and says that it is its', async (tale) => {
  const [balcony, home] = [await tale.online(julietBalcony), await tale.online(romeoHome)]
  const node = newNode()
  await makes(balcony, node, { access_model: 'whitelist' })
  const nowhere = `missing-${node}`

  assert.equal(await subscribes(home, node), `${service}: not-allowed,closed-node`)
  assert.equal(await subscribes(home, nowhere), `${service}: item-not-found`)
  assert.deepEqual(await listed(home), [])
  await home.receivesNothing()
})

story('XEP-0376 §3.3: unsubscribing, as above', async ({ online }) => {
  const balcony = await online(julietBalcony)
  const [home, away] = [await online(romeoHome), await online(phone)]
  const node = newNode()
  await makes(balcony, node)
  await subscribes(home, node)
  await told(away)
  home.drain()

  assert.equal(await unsubscribes(home, node), 'done')

  for (const device of [away, home]) {
    const { state, node: which } = await told(device)
    assert.deepEqual([state, which], ['none', node])
  }
  assert.deepEqual(await listed(away), [])
  const there = owner(`<subscriptions node='${node}'/>`)
  assert.doesNotMatch(await ask(balcony, 'get', there, service), /jid=/)
  const none = `${service}: unexpected-request,not-subscribed`
  assert.equal(await unsubscribes(home, node), none)
})

story('XEP-0376 §3.3: what was given up elsewhere goes from the list', async ({ online }) => {
  const [balcony, home] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await makes(balcony, node)
  await subscribes(home, node)
  // By a client that knows nothing of the list.
  await set(home, `<unsubscribe node='${node}' jid='${romeo}'/>`)

  const none = `${service}: unexpected-request,not-subscribed`
  assert.equal(await unsubscribes(home, node), none)

  assert.deepEqual(await listed(home), [])
})

story(
  'XEP-0376 §3.4: a new device asks for the list, and an old one whether there is another',
  async ({ online }) => {
    const [balcony, home] = [await online(julietBalcony), await online(romeoHome)]
    const [first, second] = [newNode(), newNode()]
    for (const node of [first, second]) await makes(balcony, node)
    await subscribes(home, first)
    const { ver } = await told(home)
    await home.close()

    const away = await online(phone)
    assert.deepEqual(await listOf(away), { ver, list: [`${service} ${first} subscribed`] })
    assert.equal(await listOf(away, ver), undefined)
    await subscribes(away, second)
    const next = await told(away)
    assert.notEqual(next.ver, ver)
    assert.deepEqual(await listOf(away, ver), {
      ver: next.ver,
      list: [first, second].map((node) => `${service} ${node} subscribed`),
    })
    await unsubscribes(away, first)
    await unsubscribes(away, second)
    assert.deepEqual((await listOf(away, next.ver))?.list, [])
  },
)

story(
  'XEP-0376 §2.2, XEP-0060 §8.8: what a service says later of a subscription is on the list, whoever is there',
  async ({ online }) => {
    const [balcony, home] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await makes(balcony, node, { access_model: 'authorize' })
    assert.equal(await subscribes(home, node), 'done')
    assert.equal((await told(home)).state, 'pending')
    await home.close()

    const approve = `<subscriptions node='${node}'><subscription jid='${romeo}' subscription='subscribed'/></subscriptions>`
    await rule(balcony, approve)
    const back = await online(romeoHome)
    assert.deepEqual(await listed(back), [`${service} ${node} subscribed`])

    await rule(balcony, `<delete node='${node}'/>`)
    await back.arrived(2)
    const heard = back.drain().map(String)
    assert.equal(heard.filter((text) => /<notify.*subscription=["']none/.test(text)).length, 1)
    assert.deepEqual(await listed(back), [])
  },
)

story('XEP-0376 §4: nobody else sees the list or changes it', async ({ online }) => {
  const [balcony, home] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await makes(balcony, node)
  await subscribes(home, node)
  home.drain()

  const list = `<subscriptions xmlns='${PAM}'/>`
  assert.equal(await ask(balcony, 'get', list, romeo), 'cancel: service-unavailable')
  const foreign = pam(named('subscribe', node))
  assert.equal(await ask(balcony, 'set', foreign, romeo), 'cancel: service-unavailable')
  const event = (content: string) => `<event xmlns='${NS}#event'>${content}</event>`
  for (const content of [
    `<delete node='${node}'/>`,
    `<subscription node='${node}' jid='${romeo}' subscription='none'/>`,
    `<subscription node='${node}' jid='${romeo}' subscription='pending'/>`,
    `<subscription node='hers' jid='${romeo}' subscription='subscribed'/>`,
  ])
    await balcony.send`<message to='${romeo}'>${event(content)}</message>`
  assert.deepEqual(await listed(home), [`${service} ${node} subscribed`])
})

story('XEP-0376 §3.2: asked through the host, too', async ({ online }) => {
  const [balcony, home] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await makes(balcony, node)

  assert.equal(await says(home, pam(named('subscribe', node)), 'montague.example'), 'done')
  assert.deepEqual(await listed(home), [`${service} ${node} subscribed`])
})

const app = 'app@montague.example/service'

story(
  'XEP-0376 §3.2: a service that does not answer, and one that answers what it was not asked',
  { modules: { 'node-subscriptions': { patience: 10 } } },
  async ({ online, pass }) => {
    const [plays, thief] = [await online(app), await online('app@montague.example/thief')]
    const home = await online(romeoHome)
    const asks = () => home.send`<iq type='set' id='pam'>${pam(named('subscribe', 'n'), app)}</iq>`

    await asks()
    plays.receives`<iq type='set' id='{any}' from='${romeo}' to='${app}'><pubsub xmlns='${NS}'><subscribe node='n' jid='${romeo}'/></pubsub></iq>`
    await pass(9_000)
    await home.receivesNothing()
    await pass(2_000)
    home.receives`<iq type='error' id='pam' to='${home.jid}'><error type='wait' by='${app}'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`

    await asks()
    const request = plays.drain()[0]
    assert(request)
    await thief.send`<iq type='result' id='${request.id}' to='${romeo}'/>`
    await plays.send`<iq type='result' id='guess' to='${romeo}'/>`
    await home.receivesNothing()
    // Old services answer with nothing.
    await plays.send`<iq type='result' id='${request.id}' to='${romeo}'/>`
    assert.equal((await told(home)).state, 'subscribed')
    assert.deepEqual(await listed(home), [`${app} n subscribed`])
  },
)

story(
  'XEP-0376: several subscriptions to a node have names, and go one by one',
  { memoryOnly: 'a client plays the service' },
  async ({ online }) => {
    const [plays, home] = [await online(app), await online(romeoHome)]
    const answers = async (subid: string, subscription: string) => {
      const request = plays.drain()[0]
      const content = `<subscription node='n' jid='${romeo}' subid='${subid}' subscription='${subscription}'/>`
      await plays.send`<iq type='result' id='${request?.id}' to='${romeo}'>${pubsub(content)}</iq>`
      assert.equal((await home.hears('pam')).attrs.type, 'result')
      home.drain()
    }
    const asks = (content: string) => home.send`<iq type='set' id='pam'>${pam(content, app)}</iq>`
    for (const subid of ['one', 'two']) {
      await asks(named('subscribe', 'n'))
      await answers(subid, 'subscribed')
    }
    assert.equal((await listed(home))?.length, 2)

    await asks(named('unsubscribe', 'n', ` subid='one'`))
    await answers('one', 'none')
    await home.send`<iq type='get' id='l'><subscriptions xmlns='${PAM}'/></iq>`
    assert.match(String(await home.hears('l')), /subid=["']two["']/)
  },
)

story(
  '`subscriptions`, `bytes`, `requests`: the list and what is asked for have bounds',
  { modules: { 'node-subscriptions': { subscriptions: 3, bytes: 2_000, requests: 2 } } },
  async ({ online }) => {
    const [plays, home] = [await online(app), await online(romeoHome)]
    const asks = (node: string) =>
      home.send`<iq type='set' id='pam'>${pam(named('subscribe', node), app)}</iq>`
    const full = `${romeo}: policy-violation,too-many-subscriptions`
    assert.equal(await subscribes(home, 'n'.repeat(2_000), { at: app }), full)

    await asks('a')
    await asks('b')
    assert.equal(await subscribes(home, 'c', { at: app }), `${romeo}: resource-constraint`)
    for (const request of plays.drain())
      await plays.send`<iq type='result' id='${request.id}' to='${romeo}'/>`
    home.drain()
    await asks('c')
    // Two that there are, one that is asked for.
    assert.equal(await subscribes(home, 'd', { at: app }), full)
  },
)

story('XEP-0191 §3.3: who is shut out is not subscribed to', async ({ online }) => {
  const home = await online(romeoHome)
  await home.send`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='${service}'/></block></iq>`
  home.drain()
  assert.equal(await subscribes(home, 'n'), `${romeo}: not-acceptable`)
})

story('an account that goes takes its subscriptions along', async ({ online, command }) => {
  const [plays, home] = [await online(app), await online(romeoHome)]
  await home.send`<iq type='set' id='pam'>${pam(named('subscribe', 'n'), app)}</iq>`
  await plays.arrived(1)
  const request = plays.drain()[0]
  await plays.send`<iq type='result' id='${request?.id}' to='${romeo}'/>`
  await home.hears('pam')

  await command('user delete', { jid: romeo })

  await plays.arrived(1)
  plays.receives`<iq type='set' id='{any}' from='${romeo}' to='${app}'><pubsub xmlns='${NS}'><unsubscribe node='n' jid='${romeo}'/></pubsub></iq>`
})
