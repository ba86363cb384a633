import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  choosing,
  configure,
  create,
  newNode,
  publish,
  rule,
  service,
  set,
  subscribe,
  subscribing,
} from './pubsub/service-words.ts'
import { item, julietBalcony, NS, pubsub, romeoHome } from './pubsub/words.ts'

const paris = 'paris@capulet.example/church'
const talkative = { notify_retract: '1', notify_config: '1', notify_delete: '1' }
const day = 86_400_000

/** What notifications are about, one after another. */
const heard = (client: Client): readonly string[] =>
  client.drain().map((message) => {
    const [content] = message.child('event', `${NS}#event`)?.getChildElements() ?? []
    const item = content?.getChildElements().find(({ name }) => name !== 'x')
    return item ? `${content?.name} ${item.name}` : (content?.name ?? '')
  })

story(
  'XEP-0060 §16.4.2: who wants no notifications is told of nothing that happens at a node',
  async ({ online }) => {
    const [juliet, romeo, other] = [
      await online(julietBalcony),
      await online(romeoHome),
      await online(paris),
    ]
    const node = newNode()
    await create(juliet, node, talkative)
    await subscribe(romeo, node, { deliver: '0' })
    await subscribe(other, node, { deliver: '1' })

    for (const id of ['a', 'b']) await publish(juliet, node, id)
    await set(juliet, `<retract node='${node}'>${item('a')}</retract>`)
    await rule(juliet, `<purge node='${node}'/>`)
    await configure(juliet, node, { title: 'New' })
    await rule(juliet, `<delete node='${node}'/>`)

    await other.arrived(6)
    assert.deepEqual(heard(other), [
      'items item',
      'items item',
      'items retract',
      'purge',
      'configuration',
      'delete',
    ])
    await romeo.receivesNothing()
  },
)

story(
  'XEP-0060 §12.20: what becomes of the subscription itself is told all the same',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node, { access_model: 'authorize', send_last_published_item: 'on_sub' })
    await publish(juliet, node, 'a')
    await subscribe(romeo, node, { deliver: '0' })
    const put = (state: string) =>
      rule(
        juliet,
        `<subscriptions node='${node}'><subscription jid='${romeo.account}' subscription='${state}'/></subscriptions>`,
      )

    for (const state of ['subscribed', 'none']) {
      await put(state)
      await romeo.arrived(1)
      const [message, ...more] = romeo.drain()
      assert.match(String(message), new RegExp(`<subscription [^>]*subscription='${state}'`))
      assert.deepEqual(more, [], 'no last item')
    }
    await romeo.receivesNothing()
  },
)

story(
  'XEP-0060 §6.3.5: what has to be read first comes no more once its subscriber wants nothing',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node, { send_last_published_item: 'on_sub' })
    await publish(juliet, node, 'a')

    const [one, two] = [
      pubsub(subscribing(romeo, node, { deliver: '1' })),
      choosing(romeo, node, { deliver: '0' }),
    ]
    await romeo.send`<iq type='set' id='one' to='${service}'>${one}</iq>
      <iq type='set' id='two' to='${service}'>${pubsub(two)}</iq>`

    await romeo.arrived(2)
    const came = [...romeo.drain()]
    if (!came.some(({ id }) => id === 'two')) {
      await romeo.arrived(1)
      came.push(...romeo.drain())
    }
    // It may have been read before the second request: then it comes before the answer.
    const order = came.map(({ id, name }) => (name === 'iq' ? id : name)).join(' ')
    assert(['one two', 'one message two'].includes(order), order)
    await romeo.receivesNothing()
  },
)

story(
  'XEP-0060 §16.4.2: nor does a digest of what happened before',
  { memoryOnly: 'time is made to pass' },
  async ({ online, pass }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node, talkative)
    await subscribe(romeo, node, { deliver: '1', digest: '1' })
    for (const id of ['a', 'b']) await publish(juliet, node, id)
    await set(juliet, `<retract node='${node}'>${item('a')}</retract>`)

    assert.equal(await set(romeo, choosing(romeo, node, { deliver: '0' })), 'done')
    await pass(day)

    await romeo.receivesNothing()
  },
)
