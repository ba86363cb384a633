import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { configure, gathered, newRoom } from './muc/scene.ts'
import {
  affiliate,
  configure as configureNode,
  create,
  get,
  newNode,
  publish,
  rule,
  service,
  set,
  subscribe,
  subscribing,
} from './pubsub/service-words.ts'
import { ask, event, idsOf, julietBalcony, romeoHome } from './pubsub/words.ts'

const SPACES = 'urn:xmpp:spaces:0'
const DISCO = 'http://jabber.org/protocol/disco'

const conference = (name: string) => `<conference xmlns='urn:xmpp:bookmarks:1' name='${name}'/>`
/** What an owner hears of a subscription. */
const told = (owner: Client, node: string, subscriber: Client, subscription: string) =>
  event(
    owner.account,
    `<subscription node='${node}' jid='${subscriber.account}' subscription='${subscription}'/>`,
    {
      from: service,
      rest: `<stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${owner.account}'/>`,
    },
  )
const nodeField = 'muc#roomconfig_pubsub'
const fieldsOf = (form: string): ReadonlyMap<string, string> =>
  new Map(
    [...form.matchAll(/<field [^>]*var='([^']+)'[^>]*><value>([^<]*)/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  )

story('XEP-0503 §4: the service can all that spaces need', async ({ online }) => {
  const juliet = await online(julietBalcony)

  const info = await ask(juliet, 'get', `<query xmlns='${DISCO}#info'/>`, service)

  const needed =
    'subscribe create-nodes delete-nodes config-node meta-data delete-items retract-items multi-items item-ids manage-subscriptions retrieve-items member-affiliation modify-affiliations retrieve-affiliations get-pending'
  for (const feature of needed.split(' '))
    assert(info.includes(`'http://jabber.org/protocol/pubsub#${feature}'`), feature)
})

story('XEP-0503 §3: a space is configured as spaces must be', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const node = newNode('space')

  await create(juliet, node, { type: SPACES, title: 'Verona' })

  const values = fieldsOf(await rule(juliet, `<configure node='${node}'/>`, 'get'))
  for (const [name, value] of [
    ['notify_retract', '1'],
    ['persist_items', '1'],
    ['purge_offline', '0'],
    ['notify_sub', '1'],
    ['notify_config', '1'],
    ['notify_delete', '1'],
    ['publish_model', 'publishers'],
  ] as const)
    assert.equal(values.get(`pubsub#${name}`), value, name)
  for (const fields of [{ notify_retract: '0' }, { persist_items: '0' }, { purge_offline: '1' }])
    assert.equal(await configureNode(juliet, node, fields), 'modify: not-acceptable')
})

story('XEP-0503 §5.4: a space holds rooms, nodes, addresses and images', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode('space')
  await create(juliet, node, { type: SPACES })
  const children = {
    'orchard@conference.capulet.example': conference('The orchard'),
    'some-hash': `<subscription xmlns='urn:xmpp:pubsub:subscription:0' server='${service}' node='news'/>`,
    'https://capulet.example/': `<x xmlns='jabber:x:oob'><url>https://capulet.example/</url></x>`,
    'urn:xmpp:spaces:avatar:metadata:0': `<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='420' type='image/jpeg' id='00'/></metadata>`,
  }

  for (const [id, payload] of Object.entries(children))
    assert.match(await publish(juliet, node, id, payload), new RegExp(`<item id='${id}'`))

  const held = await get(romeo, `<items node='${node}'/>`)
  assert.deepEqual(idsOf(held).sort(), Object.keys(children).sort())
  assert.match(held, /<conference xmlns='urn:xmpp:bookmarks:1' name='The orchard'\/>/)
})

story('XEP-0503 §3: the owner learns who joins a space, and who leaves it', async (scene) => {
  const [juliet, romeo] = [await scene.online(julietBalcony), await scene.online(romeoHome)]
  const paris = await scene.online('paris@capulet.example/church')
  const [space, quiet] = [newNode('space'), newNode()]
  await create(juliet, space, { type: SPACES })
  await create(juliet, quiet)
  await affiliate(juliet, space, paris, 'owner')
  for (const client of [juliet, paris]) client.drain()
  const hears = async (owner: Client, subscription: string) => {
    await owner.arrived(1)
    owner.receives`${told(owner, space, romeo, subscription)}`
  }

  await subscribe(romeo, quiet)
  await subscribe(romeo, space)
  for (const client of [juliet, paris]) await hears(client, 'subscribed')
  await set(romeo, `<unsubscribe node='${space}' jid='${romeo.account}'/>`)
  for (const client of [juliet, paris]) await hears(client, 'none')

  // An owner knows what it does itself.
  const cell = await scene.online('paris@capulet.example/cell')
  paris.drain()
  await subscribe(cell, space)
  await juliet.arrived(1)
  juliet.drain()
  await paris.receivesNothing()
})

story('XEP-0503 §3: owners of a private space learn whom one of them lets in', async (scene) => {
  const [juliet, romeo] = [await scene.online(julietBalcony), await scene.online(romeoHome)]
  const paris = await scene.online('paris@capulet.example/church')
  const node = newNode('space')
  await create(juliet, node, { type: SPACES, access_model: 'authorize' })
  await affiliate(juliet, node, paris, 'owner')
  const settle = (state: string) =>
    rule(
      juliet,
      `<subscriptions node='${node}'><subscription jid='${romeo.account}' subscription='${state}'/></subscriptions>`,
    )
  const asks = async () => {
    assert.match(await set(romeo, subscribing(romeo, node)), /subscription='pending'/)
    await paris.arrived(1)
    assert.match(String(paris.drain()), /#subscribe_authorization/)
  }

  await asks()
  assert.equal(await settle('none'), 'done')
  // Who was turned down was no member.
  await paris.receivesNothing()
  await asks()
  assert.equal(await settle('subscribed'), 'done')
  await paris.arrived(1)
  paris.receives`${told(paris, node, romeo, 'subscribed')}`
})

story('XEP-0503 §5.5, XEP-0045 §6.4: a room tells which space it is in', async (tale) => {
  const room = newRoom()
  const parent = 'xmpp:pubsub.montague.example?;node=verona'
  const [witch] = await gathered(tale, room, { firstwitch: 'crone1@montague.example/desktop' })
  assert(witch)
  const info = async () => {
    await witch.send`<iq type='get' id='info' to='${room}'><query xmlns='${DISCO}#info'/></iq>`
    return String(await witch.hears('info'))
  }
  assert.doesNotMatch(await info(), /spaces|pubsub/)

  await configure(witch, room, { [nodeField]: parent })
  witch.drain()

  const told = await info()
  assert.match(told, /<feature var='urn:xmpp:spaces:0'\/>/)
  assert.match(told, /<value>urn:xmpp:spaces:0<\/value>/)
  const fields = fieldsOf(told)
  assert.equal(fields.get('parent'), parent)
  assert.equal(fields.get(nodeField), parent)

  // What leads nowhere is not shown to everybody who asks.
  for (const wrong of ['https://example.org/', 'xmpp:@?;node=a', 'xmpp:example.org', '%']) {
    await configure(witch, room, { [nodeField]: wrong })
    assert.match(String(await witch.hears('configure')), /<not-acceptable[^>]*>.*a URI such as/)
  }
})
