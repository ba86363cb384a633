import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import type { Stanza } from '@tactus/xml'
import {
  choosing,
  configure,
  create,
  newNode,
  publish,
  service,
  set,
  subscribe,
} from './pubsub/service-words.ts'
import {
  ask,
  form,
  item,
  julietBalcony,
  NS,
  options as publishOptions,
  publish as publishOwn,
  pubsub,
  romeoHome,
  tune,
} from './pubsub/words.ts'

const ATOM = 'http://www.w3.org/2005/Atom'
const day = 86_400_000
const passing = { memoryOnly: 'time is made to pass' }

const retract = (client: Client, node: string, id: string) =>
  set(client, `<retract node='${node}' notify='true'>${item(id)}</retract>`)
/** What notifications say, item by item. */
const heard = (client: Client): string[] =>
  client
    .drain()
    .filter(({ name }) => name === 'message')
    .map((message: Stanza) =>
      [...String(message).matchAll(/<(item|retract) id='([^']*)'/g)]
        .map(([, what, id]) => (what === 'item' ? id : `-${id}`))
        .join(' '),
    )
/** A second, so that real servers can be waited for. */
const soon = { digest: '1', digest_frequency: '1000' }

story('XEP-0060 §16.4.2: who wants a digest hears of all at once', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await create(juliet, node)
  await subscribe(romeo, node, soon)

  const batch = ['a', 'b', 'c'].map((id) => item(id, tune(id))).join('')
  await set(juliet, `<publish node='${node}'>${batch}</publish>`)

  await romeo.arrived(1)
  const [message] = romeo.drain()
  const told = `<event xmlns='${NS}#event'><items node='${node}'>${batch}</items></event>`
  assert(String(message).includes(told), String(message))
  assert.equal(message?.from, service)
})

story(
  'XEP-0060 §16.4.2: between two digests is the time that was asked for, and nothing comes twice',
  passing,
  async ({ online, pass }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node)
    await subscribe(romeo, node, { digest: '1' })

    await publish(juliet, node, 'a')
    await pass(day - 60_000)
    await publish(juliet, node, 'b')
    await publish(juliet, node, 'a')
    await romeo.receivesNothing()
    await pass(120_000)
    await romeo.arrived(1)
    assert.deepEqual(heard(romeo), ['b a'], 'as they are now, the last publication last')

    await pass(2 * day)
    await romeo.receivesNothing()
    await publish(juliet, node, 'c')
    await romeo.receivesNothing()
    await pass(day)
    await romeo.arrived(1)
    assert.deepEqual(heard(romeo), ['c'])
  },
)

story('XEP-0060 §16.4.2: a digest says what was taken back', passing, async ({ online, pass }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await create(juliet, node, { send_last_published_item: 'never' })
  await publish(juliet, node, 'old')
  await subscribe(romeo, node, { digest: '1' })

  await publish(juliet, node, 'brief')
  for (const id of ['old', 'brief']) await retract(juliet, node, id)
  await publish(juliet, node, 'brief')
  await pass(day)

  await romeo.arrived(2)
  assert.deepEqual(heard(romeo), ['-old', 'brief'])
})

story(
  'XEP-0060 §12.7, §16.4.2: with the texts of all, if that is wanted',
  passing,
  async ({ online, pass }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node)
    await subscribe(romeo, node, { digest: '1', include_body: '1' })

    for (const title of ['Soliloquy', 'Alone'])
      await publish(juliet, node, title, `<entry xmlns='${ATOM}'><title>${title}</title></entry>`)
    await pass(day)

    await romeo.arrived(1)
    assert.match(String(romeo.drain()[0]), /<body>Soliloquy\n\nAlone<\/body>/)
  },
)

story(
  'XEP-0060 §16.4.2: who goes, or may not have the node any more, gets no digest',
  passing,
  async ({ online, pass }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const paris = await online('paris@capulet.example/church')
    const node = newNode()
    await create(juliet, node)
    for (const client of [romeo, paris]) await subscribe(client, node, { digest: '1' })
    await publish(juliet, node, 'a')

    await set(paris, `<unsubscribe node='${node}' jid='${paris.account}'/>`)
    await configure(juliet, node, { access_model: 'whitelist' })
    await pass(day)

    for (const client of [romeo, paris]) await client.receivesNothing()
  },
)

story(
  'XEP-0060 §6.3.5: who wants no digest any more hears what waits, and then of each at once',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node)
    await subscribe(romeo, node, { digest: '1' })
    await publish(juliet, node, 'a')
    await romeo.receivesNothing()

    await romeo.send`<iq type='set' id='each' to='${service}'>${pubsub(choosing(romeo, node, { digest: '0' }))}</iq>`
    assert.equal((await romeo.hears('each')).attrs.type, 'result')
    await romeo.arrived(1)
    assert.deepEqual(heard(romeo), ['a'])
    await publish(juliet, node, 'b')
    await romeo.arrived(1)
    assert.deepEqual(heard(romeo), ['b'])
  },
)

story('XEP-0060 §16.4.2: what is not kept comes at once, digest or not', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await create(juliet, node, { persist_items: '0' })
  const answer = await subscribe(romeo, node, {})
  assert.doesNotMatch(answer, /pubsub#digest/)
  assert.equal(
    await set(romeo, choosing(romeo, node, { digest_frequency: 'often' })),
    'done',
    'an option that is not there changes nothing',
  )
  await publish(juliet, node, 'a')
  await romeo.arrived(1)
  assert.deepEqual(heard(romeo), ['a'])
  const kept = newNode()
  await create(juliet, kept)
  assert.equal(
    await subscribe(romeo, kept, { digest_frequency: '10' }),
    'modify: bad-request invalid-options',
  )
})

story('XEP-0060 §16.4.2: nodes of accounts have digests too', async ({ online, befriend }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  await befriend(juliet, romeo)
  const node = newNode()
  const silent = publishOptions({ send_last_published_item: 'never' })
  await publishOwn(juliet, node, item('a', tune('a')), silent)
  const options = `<options>${form('subscribe_options', soon)}</options>`
  await ask(
    romeo,
    'set',
    pubsub(`<subscribe node='${node}' jid='${romeo.account}'/>${options}`),
    juliet.account,
  )

  await publishOwn(juliet, node, item('b', tune('b')))
  await romeo.arrived(1)
  assert.deepEqual(heard(romeo), ['b'])
})
