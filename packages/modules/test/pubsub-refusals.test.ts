import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import {
  ask,
  create,
  form,
  item,
  juliet,
  julietBalcony,
  owner,
  publish,
  pubsub,
  tune,
} from './pubsub/words.ts'

const node = 'princely_musings'

/** Requests of the owner, and what they are refused with. */
const refusals: readonly [section: string, type: 'get' | 'set', request: string, answer: string][] =
  [
    ['§6.5.9.11', 'get', pubsub(`<items node='none'/>`), 'cancel: item-not-found'],
    [
      '§7.1.3.5',
      'set',
      pubsub(`<publish node='${node}'><item>${tune('x'.repeat(300))}</item></publish>`),
      'modify: not-acceptable payload-too-big',
    ],
    [
      '§7.1.3.6',
      'set',
      pubsub(`<publish node='${node}'><item>${tune('1')}${tune('2')}</item></publish>`),
      'modify: bad-request invalid-payload',
    ],
    [
      '§7.1.3.6',
      'set',
      pubsub(`<publish node='typed'><item>${tune('1')}</item></publish>`),
      'modify: bad-request invalid-payload',
    ],
    ['§7.1.3.7', 'set', pubsub(`<publish node='${node}'/>`), 'modify: bad-request item-required'],
    [
      '§7.1.3.7',
      'set',
      pubsub(`<publish node='${node}'><item/></publish>`),
      'modify: bad-request payload-required',
    ],
    [
      '§7.1.3.7',
      'set',
      pubsub(`<publish node='bell'><item id='1'/></publish>`),
      'modify: bad-request item-forbidden',
    ],
    [
      '§7.1.3.4',
      'set',
      pubsub(`<publish node='full'><item id='2'>${tune('2')}</item></publish>`),
      'cancel: conflict node-full',
    ],
    [
      '§7.1.1',
      'set',
      pubsub(`<publish><item id='2'>${tune('2')}</item></publish>`),
      'modify: bad-request nodeid-required',
    ],
    [
      '§7.2.3.2',
      'set',
      pubsub(`<retract node='none'><item id='1'/></retract>`),
      'cancel: item-not-found',
    ],
    [
      '§7.2.3.2',
      'set',
      pubsub(`<retract node='${node}'><item id='none'/></retract>`),
      'cancel: item-not-found',
    ],
    [
      '§7.2.3.3',
      'set',
      pubsub(`<retract><item id='1'/></retract>`),
      'modify: bad-request nodeid-required',
    ],
    ['§7.2.3.4', 'set', pubsub(`<retract node='${node}'/>`), 'modify: bad-request item-required'],
    [
      '§7.2.3.4',
      'set',
      pubsub(`<retract node='${node}'><item/></retract>`),
      'modify: bad-request item-required',
    ],
    [
      '§7.2.3.5',
      'set',
      pubsub(`<retract node='bell'><item id='1'/></retract>`),
      'cancel: feature-not-implemented unsupported(persistent-items)',
    ],
    ['§8.1.1', 'set', pubsub(`<create node='${node}'/>`), 'cancel: conflict'],
    ['§8.2.3.3', 'get', owner('<configure/>'), 'modify: bad-request nodeid-required'],
    ['§8.2.3.5', 'get', owner(`<configure node='none'/>`), 'cancel: item-not-found'],
    [
      '§8.2.4.3',
      'set',
      owner(`<configure node='${node}'>${form('node_config', { access_model: 'x' })}</configure>`),
      'modify: not-acceptable',
    ],
    [
      '§8.2.4.3',
      'set',
      owner(`<configure node='${node}'>${form('node_config', { max_items: '10001' })}</configure>`),
      'modify: not-acceptable',
    ],
    ['§8.4.3.2', 'set', owner(`<delete node='none'/>`), 'cancel: item-not-found'],
    [
      '§8.5.3.3',
      'set',
      owner(`<purge node='bell'/>`),
      'cancel: feature-not-implemented unsupported(persistent-items)',
    ],
    ['§8.5.3.4', 'set', owner(`<purge node='none'/>`), 'cancel: item-not-found'],
    [
      '§6.3.4',
      'get',
      pubsub(`<options node='${node}' jid='${juliet}'/>`),
      'cancel: unexpected-request not-subscribed',
    ],
    ['§6.4', 'get', pubsub("<default node='nothing'/>"), 'cancel: item-not-found'],
    [
      '§6.1.3.1',
      'set',
      pubsub(`<subscribe node='${node}' jid='bard@capulet.example'/>`),
      'modify: bad-request invalid-jid',
    ],
    [
      '§6.1.3.10',
      'set',
      pubsub(`<subscribe node='quiet' jid='${juliet}'/>`),
      'cancel: feature-not-implemented unsupported(subscribe)',
    ],
    [
      '§6.1.3.12',
      'set',
      pubsub(`<subscribe node='none' jid='${juliet}'/>`),
      'cancel: item-not-found',
    ],
    [
      '§6.2.3.2',
      'set',
      pubsub(`<unsubscribe node='${node}' jid='${juliet}'/>`),
      'cancel: unexpected-request not-subscribed',
    ],
    [
      '§6.2.3.3',
      'set',
      pubsub(`<unsubscribe node='${node}' jid='bard@capulet.example'/>`),
      'auth: forbidden invalid-jid',
    ],
    [
      '§6.2.3.4',
      'set',
      pubsub(`<unsubscribe node='none' jid='${juliet}'/>`),
      'cancel: item-not-found',
    ],
    ['§8.8.1.3', 'get', owner(`<subscriptions node='none'/>`), 'cancel: item-not-found'],
    ['§8.9.1.3', 'get', owner(`<affiliations node='none'/>`), 'cancel: item-not-found'],
  ]

story('XEP-0060 §6 to §8: the owner’s mistakes, each in its own words', async ({ online }) => {
  const client = await online(julietBalcony)
  await create(client, node, { max_payload_size: '300' })
  await create(client, 'typed', { type: 'urn:x' })
  await create(client, 'bell', { persist_items: '0', deliver_payloads: '0' })
  await create(client, 'full', { max_items: '1', publish_node_full: 'reject' })
  await create(client, 'quiet', { subscribe: '0' })
  await publish(client, 'full', item('1', tune('1')))

  for (const [section, type, request, answer] of refusals)
    assert.equal(await ask(client, type, request), answer, `${section}: ${request}`)
})

story(
  'XEP-0248 §7.1.3.1: who wants a collection is not given a leaf in its place',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const name = 'no_collection'
    const configured = (fields: Readonly<Record<string, string>>) =>
      `<configure>${form('node_config', fields)}</configure>`
    const refused = 'cancel: feature-not-implemented unsupported(collections)'

    for (const to of [juliet, 'pubsub.capulet.example']) {
      for (const fields of [{ node_type: 'collection' }, { collection: 'blogs' }])
        assert.equal(
          await ask(client, 'set', pubsub(`<create node='${name}'/>${configured(fields)}`), to),
          refused,
        )
      assert.match(
        await ask(client, 'get', owner(`<configure node='${name}'/>`), to),
        /item-not-found/,
        'no node was made',
      )
    }
    const leaf = { node_type: 'leaf', collection: '' }
    assert.equal(
      await ask(client, 'set', pubsub(`<create node='${name}'/>${configured(leaf)}`)),
      'done',
    )
    for (const [type, request] of [
      ['set', `<configure node='${name}'>${form('node_config', { children: 'a' })}</configure>`],
      ['set', `<collection node='${name}'><associate node='a'/></collection>`],
      ['get', "<default type='collection'/>"],
    ] as const)
      assert.equal(await ask(client, type, owner(request)), refused)
  },
)
