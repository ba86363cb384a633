import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { filled, get, newNode, publish, service } from './pubsub/service-words.ts'
import * as pep from './pubsub/words.ts'
import { ask, idsOf, item, julietBalcony, NS, pubsub, tune } from './pubsub/words.ts'

const NS_ORDER = 'urn:xmpp:order-by:1'

const order = (by: string, desc = '') =>
  `<order xmlns='${NS_ORDER}' by='${by}'${desc && ` desc='${desc}'`}/>`
const page = (content: string) => `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`
const items = (client: Client, node: string, more: string, attrs = '') =>
  get(client, `<items node='${node}' ${attrs}/>${more}`)
const within = (answer: string, name: string): string =>
  new RegExp(`<${name}[^>]*>([^<]*)</${name}>`).exec(answer)?.[1] ?? assert.fail(answer)

story(
  'XEP-0413 §Use Cases: what is corrected keeps its place by creation, not by modification',
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const node = await filled(juliet, ['tale', 'tempest', 'henry'])
    const three = async (by: string) =>
      idsOf(await items(juliet, node, order(by, 'true'), "max_items='2'"))

    assert.deepEqual(await three('creation'), ['henry', 'tempest'])
    await publish(juliet, node, 'tale')

    assert.deepEqual(await three('creation'), ['henry', 'tempest'])
    assert.deepEqual(await three('modification'), ['tale', 'henry'])
  },
)

story('XEP-0413 §Full Example: both orders, in pages', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const node = await filled(juliet, ['A', 'B', 'C', 'D', 'C', 'A'])
  const pages = async (asked: string): Promise<readonly (readonly string[])[]> => {
    const first = await items(juliet, node, asked + page('<max>2</max>'))
    const place = `<max>2</max><after>${within(first, 'last')}</after>`
    const second = await items(juliet, node, asked + page(place))
    assert.match(first, /<first index='0'>/)
    assert.match(second, /<first index='2'>/)
    assert.match(second, /<count>4<\/count>/)
    return [idsOf(first), idsOf(second)]
  }

  assert.deepEqual(await pages(order('modification')), [
    ['B', 'D'],
    ['C', 'A'],
  ])
  assert.deepEqual(await pages(order('creation', '1')), [
    ['D', 'C'],
    ['B', 'A'],
  ])
  const last = await items(juliet, node, order('creation') + page('<max>1</max><before/>'))
  assert.deepEqual(idsOf(last), ['D'])
  const before = page(`<max>2</max><before>${within(last, 'first')}</before>`)
  assert.deepEqual(idsOf(await items(juliet, node, order('creation') + before)), ['B', 'C'])
})

story(
  'XEP-0059 §2.2: a page goes on where the last one ended, whatever was overwritten meanwhile',
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const node = await filled(juliet, ['A', 'B', 'C', 'D'])
    const asked = order('modification')
    const first = await items(juliet, node, asked + page('<max>2</max>'))
    await publish(juliet, node, 'B')
    await ask(juliet, 'set', pubsub(`<retract node='${node}'>${item('A')}</retract>`), service)

    const place = `<max>9</max><after>${within(first, 'last')}</after>`
    const next = await items(juliet, node, asked + page(place))

    assert.deepEqual(
      [idsOf(first), idsOf(next)],
      [
        ['A', 'B'],
        ['C', 'D', 'B'],
      ],
    )
    assert.match(next, /<first index='0'>/)
    assert.equal(
      await items(juliet, node, asked + page('<after>nowhere</after>')),
      'cancel: item-not-found',
    )
  },
)

story(
  'XEP-0413 §Ordering: ascending unless said otherwise, and no order is made up',
  async (tale) => {
    const juliet = await tale.online(julietBalcony)
    const node = await filled(juliet, ['A', 'B', 'A'])

    for (const desc of ['', 'false', '0'])
      assert.deepEqual(idsOf(await items(juliet, node, order('creation', desc))), ['A', 'B'])
    assert.deepEqual(
      idsOf(await items(juliet, node, order('creation') + order('modification', 'true'))),
      ['A', 'B'],
      'the topmost is the main one',
    )
    assert.deepEqual(
      idsOf(await items(juliet, node, '')),
      ['A', 'B'],
      'as ever: the most recent first',
    )
    assert.equal(await items(juliet, node, order('title')), 'cancel: feature-not-implemented')
    assert.equal(await items(juliet, node, order('creation', 'yes')), 'modify: bad-request')
  },
)

story('XEP-0413 §Discovering Support: services and accounts say where orders are', async (tale) => {
  const juliet = await tale.online(julietBalcony)
  const info = (to: string) =>
    ask(juliet, 'get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`, to)

  for (const to of [service, juliet.account]) {
    const told = await info(to)
    assert.match(told, new RegExp(`<feature var='${NS_ORDER}'/>`))
    assert.match(told, new RegExp(`<feature var='${NS_ORDER}@${NS}'/>`))
  }
  assert.match(await info(juliet.account), new RegExp(`'${NS_ORDER}@urn:xmpp:mam:2'`))
})

story('XEP-0413: nodes of accounts have orders too', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const node = newNode()
  for (const id of ['A', 'B', 'A'])
    await pep.publish(juliet, node, item(id, tune(id)), pep.options({ max_items: '9' }))

  const answer = await ask(
    juliet,
    'get',
    pubsub(`<items node='${node}'/>${order('creation', 'true')}`),
  )
  assert.deepEqual(idsOf(answer), ['B', 'A'])
})
