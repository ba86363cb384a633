import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { affiliate, create, get, newNode, service, set, subscribe } from './pubsub/service-words.ts'
import { ask, form, item, julietBalcony, owner, pubsub, romeoHome, tune } from './pubsub/words.ts'

story('XEP-0060 §5.6, §5.7: what somebody has at one node', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await create(juliet, node)
  await subscribe(romeo, node)
  await affiliate(juliet, node, romeo, 'publisher')

  assert.match(
    await get(romeo, `<subscriptions node='${node}'/>`),
    new RegExp(
      `<subscriptions node='${node}'><subscription node='${node}' jid='${romeo.account}' subid='[^']+' subscription='subscribed'/></subscriptions>`,
    ),
  )
  assert.equal(
    await get(romeo, `<affiliations node='${node}'/>`),
    pubsub(
      `<affiliations node='${node}'><affiliation node='${node}' affiliation='publisher'/></affiliations>`,
    ),
  )
  assert.equal(
    await get(juliet, `<subscriptions node='${node}'/>`),
    pubsub(`<subscriptions node='${node}'/>`),
  )
})

story('XEP-0060 §8, §6.5.9.10: who is no owner, and who is shut out', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const paris = await online('paris@capulet.example/church')
  const node = newNode()
  await create(juliet, node)
  await affiliate(juliet, node, romeo, 'publisher')
  await affiliate(juliet, node, paris, 'outcast')
  const config = form('node_config', { title: 'Mine' })
  const requests: readonly (readonly ['get' | 'set', string])[] = [
    ['get', `<configure node='${node}'/>`],
    ['set', `<configure node='${node}'>${config}</configure>`],
    ['set', `<purge node='${node}'/>`],
    ['set', `<delete node='${node}'/>`],
    ['get', `<subscriptions node='${node}'/>`],
    [
      'set',
      `<subscriptions node='${node}'><subscription jid='a@b' subscription='none'/></subscriptions>`,
    ],
    ['get', `<affiliations node='${node}'/>`],
    [
      'set',
      `<affiliations node='${node}'><affiliation jid='a@b' affiliation='owner'/></affiliations>`,
    ],
  ]
  for (const [type, request] of requests)
    for (const client of [romeo, paris])
      assert.equal(await ask(client, type, owner(request), service), 'auth: forbidden', request)
  for (const request of requests.map(
    ([type, text]) => [type, text.replace(node, 'nothing')] as const,
  ))
    assert.equal(
      await ask(juliet, request[0], owner(request[1]), service),
      'cancel: item-not-found',
      request[1],
    )

  assert.equal(await subscribe(paris, node), 'auth: forbidden')
  assert.equal(await get(paris, `<items node='${node}'/>`), 'auth: forbidden')
  assert.equal(
    await set(paris, `<publish node='${node}'>${item('x', tune('x'))}</publish>`),
    'auth: forbidden',
  )
  assert.equal(await affiliate(juliet, node, romeo, 'king'), 'modify: bad-request')
  for (const model of ['presence', 'roster'])
    assert.equal(
      await create(juliet, newNode(), { access_model: model }),
      'modify: not-acceptable',
      'a service knows nobody’s contacts',
    )
})

story(
  'XEP-0060 §6.1.3.6, §8.6: who waits goes on waiting when an owner cancels',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node, { access_model: 'authorize' })

    assert.match(await subscribe(romeo, node), /subscription='pending'/)
    await juliet.arrived(1)
    juliet.drain()
    await juliet.send`<message to='${service}' id='no'><x xmlns='jabber:x:data' type='cancel'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#subscribe_authorization</value></field></x></message>`

    assert.equal(await subscribe(romeo, node), 'auth: not-authorized pending-subscription')
    await romeo.receivesNothing()
  },
)

story(
  'XEP-0060 §6.1.3.9: where there is no room for more subscriptions',
  { modules: { pubsub: { subscribers: 1 } } },
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node)
    await subscribe(juliet, node)

    assert.equal(await subscribe(romeo, node), 'wait: policy-violation too-many-subscriptions')
  },
)

story(
  'XEP-0060 §7.1.2.3: items name who published them, if the node says so',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node, { itemreply: 'publisher' })
    await affiliate(juliet, node, romeo, 'publisher')
    await subscribe(juliet, node)

    await set(romeo, `<publish node='${node}'>${item('a', tune('a'))}</publish>`)

    await juliet.arrived(1)
    const named = new RegExp(`<item id='a' publisher='${romeo.account}'>`)
    assert.match(String(juliet.drain()[0]), named)
    assert.match(await get(romeo, `<items node='${node}'/>`), named)
  },
)
