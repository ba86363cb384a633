import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  ask,
  form,
  idsOf,
  item,
  julietBalcony,
  NS_ERRORS,
  options,
  pubsub,
  tune,
} from './pubsub/words.ts'

const NS_VERSIONS = 'urn:xmpp:pubsub:cap:0'
const enabled = { modules: { pubsub: { versions: true } } }
const node = 'blog'

/** Makes the node, with room for several items. */
const create = (client: Client, to: string) =>
  ask(
    client,
    'set',
    pubsub(
      `<create node='${node}'/><configure>${form('node_config', { max_items: 'max' })}</configure>`,
    ),
    to,
  )
/** Publishes if the last item has this version. */
async function publishAfter(
  client: Client,
  id: string,
  version: string,
  to: string,
): Promise<string> {
  const content = `<publish node='${node}'>${item(id, tune(id))}</publish>`
  const wanted = options({ prev_item_cap_value: version })
  await client.send`<iq type='set' id='cap' to='${to}'>${pubsub(content + wanted)}</iq>`
  return String(await client.hears('cap'))
}
const retrieve = (client: Client, to: string, content = '') =>
  ask(client, 'get', pubsub(`<items node='${node}'>${content}</items>`), to)
const versionsIn = (answer: string): Map<string, string> =>
  new Map(
    [...answer.matchAll(/<cap-v-map-entry item-id='([^']*)' cap-value='([^']*)'\/>/g)].map(
      ([, id = '', version = '']) => [id, version],
    ),
  )

for (const to of ['pubsub.capulet.example', 'juliet@capulet.example'])
  story(
    `XEP-0395 §4: an item is published if nobody else has published since, at ${to}`,
    enabled,
    async ({ online }) => {
      const juliet = await online(julietBalcony)
      await create(juliet, to)

      assert.match(await publishAfter(juliet, 'a', '', to), /type='result'/)
      const [version = ''] = versionsIn(await retrieve(juliet, to)).values()
      assert.match(await publishAfter(juliet, 'b', version, to), /type='result'/)
      const refused = await publishAfter(juliet, 'c', version, to)

      const versions = versionsIn(await retrieve(juliet, to))
      assert.deepEqual([...versions.keys()], ['b', 'a'])
      assert(
        refused.includes(
          `<error type='modify'><conflict xmlns='${NS_ERRORS}'/><precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/><compare-and-publish-failed xmlns='${NS_VERSIONS}' cap-id='${versions.get('b')}'/></error>`,
        ),
        refused,
      )
    },
  )

story(
  'XEP-0395 §4: whatever is published has a version of its own',
  enabled,
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const to = juliet.account
    await create(juliet, to)
    const publish = (id: string) =>
      ask(juliet, 'set', pubsub(`<publish node='${node}'>${item(id, tune(id))}</publish>`), to)
    await ask(
      juliet,
      'set',
      `<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='${node}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#node_config</value></field><field var='pubsub#max_items'><value>max</value></field></x></configure></pubsub>`,
      to,
    )
    await publish('a')
    await publish('b')
    const before = versionsIn(await retrieve(juliet, to))
    await publish('a')
    const after = versionsIn(await retrieve(juliet, to))

    assert.equal(after.get('b'), before.get('b'))
    assert.equal(new Set([...before.values(), ...after.values()]).size, 3)
    const one = await retrieve(juliet, to, item('b'))
    assert.deepEqual([idsOf(one), [...versionsIn(one).keys()]], [['b'], ['b']])
  },
)

story(
  'XEP-0395 §3: where it is on, this is told; else there is no such thing',
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const to = juliet.account
    const info = `<query xmlns='http://jabber.org/protocol/disco#info'/>`
    await ask(
      juliet,
      'set',
      pubsub(`<publish node='${node}'>${item('a', tune('a'))}</publish>`),
      to,
    )

    assert.doesNotMatch(await ask(juliet, 'get', info, to), new RegExp(NS_VERSIONS))
    assert.doesNotMatch(await retrieve(juliet, to), /cap-v/)
    assert.match(await publishAfter(juliet, 'b', '', to), /<error type='cancel'><conflict/)
  },
)

story('XEP-0395 §3: a server that has it says so', enabled, async ({ online }) => {
  const juliet = await online(julietBalcony)
  const info = `<query xmlns='http://jabber.org/protocol/disco#info'/>`
  for (const to of ['pubsub.capulet.example', juliet.account])
    assert.match(await ask(juliet, 'get', info, to), new RegExp(`<feature var='${NS_VERSIONS}'/>`))
})
