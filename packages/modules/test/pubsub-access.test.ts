import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  ask,
  create,
  event,
  form,
  idsOf,
  item,
  items,
  juliet,
  julietBalcony,
  owner,
  publish,
  pubsub,
  romeoHome,
  tune,
} from './pubsub/words.ts'

const node = 'princely_musings'
const strangersHear = 'auth: not-authorized presence-subscription-required'

async function publishes(client: Client, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) await publish(client, node, item(id, tune(id)))
}

story(
  'XEP-0060 §6.1, §6.2, §5.6: who subscribes is told, until it is enough',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await create(client, node, { access_model: 'open', notify_retract: '1' })
    await publishes(client, 'a')
    const heard = (content: string) =>
      event(romeo.account, content, {
        rest: `<stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${romeo.account}'/>`,
      })

    await romeo.send`<iq type='set' id='s' to='${juliet}'>${pubsub(`<subscribe node='${node}' jid='${romeo.account}'/>`)}</iq>`
    await romeo.arrived(2)
    romeo.receives`<iq type='result' id='s' from='${juliet}' to='${romeo.jid}'>${pubsub(`<subscription node='${node}' jid='${romeo.account}' subid='{any}' subscription='subscribed'/>`)}</iq>`
    // §6.1.7
    romeo.receives`${event(romeo.account, `<items node='${node}'>${item('a', tune('a'))}</items>`, { rest: `<delay xmlns='urn:xmpp:delay' stamp='{any}'/><stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${romeo.account}'/>` })}`

    await publishes(client, 'b')
    romeo.receives`${heard(`<items node='${node}'>${item('b', tune('b'))}</items>`)}`
    romeo.receives`${heard(`<items node='${node}'><retract id='a'/></items>`)}`
    assert.match(
      await ask(romeo, 'get', pubsub('<subscriptions/>'), juliet),
      new RegExp(
        `<subscription node='${node}' jid='${romeo.account}' subid='[^']+' subscription='subscribed'/>`,
      ),
    )
    assert.equal(
      await ask(
        romeo,
        'set',
        pubsub(`<unsubscribe node='${node}' jid='${romeo.account}' subid='wrong'/>`),
        juliet,
      ),
      'modify: not-acceptable invalid-subid',
    )
    await ask(romeo, 'set', pubsub(`<unsubscribe node='${node}' jid='${romeo.account}'/>`), juliet)
    await publishes(client, 'c')
    await romeo.receivesNothing()
  },
)

/** Who may have the items of a node of that access model, and what the others hear. */
const access: readonly [model: string, stranger: string, contact: string, member: string][] = [
  ['open', 'yes', 'yes', 'yes'],
  ['presence', strangersHear, 'yes', 'yes'],
  ['roster', strangersHear, 'auth: not-authorized not-in-roster-group', 'yes'],
  ['authorize', strangersHear, 'auth: not-authorized not-subscribed', 'yes'],
  ['whitelist', strangersHear, 'cancel: not-allowed closed-node', 'yes'],
]

for (const [model, ...answers] of access)
  story(`XEP-0060 §4.5: the access model ${model}`, async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const stranger = await online('tybalt@capulet.example/hall')
    const contact = await online(romeoHome)
    const member = await online('nurse@capulet.example/kitchen')
    await befriend(client, contact)
    await create(client, node, { access_model: model, roster_groups_allowed: 'Friends' })
    await publishes(client, 'a')
    const change = `<affiliation jid='${member.account}' affiliation='member'/>`
    await ask(client, 'set', owner(`<affiliations node='${node}'>${change}</affiliations>`))

    const heard: string[] = []
    for (const reader of [stranger, contact, member]) {
      const answer = await items(reader, node)
      heard.push(idsOf(answer).length === 1 ? 'yes' : answer)
    }
    assert.deepEqual(heard, answers)
    // Who may not read may not see that there is something to be read.
    const list = async (reader: Client) =>
      (
        await ask(
          reader,
          'get',
          `<query xmlns='http://jabber.org/protocol/disco#items' node='${node}'/>`,
          juliet,
        )
      ).includes('<item')
    assert.equal(await list(contact), answers[1] === 'yes')
    assert.equal(await list(stranger), answers[0] === 'yes')
  })

story('XEP-0060 §4.5: a contact of the right group has the items', async ({ online, befriend }) => {
  const client = await online(julietBalcony)
  const romeo = await online(romeoHome)
  await befriend(client, romeo)
  await create(client, node, {
    access_model: 'roster',
    roster_groups_allowed: ['Friends', 'Lovers'],
  })
  await publishes(client, 'a')
  await client.send`<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='${romeo.account}'><group>Lovers</group></item></query></iq>`

  assert.deepEqual(idsOf(await items(romeo, node)), ['a'])
})

story(
  'SECURITY: strangers cannot tell nodes, or accounts, that are there from those that are not',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const stranger = await online('tybalt@capulet.example/hall')
    await create(client, node, { access_model: 'whitelist' })
    const requests: readonly ['get' | 'set', string][] = [
      ['get', pubsub(`<items node='${node}'/>`)],
      ['get', pubsub(`<subscriptions/>`)],
      ['get', pubsub(`<affiliations/>`)],
      ['get', pubsub(`<affiliations node='${node}'/>`)],
      ['set', pubsub(`<subscribe node='${node}' jid='${stranger.account}'/>`)],
      ['set', pubsub(`<unsubscribe node='${node}' jid='${stranger.account}'/>`)],
      ['set', pubsub(`<publish node='${node}'>${item('x', tune('x'))}</publish>`)],
      ['set', pubsub(`<retract node='${node}'>${item('x')}</retract>`)],
      ['set', pubsub(`<create node='${node}'/>`)],
      ['get', owner(`<configure node='${node}'/>`)],
      ['get', owner(`<default/>`)],
      ['set', owner(`<delete node='${node}'/>`)],
      ['set', owner(`<purge node='${node}'/>`)],
      ['get', owner(`<affiliations node='${node}'/>`)],
      ['get', owner(`<subscriptions node='${node}'/>`)],
    ]

    for (const [type, request] of requests)
      for (const [to, sent] of [
        [juliet, request],
        [juliet, request.replaceAll(node, 'nothing')],
        ['nobody@capulet.example', request],
      ] as const)
        assert.equal(await ask(stranger, type, sent, to), strangersHear, `${to}: ${sent}`)
  },
)

story('XEP-0060 §7.1.3.1, §8: a contact is no owner', async ({ online, befriend }) => {
  const client = await online(julietBalcony)
  const romeo = await online(romeoHome)
  await befriend(client, romeo)
  await create(client, node)
  await publishes(client, 'a')

  for (const [type, request] of [
    ['set', pubsub(`<publish node='${node}'>${item('x', tune('x'))}</publish>`)],
    ['set', pubsub(`<retract node='${node}'>${item('a')}</retract>`)],
    ['set', pubsub(`<create node='new'/>`)],
    ['get', owner(`<configure node='${node}'/>`)],
    ['set', owner(`<delete node='${node}'/>`)],
    ['set', owner(`<purge node='${node}'/>`)],
    ['get', owner(`<affiliations node='${node}'/>`)],
    ['get', owner(`<subscriptions node='${node}'/>`)],
  ] as const)
    assert.equal(await ask(romeo, type, request, juliet), 'auth: forbidden', request)
  // §7.1.4: only the owner's publications make nodes.
  const to = pubsub(`<publish node='new'>${item('x', tune('x'))}</publish>`)
  assert.equal(await ask(romeo, 'set', to, juliet), 'cancel: item-not-found')
})

story(
  'XEP-0060 §8.9, §4.1: affiliations say who publishes and who is shut out',
  async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(client, romeo)
    await create(client, node, { max_items: '5' })
    await publishes(client, 'a')
    const affiliate = (affiliation: string, jid = romeo.account) =>
      ask(
        client,
        'set',
        owner(
          `<affiliations node='${node}'><affiliation jid='${jid}' affiliation='${affiliation}'/></affiliations>`,
        ),
      )
    const put = (id: string) =>
      ask(romeo, 'set', pubsub(`<publish node='${node}'>${item(id, tune(id))}</publish>`), juliet)

    assert.equal(await affiliate('publisher'), 'done')
    assert.match(await put('b'), /^<pubsub/)
    assert.equal(
      await ask(client, 'get', owner(`<affiliations node='${node}'/>`)),
      owner(
        `<affiliations node='${node}'><affiliation jid='${romeo.account}' affiliation='publisher'/><affiliation jid='${juliet}' affiliation='owner'/></affiliations>`,
      ),
    )
    assert.equal(
      await ask(romeo, 'get', pubsub('<affiliations/>'), juliet),
      pubsub(`<affiliations><affiliation node='${node}' affiliation='publisher'/></affiliations>`),
    )
    assert.equal(await affiliate('publish-only'), 'done')
    assert.match(await put('c'), /^<pubsub/)
    assert.equal(await items(romeo, node), 'auth: forbidden')
    // Somebody else's item is not for who is no publisher.
    assert.equal(await put('a'), 'auth: forbidden')
    assert.equal(await affiliate('outcast'), 'done')
    assert.equal(await put('d'), 'auth: forbidden')
    assert.equal(await items(romeo, node), 'auth: forbidden')
    assert.equal(await affiliate('none', juliet), 'modify: not-acceptable')
  },
)

story(
  'XEP-0060 §8.8, §6.1.4: who wants to subscribe waits for the owner',
  async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(client, romeo)
    await create(client, node, { access_model: 'authorize', send_last_published_item: 'never' })
    const subscribe = pubsub(`<subscribe node='${node}' jid='${romeo.account}'/>`)

    assert.match(await ask(romeo, 'set', subscribe, juliet), /subscription='pending'/)
    assert.equal(
      await ask(romeo, 'set', subscribe, juliet),
      'auth: not-authorized pending-subscription',
    )
    await publishes(client, 'a')
    await romeo.receivesNothing()
    assert.match(
      await ask(client, 'get', owner(`<subscriptions node='${node}'/>`)),
      new RegExp(`<subscription jid='${romeo.account}' subid='[^']+' subscription='pending'/>`),
    )
    const approval = `<subscription jid='${romeo.account}' subscription='subscribed'/>`
    await ask(client, 'set', owner(`<subscriptions node='${node}'>${approval}</subscriptions>`))

    assert.match(String(romeo.drain()[0]), /subscription='subscribed'/)
    await publishes(client, 'b')
    assert.equal(romeo.drain().length, 1)
    assert.deepEqual(idsOf(await items(romeo, node)), ['b'])
  },
)

story(
  'XEP-0163 §7.1: who loses the right to a node loses the subscription',
  async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(client, romeo)
    await create(client, node)
    await ask(romeo, 'set', pubsub(`<subscribe node='${node}' jid='${romeo.account}'/>`), juliet)
    await client.send`<presence type='unsubscribed' to='${romeo.account}'/>`
    romeo.drain()

    await publishes(client, 'secret')

    await romeo.receivesNothing()
    assert.equal(
      await ask(client, 'get', owner(`<subscriptions node='${node}'/>`)),
      owner(`<subscriptions node='${node}'/>`),
    )
  },
)

for (const [answer, state] of [
  ['true', 'subscribed'],
  ['0', 'none'],
] as const)
  story(`XEP-0060 §8.6: the owner is asked, and says ${answer}`, async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(client, romeo)
    await create(client, node, { access_model: 'authorize', send_last_published_item: 'never' })
    const subscribe = pubsub(`<subscribe node='${node}' jid='${romeo.account}'/>`)
    const asked = await ask(romeo, 'set', subscribe, juliet)
    const [, subid] = /subid='([^']+)'/.exec(asked) ?? []
    const [question] = client.drain()
    assert.equal(question?.from, juliet)
    assert.ok(String(question).includes(`<value>${romeo.account}</value>`))
    const reply = form('subscribe_authorization', {
      subid: subid ?? '',
      node,
      subscriber_jid: romeo.account,
      allow: answer,
    })

    // Who is no owner has nothing to say.
    await romeo.send`<message to='${juliet}' id='${question?.id}'>${reply}</message>`
    await romeo.receivesNothing()
    await client.send`<message to='${juliet}' id='${question?.id}'>${reply}</message>`

    assert.match(
      String(romeo.drain()[0]),
      new RegExp(
        `<event [^>]*><subscription node='${node}' jid='${romeo.account}' subscription='${state}'/>`,
      ),
    )
    client.drain()
    await publishes(client, 'a')
    assert.equal(romeo.drain().length, state === 'subscribed' ? 1 : 0)
  })

story('a message may hold a form of any make', async ({ online }) => {
  const client = await online(julietBalcony)
  const romeo = await online(romeoHome)

  await romeo.send`<message to='${juliet}' type='chat'><body>x</body><x xmlns='jabber:x:data' type='submit'>${'<field/>'.repeat(300)}</x></message>`

  assert.equal(client.drain().length, 1)
  await romeo.receivesNothing()
})
