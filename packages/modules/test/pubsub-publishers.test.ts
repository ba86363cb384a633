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
  options,
  owner,
  publish,
  pubsub,
  romeoHome,
  tune,
} from './pubsub/words.ts'

const node = 'princely_musings'
const put = (client: Client, id: string) =>
  ask(client, 'set', pubsub(`<publish node='${node}'>${item(id, tune(id))}</publish>`), juliet)
const take = (client: Client, id: string) =>
  ask(client, 'set', pubsub(`<retract node='${node}'>${item(id)}</retract>`), juliet)

story(
  'XEP-0060 §16.4.3: where subscribers publish, one has to subscribe first',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await create(client, node, {
      access_model: 'open',
      publish_model: 'subscribers',
      max_items: '9',
      send_last_published_item: 'never',
    })

    assert.equal(await put(romeo, 'a'), 'auth: forbidden')
    await ask(romeo, 'set', pubsub(`<subscribe node='${node}' jid='${romeo.account}'/>`), juliet)
    assert.match(await put(romeo, 'a'), /^<pubsub/)
    // Owners moderate; who published takes back what is its own and nothing else.
    await publish(client, node, item('b', tune('b')))
    romeo.drain()
    assert.equal(await take(romeo, 'b'), 'auth: forbidden')
    assert.equal(await take(romeo, 'a'), 'done')
    assert.deepEqual(idsOf(await items(client, node)), ['b'])
  },
)

story(
  'XEP-0060 §16.4.3: where anyone publishes, outcasts and who may not read do not',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await create(client, node, { access_model: 'open', publish_model: 'open', max_items: '9' })
    const change = (affiliation: string) =>
      ask(
        client,
        'set',
        owner(
          `<affiliations node='${node}'><affiliation jid='${romeo.account}' affiliation='${affiliation}'/></affiliations>`,
        ),
      )

    assert.match(await put(romeo, 'a'), /^<pubsub/)
    await change('outcast')
    assert.equal(await put(romeo, 'b'), 'auth: forbidden')
    await change('none')
    await ask(
      client,
      'set',
      owner(
        `<configure node='${node}'>${form('node_config', { access_model: 'whitelist' })}</configure>`,
      ),
    )
    assert.equal(await put(romeo, 'b'), 'auth: not-authorized presence-subscription-required')
  },
)

story(
  'XEP-0060 §7.1.5, §8.2: a client that finds another node than it wants makes it so',
  async ({ online }) => {
    // What Conversations and Dino do with nodes of keys that were made by a client that wanted less.
    const client = await online(julietBalcony)
    const stranger = await online(romeoHome)
    const wishes = options({ access_model: 'open', max_items: 'max' })
    await publish(client, node, item('1', tune('1')), options({ access_model: 'presence' }))

    assert.equal(
      await publish(client, node, item('2', tune('2')), wishes),
      'cancel: conflict precondition-not-met',
    )
    // It sends back the whole form that it was offered, with these changes.
    const offered = await ask(client, 'get', owner(`<configure node='${node}'/>`))
    const filled = /<x .*<\/x>/
      .exec(offered)?.[0]
      .replace("type='form'", "type='submit'")
      .replaceAll(/<option.*?<\/option>/g, '')
      .replace(/(var='pubsub#access_model'[^>]*><value>)presence/, '$1open')
      .replace(/(var='pubsub#max_items'[^>]*><value>)1</, '$1max<')
    assert.equal(
      await ask(client, 'set', owner(`<configure node='${node}'>${filled}</configure>`)),
      'done',
    )
    assert.match(await publish(client, node, item('2', tune('2')), wishes), /^<pubsub/)

    assert.deepEqual(idsOf(await items(stranger, node)), ['2', '1'])
  },
)
