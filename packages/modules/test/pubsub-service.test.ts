import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  affiliate,
  create,
  get,
  newNode,
  publish,
  rule,
  service,
  set,
  subscribe,
} from './pubsub/service-words.ts'
import {
  ask,
  form,
  idsOf,
  item,
  julietBalcony,
  NS,
  pubsub,
  romeoHome,
  tune,
} from './pubsub/words.ts'

const NS_RSM = 'http://jabber.org/protocol/rsm'
const DISCO = 'http://jabber.org/protocol/disco'

const listed = (client: Client, node: string, content = '') =>
  ask(client, 'get', `<query xmlns='${DISCO}#${content}' node='${node}'/>`, service)
/** A notification as an account gets it. */
const told = (to: string, content: string) =>
  `<message type='headline' id='{any}' from='${service}' to='${to}'><event xmlns='${NS}#event'>${content}</event><stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${to}'/></message>`

story('XEP-0060 §5.1: a host has a pubsub service beside it', async ({ online }) => {
  const juliet = await online(julietBalcony)

  const items = await ask(juliet, 'get', `<query xmlns='${DISCO}#items'/>`, 'capulet.example')
  assert.match(items, new RegExp(`<item jid='${service}' name='Publish-Subscribe'/>`))
  const info = await ask(juliet, 'get', `<query xmlns='${DISCO}#info'/>`, service)

  assert.match(info, /<identity category='pubsub' type='service' name='Publish-Subscribe'\/>/)
  for (const name of ['', '#publish', '#create-nodes', '#subscribe', '#access-open'])
    assert.match(info, new RegExp(`<feature var='${NS}${name}'/>`))
  for (const name of ['auto-create', 'access-presence', 'access-roster'])
    assert.doesNotMatch(info, new RegExp(`#${name}'`))
})

story(
  'XEP-0060 §8.1.1, §7.1, §6.1: who creates a node owns it; all others subscribe',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()

    assert.equal(await create(juliet, node), pubsub(`<create node='${node}'/>`))
    assert.equal(await create(juliet, node), 'cancel: conflict')
    assert.equal(await create(romeo, newNode()), 'auth: forbidden', 'who is of another host')
    assert.equal(await publish(romeo, node, 'x'), 'auth: forbidden')
    assert.match(await subscribe(romeo, node), /subscription='subscribed'/)
    assert.equal(
      await publish(juliet, node, 'a'),
      pubsub(`<publish node='${node}'><item id='a'/></publish>`),
    )

    await romeo.arrived(1)
    romeo.receives`${told(romeo.account, `<items node='${node}'>${item('a', tune('a'))}</items>`)}`
    assert.deepEqual(idsOf(await get(romeo, `<items node='${node}'/>`)), ['a'])
    assert.match(
      await rule(juliet, `<affiliations node='${node}'/>`, 'get'),
      new RegExp(`<affiliation jid='${juliet.account}' affiliation='owner'/>`),
    )
  },
)

story('XEP-0060 §8.1.2: an instant node has a name that nobody could guess', async ({ online }) => {
  const juliet = await online(julietBalcony)

  const names = [await set(juliet, '<create/>'), await set(juliet, '<create/>')].map(
    (answer) => /<create node='([^']{20,})'\/>/.exec(answer)?.[1],
  )

  assert(names[0] && names[1] && names[0] !== names[1])
  assert.match(await publish(juliet, names[0], 'a'), /<item id='a'\/>/)
})

story('XEP-0060 §5.2: nodes are listed in pages, those for all', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const prefix = newNode('list')
  const name = (end: string) => `${prefix}-${end}`
  for (const end of ['a', 'b', 'c']) await create(juliet, name(end), { title: `Node ${end}` })
  await create(juliet, name('d'), { access_model: 'whitelist' })

  const page = (rsm: string) =>
    ask(
      juliet,
      'get',
      `<query xmlns='${DISCO}#items'><set xmlns='${NS_RSM}'>${rsm}</set></query>`,
      service,
    )
  const found = await page(`<max>2</max><after>${prefix}</after>`)
  assert.match(
    found,
    new RegExp(
      `<item jid='${service}' node='${name('a')}' name='Node a'/><item jid='${service}' node='${name('b')}' name='Node b'/>`,
    ),
  )
  assert.match(found, new RegExp(`<last>${name('b')}</last>`))
  const rest = await page(`<max>9</max><after>${name('b')}</after>`)
  assert.match(rest, new RegExp(`node='${name('c')}'`))
  assert.doesNotMatch(rest, new RegExp(name('d')))
  assert.match(
    await page(`<max>1</max><before>${name('c')}</before>`),
    new RegExp(`node='${name('b')}'`),
  )
  assert.match(await page('<max>0</max>'), /<count>\d+<\/count>/)
})

story('XEP-0462 §3.2: nodes are chosen by what they hold', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const [blog, other] = [newNode('blog'), newNode('other')]
  await create(juliet, blog, { type: `urn:${blog}` })
  await create(juliet, other, { type: `urn:${other}` })

  const filtered = (...fields: readonly (readonly [string, string])[]) => {
    const all = [['FORM_TYPE', 'urn:xmpp:pubsub-filter:0'] as const, ...fields]
    const form = all.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
    const filter = `<filter xmlns='urn:xmpp:pubsub-filter:0'><x xmlns='jabber:x:data' type='submit'>${form.join('')}</x></filter>`
    return ask(
      juliet,
      'get',
      `<query xmlns='${DISCO}#items'>${filter}<set xmlns='${NS_RSM}'><max>250</max><after>${[blog, other].sort()[0]?.slice(0, 4)}</after></set></query>`,
      service,
    )
  }

  const included = await filtered(['included-types', `urn:${blog}`])
  assert.match(included, new RegExp(`node='${blog}'`))
  assert.doesNotMatch(included, new RegExp(`node='${other}'`))
  const excluded = await filtered(['excluded-types', `urn:${blog}`])
  assert.match(excluded, new RegExp(`node='${other}'`))
  assert.doesNotMatch(excluded, new RegExp(`node='${blog}'`))
  assert.equal(
    await filtered(['included-types', 'urn:a'], ['excluded-types', 'urn:b']),
    'modify: bad-request',
  )
})

story('XEP-0060 §5.3, §5.4, §5.5: a node says what it is and has', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const [node, secret, asking] = [newNode(), newNode('secret'), newNode('asking')]
  await create(juliet, asking, { access_model: 'authorize' })
  await create(juliet, node, { title: 'Musings' })
  await create(juliet, secret, { access_model: 'whitelist' })
  for (const id of ['a', 'b']) await publish(juliet, node, id)

  const info = await listed(romeo, node, 'info')
  assert.match(info, /<identity category='pubsub' type='leaf'\/>/)
  assert.match(info, /<field var='pubsub#title' type='text-single'><value>Musings<\/value>/)
  assert.match(info, /<field var='pubsub#owner' type='jid-multi'><value>juliet@capulet.example/)
  // XEP-0460 §3
  assert.match(info, /persistence' type='list-single'><value>persistent</)
  assert.match(
    await listed(romeo, node, 'items'),
    new RegExp(`<item jid='${service}' name='b'/><item jid='${service}' name='a'/>`),
  )
  assert.equal(await listed(romeo, secret, 'info'), 'cancel: item-not-found')
  // Who has to ask first is told what for, and not what is there.
  assert.match(await listed(romeo, asking, 'info'), /<value>authorize</)
  assert.equal(await listed(romeo, asking, 'items'), 'auth: not-authorized not-subscribed')
})

story('XEP-0060 §5.6, §5.7: what somebody has at the service, in one list', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const [one, other] = [newNode('one'), newNode('other')]
  for (const node of [one, other]) {
    await create(juliet, node)
    await subscribe(romeo, node)
  }

  const subscriptions = await get(romeo, '<subscriptions/>')
  for (const node of [one, other])
    assert.match(
      subscriptions,
      new RegExp(
        `<subscription node='${node}' jid='${romeo.account}' subid='[^']+' subscription='subscribed'/>`,
      ),
    )
  assert.doesNotMatch(await get(juliet, '<subscriptions/>'), new RegExp(one))
  assert.match(
    await get(juliet, '<affiliations/>'),
    new RegExp(`<affiliation node='${one}' affiliation='owner'/>`),
  )
  assert.equal(await get(romeo, '<affiliations/>'), pubsub('<affiliations/>'))
})

story(
  'XEP-0060 §8.6: an owner of a node at a service is asked, and answers it',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = newNode()
    await create(juliet, node, { access_model: 'authorize' })

    assert.match(await subscribe(romeo, node), /subscription='pending'/)
    await juliet.arrived(1)
    const [question] = juliet.drain()
    const subid = /pubsub#subid' type='hidden'><value>([^<]+)/.exec(String(question))?.[1]
    assert.equal(question?.from, service)
    await juliet.send`<message to='${service}' id='yes'>${form('subscribe_authorization', { node, subid: subid ?? '', subscriber_jid: romeo.account, allow: 'true' })}</message>`

    await romeo.arrived(1)
    romeo.receives`${told(romeo.account, `<subscription node='${node}' jid='${romeo.account}' subscription='subscribed'/>`)}`
  },
)

story('XEP-0060 §8.4: a node that is deleted is gone, and its name is free', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await create(juliet, node)
  await subscribe(romeo, node)

  assert.equal(await rule(juliet, `<delete node='${node}'/>`), 'done')

  await romeo.arrived(1)
  romeo.receives`${told(romeo.account, `<delete node='${node}'/>`)}`
  assert.equal(await get(romeo, `<items node='${node}'/>`), 'cancel: item-not-found')
  assert.doesNotMatch(await get(romeo, '<subscriptions/>'), new RegExp(node))
  assert.match(await create(juliet, node), new RegExp(node))
})

story(
  'nobody speaks to the entities below a service, nor to it of what it does not know',
  async ({ online }) => {
    const juliet = await online(julietBalcony)

    assert.equal(
      await ask(juliet, 'get', pubsub(`<items node='x'/>`), `abc@${service}`),
      'cancel: service-unavailable',
    )
    assert.equal(await get(juliet, '<items/>'), 'modify: bad-request nodeid-required')
    assert.equal(await get(juliet, `<items node='nothing'/>`), 'cancel: item-not-found')
    assert.equal(
      await ask(juliet, 'get', `<x xmlns='urn:x'/>`, service),
      'cancel: service-unavailable',
    )
  },
)

story(
  'XEP-0060 §8.1.1: an account makes as many nodes as the settings say, and no more',
  { modules: { pubsub: { service: { nodesPerAccount: 2, nodes: 3 } } } },
  async ({ online }) => {
    const [juliet, nurse] = [
      await online(julietBalcony),
      await online('nurse@capulet.example/hall'),
    ]
    const full = 'modify: policy-violation max-nodes-exceeded'
    for (const node of ['one', 'two']) await create(juliet, node)

    assert.equal(await create(juliet, 'three'), full)
    assert.match(await create(nurse, 'three'), /three/)
    assert.equal(await create(nurse, 'four'), full)
    assert.equal(await rule(juliet, "<delete node='one'/>"), 'done')
    assert.match(await create(nurse, 'four'), /four/)
  },
)

story(
  'XEP-0060 §8.1.1: who makes many nodes at once gets no more of them than there may be',
  { modules: { pubsub: { service: { nodesPerAccount: 3, nodes: 5 } } } },
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const nurse = await online('nurse@capulet.example/hall')
    const request = (client: string, number: number) =>
      `<iq type='set' id='${client}${number}' to='${service}'>${pubsub(`<create node='${client}${number}'/>`)}</iq>`
    const at = (client: string) =>
      [1, 2, 3, 4, 5, 6].map((number) => request(client, number)).join('')

    await Promise.all([juliet.send`${at('j')}`, nurse.send`${at('n')}`])

    const answers: string[] = []
    for (const [client, name] of [
      [juliet, 'j'],
      [nurse, 'n'],
    ] as const)
      for (const number of [1, 2, 3, 4, 5, 6])
        answers.push(`${name} ${String(await client.hears(`${name}${number}`))}`)
    const made = answers.filter((text) => text.includes("type='result'"))
    assert.equal(made.length, 5, made.join('\n'))
    for (const name of ['j', 'n'])
      assert(made.filter((text) => text.startsWith(name)).length <= 3, made.join('\n'))
    for (const text of answers) assert.match(text, /type='result'|<max-nodes-exceeded/)
  },
)

story('XEP-0060 §8.1.1: of two who make the same node one has it', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const nurse = await online('nurse@capulet.example/hall')
  const node = newNode()
  const create = `<iq type='set' id='same' to='${service}'>${pubsub(`<create node='${node}'/>`)}</iq>`

  await Promise.all([juliet.send`${create}`, nurse.send`${create}`])

  const answers = [await juliet.hears('same'), await nurse.hears('same')].map(String)
  assert.equal(answers.filter((text) => text.includes("type='result'")).length, 1)
  assert.equal(answers.filter((text) => text.includes('<conflict')).length, 1)
})

story(
  'XEP-0060 §8.1.1: who has no place cannot give it to a node',
  { modules: { pubsub: { service: { nodesPerAccount: 1 } } } },
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    assert.match(await create(juliet, 'one'), /<create/)
    const granted = `<message to='${service}'><granted xmlns='urn:tactus:pubsub:0' node='two'/></message>`

    await juliet.send`<iq type='set' id='two' to='${service}'>${pubsub("<create node='two'/>")}</iq>${granted}`

    assert.match(String(await juliet.hears('two')), /<max-nodes-exceeded/)
  },
)

story('SECURITY: nobody but the service itself gives places to nodes', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const node = newNode()
  for (const name of ['granted', 'full', 'reserve', 'settled'])
    await juliet.send`<message to='${service}'><${name} xmlns='urn:tactus:pubsub:0' node='${node}' for='${node}' creator='${juliet.account}'/></message>`

  juliet.drain()
  assert.equal(await publish(juliet, node, 'a'), 'cancel: item-not-found')
  assert.match(await create(juliet, node), /<create/)
})

story('who is deleted leaves no affiliation and no subscription behind', async (tale) => {
  const juliet = await tale.online(julietBalcony)
  const paris = await tale.online('paris@capulet.example/church')
  const [node, other] = [newNode(), newNode()]
  for (const each of [node, other]) {
    await create(juliet, each)
    await subscribe(paris, each)
  }
  await affiliate(juliet, node, paris, 'publisher')

  await tale.command('user delete', { jid: paris.account })
  await tale.settle()

  const left = async (what: string, at = node) =>
    await rule(juliet, `<${what} node='${at}'/>`, 'get')
  for (const each of [node, other]) assert.doesNotMatch(await left('subscriptions', each), /paris/)
  assert.doesNotMatch(await left('affiliations'), /paris/)
})

story('XEP-0060 §5.4: a node tells whom to ask about it', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const node = newNode()
  const contacts = ['nurse@capulet.example', 'romeo@montague.example']
  await create(juliet, node, { contact: contacts })

  const info = await listed(juliet, node, 'info')

  const shown = contacts.map((jid) => `<value>${jid}</value>`).join('')
  assert(info.includes(`<field var='pubsub#contact' type='jid-multi'>${shown}</field>`), info)
  const many = Array.from({ length: 21 }, (_, number) => `a${number}@capulet.example`)
  assert.equal(await create(juliet, newNode(), { contact: many }), 'modify: not-acceptable')
})
