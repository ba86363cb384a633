import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  ask,
  create,
  form,
  idsOf,
  item,
  items,
  juliet,
  julietBalcony,
  NS,
  options,
  owner,
  publish,
  pubsub,
  romeoHome,
  TUNE,
  tune,
} from './pubsub/words.ts'

const node = 'princely_musings'
const NS_RSM = 'http://jabber.org/protocol/rsm'

async function publishes(client: Client, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) await publish(client, node, item(id, tune(id)))
}

story('XEP-0060 §7.1.1: an item with an id, and one without', async ({ online }) => {
  const owner = await online(julietBalcony)

  assert.equal(
    await publish(owner, node, item('a', tune('One'))),
    pubsub(`<publish node='${node}'><item id='a'/></publish>`),
  )
  const answer = await publish(owner, node, `<item>${tune('Two')}</item>`)

  const [id] = idsOf(answer)
  assert(id && id !== 'a')
  assert.deepEqual(idsOf(await items(owner, node)), [id])
})

story('XEP-0060 §7.1.3: an item that has the id of another takes its place', async ({ online }) => {
  const owner = await online(julietBalcony)
  await create(owner, node, { max_items: '3' })
  await publishes(owner, 'a', 'b')

  await publish(owner, node, item('a', tune('New')))

  assert.equal(
    await items(owner, node),
    pubsub(`<items node='${node}'>${item('a', tune('New'))}${item('b', tune('b'))}</items>`),
  )
})

story(
  'XEP-0060 §6.5: all items, some, the most recent, and those that are named',
  async ({ online }) => {
    const owner = await online(julietBalcony)
    await create(owner, node, { max_items: 'max' })
    await publishes(owner, 'a', 'b', 'c', 'd')
    const page = async (set: string) =>
      await ask(
        owner,
        'get',
        pubsub(`<items node='${node}'/><set xmlns='${NS_RSM}'>${set}</set>`),
        juliet,
      )

    assert.deepEqual(idsOf(await items(owner, node)), ['d', 'c', 'b', 'a'])
    assert.deepEqual(idsOf(await items(owner, node, "max_items='2'")), ['d', 'c'])
    assert.deepEqual(idsOf(await items(owner, node, '', item('b') + item('nothing'))), ['b'])
    assert.deepEqual(idsOf(await items(owner, node, '', item('nothing'))), [])
    const first = await page('<max>2</max>')
    assert.deepEqual(idsOf(first), ['d', 'c'])
    assert.match(first, /<first index='0'>d<\/first><last>c<\/last><count>4<\/count>/)
    assert.deepEqual(idsOf(await page('<max>2</max><after>c</after>')), ['b', 'a'])
    assert.deepEqual(idsOf(await page('<max>3</max><before/>')), ['c', 'b', 'a'])
    assert.deepEqual(idsOf(await page('<max>1</max><before>b</before>')), ['c'])
    assert.equal(await page('<after>nothing</after>'), 'cancel: item-not-found')
  },
)

story(
  'XEP-0060 §6.5.4: an answer that would be too large is cut, and says so',
  { modules: { pubsub: { pageBytes: 200 } } },
  async ({ online }) => {
    const owner = await online(julietBalcony)
    await create(owner, node, { max_items: '10' })
    for (const id of ['a', 'b', 'c']) await publish(owner, node, item(id, tune('x'.repeat(60))))

    const answer = await items(owner, node)

    assert.deepEqual(idsOf(answer), ['c'])
    assert.match(answer, /<count>3<\/count>/)
  },
)

story('XEP-0060 §6.5: what was removed or replaced is not found again', async ({ online }) => {
  const owner = await online(julietBalcony)
  await create(owner, node, { max_items: '2' })
  await publishes(owner, 'a', 'b', 'c')
  assert.deepEqual(idsOf(await items(owner, node)), ['c', 'b'])

  await ask(owner, 'set', pubsub(`<retract node='${node}'>${item('c')}</retract>`))
  assert.deepEqual(idsOf(await items(owner, node)), ['b'])
  await ask(owner, 'set', `<pubsub xmlns='${NS}#owner'><purge node='${node}'/></pubsub>`)
  assert.equal(await items(owner, node), pubsub(`<items node='${node}'/>`))
  await publishes(owner, 'c')
  assert.equal(
    await items(owner, node),
    pubsub(`<items node='${node}'>${item('c', tune('c'))}</items>`),
  )
})

story(
  'XEP-0060 §8.1.2, §8.1.3: instant nodes, and nodes that are made as wished',
  async ({ online }) => {
    const client = await online(julietBalcony)

    const made = await ask(client, 'set', pubsub('<create/>'))
    const [, instant] = /<create node='([^']+)'\/>/.exec(made) ?? []
    assert(instant)
    assert.equal(await create(client, node, { access_model: 'open', title: 'Musings' }), 'done')

    const list = await ask(client, 'get', `<query xmlns='http://jabber.org/protocol/disco#items'/>`)
    assert.match(list, new RegExp(`<item jid='${juliet}' node='${node}' name='Musings'/>`))
    assert.match(list, new RegExp(`<item jid='${juliet}' node='${instant}'/>`))
  },
)

story(
  'a quota of nodes, and of bytes',
  { modules: { pubsub: { nodes: 2, bytes: 200 } } },
  async ({ online }) => {
    const client = await online(julietBalcony)
    await create(client, 'one', { max_items: '5' })
    await create(client, 'two')

    assert.equal(await create(client, 'three'), 'modify: policy-violation max-nodes-exceeded')
    assert.match(await publish(client, 'one', item('1', tune('x'.repeat(60)))), /^<pubsub/)
    assert.equal(
      await publish(client, 'one', item('2', tune('x'.repeat(60)))),
      'modify: policy-violation',
    )
    // What is replaced makes room.
    assert.match(await publish(client, 'one', item('1', tune('y'.repeat(60)))), /^<pubsub/)
    await ask(client, 'set', owner(`<delete node='one'/>`))
    assert.match(await publish(client, 'two', item('2', tune('x'.repeat(60)))), /^<pubsub/)
  },
)

story(
  'XEP-0060 §7.1.5: options are what a new node gets, and what an old one must have',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const wishes = { access_model: 'open', max_items: 'max', persist_items: 'true' }
    const unmet = 'cancel: conflict precondition-not-met'

    assert.match(await publish(client, node, item('1', tune('1')), options(wishes)), /^<pubsub/)
    assert.match(await publish(client, node, item('2', tune('2')), options(wishes)), /^<pubsub/)
    // `max` is a number that the server knows.
    assert.match(
      await publish(client, node, item('2', tune('2')), options({ max_items: '10000' })),
      /^<pubsub/,
    )
    assert.equal(
      await publish(client, node, item('3', tune('3')), options({ access_model: 'presence' })),
      unmet,
    )
    assert.equal(
      await publish(client, node, item('3', tune('3')), options({ nonsense: '1' })),
      unmet,
    )
    assert.equal(
      await publish(client, 'other', item('3', tune('3')), options({ nonsense: '1' })),
      unmet,
    )

    assert.deepEqual(idsOf(await items(client, node)), ['2', '1'])
    assert.equal(await items(client, 'other'), 'cancel: item-not-found')
  },
)

story(
  'XEP-0060 §8.2, §8.3: the configuration is offered, taken, and has an effect',
  async ({ online }) => {
    const client = await online(julietBalcony)
    await create(client, node, { max_items: '3' })
    await publishes(client, 'a', 'b', 'c')

    const offered = await ask(client, 'get', owner(`<configure node='${node}'/>`))
    assert.match(offered, /<field var='pubsub#max_items'[^>]*><value>3<\/value>/)
    assert.match(
      await ask(client, 'get', owner('<default/>')),
      /<field var='pubsub#access_model'[^>]*><value>presence<\/value>/,
    )
    await ask(
      client,
      'set',
      owner(`<configure node='${node}'>${form('node_config', { max_items: '2' })}</configure>`),
    )

    assert.deepEqual(idsOf(await items(client, node)), ['c', 'b'])
    const cancel = "<x xmlns='jabber:x:data' type='cancel'/>"
    assert.equal(
      await ask(client, 'set', owner(`<configure node='${node}'>${cancel}</configure>`)),
      'done',
    )
  },
)

story(
  'XEP-0060 §8.4, §8.5: purge and deletion are told, with the place to go',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await create(client, node, { access_model: 'open', send_last_published_item: 'never' })
    await publishes(client, 'a')
    await ask(romeo, 'set', pubsub(`<subscribe node='${node}' jid='${romeo.account}'/>`), juliet)

    await ask(client, 'set', owner(`<purge node='${node}'/>`))
    await ask(
      client,
      'set',
      owner(`<delete node='${node}'><redirect uri='xmpp:x?;node=y'/></delete>`),
    )

    const [purged, deleted] = romeo.drain().map(String)
    assert.match(purged ?? '', new RegExp(`<purge node='${node}'/>`))
    assert.match(
      deleted ?? '',
      new RegExp(`<delete node='${node}'><redirect uri='xmpp:x\\?;node=y'/></delete>`),
    )
    assert.equal(await items(client, node), 'cancel: item-not-found')
    await create(client, node)
    assert.equal(await items(client, node), pubsub(`<items node='${node}'/>`))
  },
)

story('XEP-0060 §5.1, §5.3, §5.5: what an account says of its nodes', async ({ online }) => {
  const client = await online(julietBalcony)
  await create(client, node, { title: 'Musings', description: 'Of a prince', max_items: '2' })
  await publishes(client, 'a', 'b')
  const discover = (kind: string, attrs = '') =>
    ask(client, 'get', `<query xmlns='http://jabber.org/protocol/disco#${kind}' ${attrs}/>`)

  const account = await discover('info')
  assert.match(account, /<identity category='pubsub' type='pep'\/>/)
  for (const feature of [
    'publish',
    'publish-options',
    'auto-create',
    'access-presence',
    'filtered-notifications',
    'config-node-max',
  ])
    assert.match(account, new RegExp(`<feature var='${NS}#${feature}'/>`))
  const info = await discover('info', `node='${node}'`)
  assert.match(info, /<identity category='pubsub' type='leaf'\/>/)
  assert.match(info, /<field var='pubsub#title'[^>]*><value>Musings<\/value>/)
  const list = await discover('items', `node='${node}'`)
  assert.match(list, new RegExp(`<item jid='${juliet}' name='b'/><item jid='${juliet}' name='a'/>`))
  assert.equal(await discover('info', "node='none'"), 'cancel: item-not-found')
})

story(
  'an account that goes takes its nodes with it',
  { memoryOnly: 'the account is made anew by the story' },
  async ({ online, connect, command }) => {
    const client = await online(julietBalcony)
    await publish(client, TUNE, item('1', tune('1')), options({ access_model: 'open' }))

    await command('user delete', { jid: juliet })
    const again = await connect('juliet@capulet.example/again')

    assert.equal(await items(again, TUNE), 'cancel: item-not-found')
  },
)
