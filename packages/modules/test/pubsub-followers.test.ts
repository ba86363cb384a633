import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { create, get, newNode, rule, service, set, subscribe } from './pubsub/service-words.ts'
import {
  ask,
  event,
  item,
  juliet as julietAccount,
  julietBalcony,
  publish as publishOwn,
  romeoHome,
  tune,
} from './pubsub/words.ts'

const NS_PUBLIC = 'urn:xmpp:pps:0'
const followers = (node: string) => `urn:xmpp:pps:subscribers:0/${node}`

const follow = (client: Client, node: string, { to = service, jid = client.account } = {}) =>
  set(
    client,
    `<subscribe node='${node}' jid='${jid}'><public xmlns='${NS_PUBLIC}'/></subscribe>`,
    to,
  )
const items = (client: Client, node: string, to = service) =>
  get(client, `<items node='${followers(node)}'/>`, to)
/** Who is told to follow a node. */
const followersOf = async (client: Client, node: string, to = service): Promise<string[]> =>
  [
    ...(await items(client, node, to)).matchAll(
      new RegExp(`<item id='[^']*'><subscriber xmlns='${NS_PUBLIC}' jid='([^']*)'/></item>`, 'g'),
    ),
  ]
    .map((found) => found[1] ?? '')
    .sort()

story(
  'XEP-0465 §4.1, §4.4: who subscribes publicly is told, who does not is not',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const mercutio = await online('mercutio@montague.example/square')
    const node = newNode()
    await create(juliet, node)
    assert.deepEqual(await followersOf(mercutio, node), [], 'nobody does yet')

    assert.match(await follow(romeo, node), /subscription='subscribed'/)
    await subscribe(mercutio, node)

    assert.deepEqual(await followersOf(mercutio, node), [romeo.account])
  },
)

story('XEP-0465 §4.3: what was public is not, for who says so or goes', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const mercutio = await online('mercutio@montague.example/square')
  const node = newNode()
  await create(juliet, node)
  for (const client of [romeo, mercutio]) await follow(client, node)
  assert.deepEqual(await followersOf(juliet, node), [mercutio.account, romeo.account])

  await subscribe(romeo, node)
  assert.deepEqual(await followersOf(juliet, node), [mercutio.account])
  await follow(romeo, node)
  assert.deepEqual(await followersOf(juliet, node), [mercutio.account, romeo.account])
  await set(romeo, `<unsubscribe node='${node}' jid='${romeo.account}'/>`)
  assert.deepEqual(await followersOf(juliet, node), [mercutio.account])

  // An owner ends it.
  await rule(
    juliet,
    `<subscriptions node='${node}'><subscription jid='${mercutio.account}' subscription='none'/></subscriptions>`,
  )
  assert.deepEqual(await followersOf(juliet, node), [])
})

story('XEP-0465 §4.4: who wants to know of followers subscribes to that', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await create(juliet, node)
  assert.match(await subscribe(juliet, followers(node)), /subscription='subscribed'/)

  await follow(romeo, node)
  await juliet.arrived(1)
  const sid = `<stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${juliet.account}'/>`
  const told = (content: string) =>
    event(juliet.account, `<items node='${followers(node)}'>${content}</items>`, {
      from: service,
      rest: sid,
    })
  const subscriber = `<subscriber xmlns='${NS_PUBLIC}' jid='${romeo.account}'/>`
  juliet.receives`${told(item(romeo.account, subscriber))}`

  await set(romeo, `<unsubscribe node='${node}' jid='${romeo.account}'/>`)
  await juliet.arrived(1)
  juliet.receives`${told(`<retract id='${romeo.account}'/>`)}`
})

story('XEP-0465 §5: these nodes are the service’s, and nobody else’s to change', async (tale) => {
  const [juliet, romeo] = [await tale.online(julietBalcony), await tale.online(romeoHome)]
  const node = newNode()
  await create(juliet, node)
  const list = followers(node)
  const own = (content: string) => rule(juliet, content)
  const refused = async () => {
    const claim = item('x', `<subscriber xmlns='${NS_PUBLIC}' jid='paris@capulet.example'/>`)
    assert.equal(await set(juliet, `<publish node='${list}'>${claim}</publish>`), 'auth: forbidden')
    assert.equal(await create(juliet, list), 'auth: forbidden')
  }
  await refused()
  await follow(romeo, node)
  await refused()

  assert.equal(
    await set(juliet, `<retract node='${list}'>${item(romeo.account)}</retract>`),
    'auth: forbidden',
  )
  assert.equal(await own(`<purge node='${list}'/>`), 'auth: forbidden')
  assert.equal(await own(`<delete node='${list}'/>`), 'auth: forbidden')
  assert.deepEqual(await followersOf(juliet, node), [romeo.account])
  assert.equal(await own(`<delete node='${node}'/>`), 'done')
  assert.equal(await items(juliet, node), 'cancel: item-not-found', 'it goes with its node')
})

story(
  'SECURITY: who may not have a node hears nothing of who follows it, and nobody of resources',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const paris = await online('paris@capulet.example/church')
    const node = newNode()
    await create(juliet, node, { access_model: 'authorize' })
    assert.match(await follow(romeo, node, { jid: romeo.jid }), /subscription='pending'/)
    assert.deepEqual(await followersOf(juliet, node), [], 'nobody who waits')
    await rule(
      juliet,
      `<subscriptions node='${node}'><subscription jid='${romeo.jid}' subscription='subscribed'/></subscriptions>`,
    )

    assert.deepEqual(await followersOf(juliet, node), [romeo.account])
    assert.equal(await items(paris, node), 'auth: not-authorized not-subscribed')
    assert.equal(await items(paris, newNode()), 'cancel: item-not-found')
  },
)

story('XEP-0465 §4.4: nodes of accounts have followers too', async ({ online, befriend }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  await befriend(juliet, romeo)
  const node = newNode()
  await publishOwn(juliet, node, item('a', tune('a')))

  assert.match(await follow(romeo, node, { to: julietAccount }), /subscription='subscribed'/)

  assert.deepEqual(await followersOf(romeo, node, julietAccount), [romeo.account])
  const stranger = await online('mercutio@montague.example/square')
  for (const name of [node, newNode()])
    assert.equal(
      await items(stranger, name, julietAccount),
      'auth: not-authorized presence-subscription-required',
    )
})

story('XEP-0465 §4.4: an account that goes follows nobody', async ({ online, command, settle }) => {
  const [juliet, romeo] = [
    await online(julietBalcony),
    await online('balthasar@montague.example/x'),
  ]
  const node = newNode()
  await create(juliet, node)
  await follow(romeo, node)

  await command('user delete', { jid: romeo.account })

  // The node is another entity, and hears of it after the command was answered.
  for (let asked = 0; asked < 100; asked++) {
    if ((await followersOf(juliet, node)).length === 0) break
    await settle()
  }
  assert.deepEqual(await followersOf(juliet, node), [])
})

story('XEP-0465 §6: services and accounts say that they tell', async ({ online }) => {
  const juliet = await online(julietBalcony)
  for (const to of [service, juliet.account])
    assert.match(
      await ask(juliet, 'get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`, to),
      new RegExp(`<feature var='${NS_PUBLIC}'/>`),
    )
})
