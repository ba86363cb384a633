import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  create,
  get,
  newNode,
  optionsForm,
  publish,
  service,
  set,
  subscribe,
} from './pubsub/service-words.ts'
import { ask, item, julietBalcony, NS, owner, pubsub, romeoHome, tune } from './pubsub/words.ts'

const ATOM = 'http://www.w3.org/2005/Atom'
const year = 365 * 86_400_000

const subidIn = (answer: string): string =>
  /subid='([^']+)'/.exec(answer)?.[1] ?? assert.fail(answer)
const sid = (to: string) => `<stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${to}'/>`
const told = (to: string, content: string, { before = '', rest = '', type = 'headline' } = {}) =>
  `<message type='${type}' id='{any}' from='${service}' to='${to}'>${before}<event xmlns='${NS}#event'>${content}</event>${rest}${sid(to)}</message>`

story('XEP-0060 §6.3: a subscriber chooses how, and sees what was chosen', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  const jid = romeo.account
  await create(juliet, node)
  await subscribe(romeo, node)

  const offered = await get(romeo, `<options node='${node}' jid='${jid}'/>`)
  assert.match(
    offered,
    new RegExp(`<options node='${node}' jid='${jid}'><x xmlns='jabber:x:data' type='form'>`),
  )
  assert.match(offered, /<field var='pubsub#deliver'[^>]*><value>1<\/value>/)
  assert.equal(
    await set(
      romeo,
      `<options node='${node}' jid='${jid}'>${optionsForm({ deliver: '0', expire: '' })}</options>`,
    ),
    'done',
  )
  assert.match(
    await get(romeo, `<options node='${node}' jid='${jid}'/>`),
    /<field var='pubsub#deliver'[^>]*><value>0<\/value>/,
  )

  await publish(juliet, node, 'a')
  await romeo.receivesNothing()
  assert.equal(
    await set(
      romeo,
      `<options node='${node}' jid='${jid}'><x xmlns='jabber:x:data' type='cancel'/></options>`,
    ),
    'done',
  )
})

story(
  'XEP-0060 §6.1.7, §6.3.7: who subscribes without notifications has no last item either',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node, { send_last_published_item: 'on_sub' })
    await publish(juliet, node, 'a')

    const asks = (id: string, deliver: string) => {
      const options = `<options>${optionsForm({ deliver })}</options>`
      const content = `<subscribe node='${node}' jid='${romeo.account}'/>${options}`
      return romeo.send`<iq type='set' id='${id}' to='${service}'>${pubsub(content)}</iq>`
    }

    await asks('without', '0')
    assert.equal((await romeo.hears('without')).attrs.type, 'result')
    await romeo.receivesNothing()
    await asks('with', '1')
    assert.equal((await romeo.hears('with')).attrs.type, 'result')
    await romeo.arrived(1)
    assert.match(String(romeo.drain()[0]), /<item id='a'/)
  },
)

story(
  'XEP-0060 §6.3.4, §6.3.6.2: options that cannot be, each in its own words',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node)
    const options = (attrs: string, content = '') => `<options ${attrs}>${content}</options>`
    const mine = `node='${node}' jid='${romeo.account}'`

    assert.equal(await get(romeo, options(mine)), 'cancel: unexpected-request not-subscribed')
    await subscribe(romeo, node)
    assert.equal(await get(juliet, options(mine)), 'auth: forbidden invalid-jid')
    assert.equal(await get(romeo, options(`node='${node}'`)), 'modify: bad-request jid-required')
    assert.equal(
      await get(romeo, options(`${mine} subid='no'`)),
      'modify: not-acceptable invalid-subid',
    )
    assert.equal(
      await get(romeo, options(`node='nothing' jid='${romeo.account}'`)),
      'cancel: item-not-found',
    )
    for (const fields of [
      { deliver: 'perhaps' },
      { expire: 'never' },
      { expire: '2001-01-01T00:00:00Z' },
    ])
      assert.equal(
        await set(romeo, options(mine, optionsForm(fields))),
        'modify: bad-request invalid-options',
        JSON.stringify(fields),
      )
    assert.equal(await set(romeo, options(mine)), 'modify: bad-request invalid-options')
  },
)

story(
  'XEP-0060 §6.3.7, §6.1.6, §7.1.2.4: several subscriptions are told apart',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    const jid = romeo.account
    await create(juliet, node)

    const first = subidIn(await subscribe(romeo, node))
    const answer = await subscribe(romeo, node, { include_body: '1' })
    const second = subidIn(answer)
    assert.match(
      answer,
      /<options><x xmlns='jabber:x:data' type='result'>.*include_body[^>]*><value>1</,
    )
    assert.notEqual(first, second)
    assert.equal(
      subidIn(await subscribe(romeo, node, { include_body: 'true' })),
      second,
      'the same again',
    )

    await publish(juliet, node, 'a')
    await romeo.arrived(1)
    const headers = (...subids: readonly string[]) =>
      `<headers xmlns='http://jabber.org/protocol/shim'>${subids.map((subid) => `<header name='SubID'>${subid}</header>`).join('')}</headers>`
    romeo.receives`${told(jid, `<items node='${node}'>${item('a', tune('a'))}</items>`, { rest: headers(first, second) })}`

    const unsubscribe = (rest: string) =>
      set(romeo, `<unsubscribe node='${node}' jid='${jid}' ${rest}/>`)
    assert.equal(await unsubscribe(''), 'modify: bad-request subid-required')
    assert.equal(await unsubscribe("subid='no'"), 'modify: not-acceptable invalid-subid')
    assert.equal(await get(romeo, `<items node='${node}'/>`), 'modify: bad-request subid-required')
    assert.equal(
      await get(romeo, `<items node='${node}' subid='no'/>`),
      'modify: not-acceptable invalid-subid',
    )
    assert.match(await unsubscribe(`subid='${first}'`), /subscription='none'/)
    await publish(juliet, node, 'b')
    await romeo.arrived(1)
    romeo.receives`${told(jid, `<items node='${node}'>${item('b', tune('b'))}</items>`)}`
  },
)

story(
  'XEP-0060 §7.1.2.4: one of several subscriptions is told apart also where the others are silent',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node)
    await subscribe(romeo, node, { deliver: '0' })
    const wanted = subidIn(await subscribe(romeo, node, { deliver: '1' }))

    await publish(juliet, node, 'a')

    await romeo.arrived(1)
    const rest = `<headers xmlns='http://jabber.org/protocol/shim'><header name='SubID'>${wanted}</header></headers>`
    romeo.receives`${told(romeo.account, `<items node='${node}'>${item('a', tune('a'))}</items>`, { rest })}`
  },
)

story('XEP-0060 §12.7: who asks for it gets a text with an Atom entry', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await create(juliet, node)
  await subscribe(romeo, node, { include_body: '1' })
  const entry = `<entry xmlns='${ATOM}'><title>Soliloquy</title><summary>To be,
    or not to be</summary></entry>`

  await publish(juliet, node, 'a', entry)

  await romeo.arrived(1)
  romeo.receives`${told(romeo.account, `<items node='${node}'>${item('a', entry)}</items>`, { before: '<body>Soliloquy\nTo be, or not to be</body>' })}`
  const other = newNode()
  await create(juliet, other, { type: 'urn:example:numbers' })
  assert.doesNotMatch(await get(romeo, `<default node='${other}'/>`), /include_body/)
})

story(
  'XEP-0060 §12.18: a leased subscription ends when its time is over',
  { memoryOnly: 'time is made to pass' },
  async ({ online, pass }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    const until = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString()
    await create(juliet, node)
    await subscribe(romeo, node, { expire: until(year) })

    await pass(year - 60_000)
    await publish(juliet, node, 'a')
    await romeo.arrived(1)
    romeo.drain()
    await pass(120_000)

    await romeo.arrived(1)
    romeo.receives`${told(romeo.account, `<subscription node='${node}' jid='${romeo.account}' subscription='none'/>`)}`
    await publish(juliet, node, 'b')
    await romeo.receivesNothing()
  },
)

story('XEP-0060 §6.4: what a new subscription has', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await create(juliet, node, { access_model: 'whitelist' })

  assert.match(await get(romeo, '<default/>'), /<default><x .*pubsub#deliver'.*pubsub#expire'/)
  assert.match(
    await get(juliet, `<default node='${node}'/>`),
    new RegExp(`<default node='${node}'>`),
  )
  assert.equal(await get(romeo, `<default node='${node}'/>`), 'cancel: not-allowed closed-node')
})

story(
  'XEP-0060 §12.8: a batch is published or retracted whole, or not at all',
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const node = newNode()
    await create(juliet, node, { max_items: '3' })
    const batch = (...ids: readonly string[]) =>
      set(
        juliet,
        `<publish node='${node}'>${ids.map((id) => item(id, tune(id))).join('')}</publish>`,
      )
    const ids = async () =>
      [...(await get(juliet, `<items node='${node}'/>`)).matchAll(/<item id='([^']*)'/g)].map(
        (found) => found[1],
      )

    assert.equal(
      await batch('a', 'b'),
      pubsub(`<publish node='${node}'><item id='a'/><item id='b'/></publish>`),
    )
    assert.equal(await batch('c', 'd', 'e', 'f'), 'cancel: not-allowed max-items-exceeded')
    assert.equal(
      await set(juliet, `<publish node='${node}'>${item('c', tune('c'))}${item('d')}</publish>`),
      'modify: bad-request payload-required',
    )
    assert.deepEqual(await ids(), ['b', 'a'])
    const retract = (...gone: readonly string[]) =>
      set(juliet, `<retract node='${node}'>${gone.map((id) => item(id)).join('')}</retract>`)
    assert.equal(await retract('a', 'x'), 'cancel: item-not-found')
    assert.deepEqual(await ids(), ['b', 'a'])
    assert.equal(await retract('a', 'b'), 'done')
    assert.deepEqual(await ids(), [])
  },
)

story('XEP-0060 §8.7.4: who is put on a list need not wait any more', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const paris = await online('paris@capulet.example/church')
  const node = newNode()
  await create(juliet, node, { access_model: 'authorize' })
  for (const client of [romeo, paris])
    assert.match(await subscribe(client, node), /subscription='pending'/)
  const affiliate = (...list: readonly (readonly [Client, string])[]) =>
    ask(
      juliet,
      'set',
      owner(
        `<affiliations node='${node}'>${list.map(([client, affiliation]) => `<affiliation jid='${client.account}' affiliation='${affiliation}'/>`).join('')}</affiliations>`,
      ),
      service,
    )

  assert.equal(await affiliate([romeo, 'publisher'], [paris, 'outcast']), 'done')

  const state = (client: Client, text: string) =>
    told(
      client.account,
      `<subscription node='${node}' jid='${client.account}' subscription='${text}'/>`,
    )
  await romeo.arrived(1)
  romeo.receives`${state(romeo, 'subscribed')}`
  await paris.arrived(1)
  paris.receives`${state(paris, 'none')}`
})

story(
  'XEP-0060 §8.8.2.4, §8.9.2.4: of several changes one that cannot be stops all',
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const node = newNode()
    await create(juliet, node)
    const change = async (content: string) => {
      await juliet.send`<iq type='set' id='many' to='${service}'>${owner(content)}</iq>`
      return String(await juliet.hears('many'))
    }

    const affiliations = await change(
      `<affiliations node='${node}'><affiliation jid='${juliet.account}' affiliation='none'/><affiliation jid='bard@capulet.example' affiliation='publisher'/></affiliations>`,
    )
    assert.match(affiliations, /<error type='modify'><not-acceptable/)
    assert.match(
      affiliations,
      new RegExp(
        `<affiliation jid='${juliet.account}' affiliation='owner'/><affiliation jid='bard@capulet.example' affiliation='none'/>`,
      ),
    )
    const subscriptions = await change(
      `<subscriptions node='${node}'><subscription jid='bard@capulet.example' subscription='subscribed'/><subscription jid='paris@capulet.example' subscription='bewildered'/></subscriptions>`,
    )
    assert.match(subscriptions, /<subscription jid='bard@capulet.example' subscription='none'\/>/)
    assert.match(subscriptions, /<not-acceptable/)
    assert.equal(
      await ask(juliet, 'get', owner(`<subscriptions node='${node}'/>`), service),
      owner(`<subscriptions node='${node}'/>`),
    )
  },
)

story(
  'XEP-0060 §16.4.3: notifications wait for who is away, if the node says so',
  async ({ online, connect }) => {
    const juliet = await online(julietBalcony)
    const [kept, brief] = [newNode(), newNode()]
    await create(juliet, kept, { notification_type: 'normal' })
    await create(juliet, brief, { notification_type: 'normal', presence_based_delivery: '1' })
    const paris = await connect('paris@capulet.example/church')
    for (const node of [kept, brief]) await subscribe(paris, node)

    await publish(juliet, brief, 'a')
    await publish(juliet, kept, 'b')
    await paris.receivesNothing()
    await paris.send`<presence/>`

    await paris.arrived(2)
    const heard = paris.drain().filter(({ name }) => name === 'message')
    assert.deepEqual(
      heard.map((message) => /<item id='(.)'/.exec(String(message))?.[1]),
      ['b'],
    )
  },
)
