import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { service } from './pubsub/service-words.ts'
import {
  ask,
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
} from './pubsub/words.ts'

const NS_ATTACHMENTS = 'urn:xmpp:pubsub-attachments:1'
const NS_SUMMARY = 'urn:xmpp:pubsub-attachments:summary:1'
const BLOG = 'urn:xmpp:microblog:0'
const SUMMARY = `${NS_SUMMARY}/${BLOG}`
const attachedTo = (id: string, node = encodeURIComponent(BLOG), address = juliet) =>
  `${NS_ATTACHMENTS}/xmpp:${address}?;node=${node};item=${id}`

const noticed = '<noticed timestamp="2022-07-11T12:07:24Z"/>'
const reactions = (...list: readonly string[]) =>
  `<reactions>${list.map((each) => `<reaction>${each}</reaction>`).join('')}</reactions>`
const attachments = (content: string) =>
  `<attachments xmlns='${NS_ATTACHMENTS}'>${content}</attachments>`
const post = (client: Client, id: string) =>
  publish(
    client,
    BLOG,
    item(id, `<entry xmlns='http://www.w3.org/2005/Atom'><title>${id}</title></entry>`),
  )
const attach = (
  client: Client,
  content: string,
  { node = attachedTo('a'), id = client.account, to = juliet, extra = '' } = {},
) =>
  ask(
    client,
    'set',
    pubsub(`<publish node='${node}'>${item(id, attachments(content))}</publish>${extra}`),
    to,
  )
const detach = (client: Client, id: string = client.account, node = attachedTo('a')) =>
  ask(client, 'set', pubsub(`<retract node='${node}'>${item(id)}</retract>`), juliet)
/** What an item’s summary says, without its wrapping. */
async function summaryOf(client: Client, id = 'a', node = SUMMARY, to = juliet): Promise<string> {
  const answer = await items(client, node, '', item(id), to)
  return /<summary xmlns='[^']*'>(.*)<\/summary>/.exec(answer)?.[1] ?? answer
}
const configure = (client: Client, node: string, fields: Readonly<Record<string, string>>) =>
  ask(client, 'set', owner(`<configure node='${node}'>${form('node_config', fields)}</configure>`))
const nothing = (node: string) =>
  `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='${node}'/></pubsub>`

story(
  'XEP-0470 §4.1, §4.6: contacts say that they noticed, and react; a summary counts it',
  async ({ online, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    const nurse = await online('nurse@capulet.example/kitchen')
    for (const friend of [romeo, nurse]) await befriend(balcony, friend)
    await post(balcony, 'a')
    await post(balcony, 'b')

    assert.match(await attach(romeo, noticed), /<item id='romeo@montague.example'\/>/)
    assert.equal(await summaryOf(nurse), `<noticed count='1'/>`)
    // §4.1: what was there before is published again.
    await attach(romeo, noticed + reactions('👷', '🔨', '🔨'))
    await attach(nurse, noticed + reactions('👷'))
    await attach(balcony, reactions('🩰'), { node: attachedTo('b') })

    const both = `<noticed count='2'/><reactions><reaction count='2'>👷</reaction><reaction>🔨</reaction></reactions>`
    assert.equal(await summaryOf(romeo), both)
    assert.equal(await summaryOf(romeo, 'b'), '<reactions><reaction>🩰</reaction></reactions>')
    assert.deepEqual(idsOf(await items(romeo, attachedTo('a'))).toSorted(), [
      nurse.account,
      romeo.account,
    ])

    // Taken back, by whom it is of and by whose item it is.
    await attach(nurse, reactions('🔨'))
    assert.equal(await detach(romeo), 'done')
    assert.equal(await summaryOf(romeo), '<reactions><reaction>🔨</reaction></reactions>')
    assert.equal(await detach(romeo, nurse.account), 'auth: forbidden')
    assert.equal(await detach(balcony, nurse.account), 'done')
    assert.equal(await summaryOf(romeo), nothing(SUMMARY))
  },
)

story(
  'XEP-0470 §4.3: what is attached is for those whom the node is for, also later',
  async ({ online, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    const nurse = await online('nurse@capulet.example/kitchen')
    await befriend(balcony, romeo)
    await post(balcony, 'a')
    await attach(romeo, noticed)
    const stranger = 'auth: not-authorized presence-subscription-required'

    assert.equal(await attach(nurse, noticed), stranger)
    for (const node of [attachedTo('a'), SUMMARY]) assert.equal(await items(nurse, node), stranger)
    const there = attachedTo('elsewhere')
    assert.equal(await attach(nurse, noticed, { node: there }), stranger)

    await configure(balcony, BLOG, { access_model: 'open' })
    assert.match(await attach(nurse, noticed), /<item/)
    assert.equal(await summaryOf(nurse), `<noticed count='2'/>`)
    for (const node of [attachedTo('a'), SUMMARY]) {
      const answer = await ask(balcony, 'get', owner(`<configure node='${node}'/>`))
      assert.match(answer, /pubsub#access_model'.*?<value>open</)
    }
    await configure(balcony, BLOG, { access_model: 'whitelist' })
    assert.equal(await attach(romeo, noticed), 'auth: forbidden')
    assert.equal(await items(romeo, SUMMARY), 'cancel: not-allowed closed-node')
    assert.equal(await summaryOf(balcony), `<noticed count='2'/>`)
    const member = `<affiliation jid='${romeo.account}' affiliation='member'/>`
    const admitted = owner(`<affiliations node='${BLOG}'>${member}</affiliations>`)
    await ask(balcony, 'set', admitted)
    assert.match(await attach(romeo, reactions('👷')), /<item/)
    assert.match(await summaryOf(romeo), /<noticed count='1'\/>.*👷/)
  },
)

story('XEP-0470 §4.4, §4.6: these nodes are the server’s to make', async ({ online, befriend }) => {
  const balcony = await online(julietBalcony)
  const romeo = await online(romeoHome)
  await befriend(balcony, romeo)
  await post(balcony, 'a')
  const refused = 'cancel: not-allowed'
  const creates = (node: string) => ask(balcony, 'set', pubsub(`<create node='${node}'/>`))

  assert.equal(await creates(attachedTo('a')), refused)
  assert.equal(await creates(SUMMARY), refused)
  await attach(romeo, noticed, {
    // §4.3: ignored.
    extra: `<publish-options>${form('publish-options', { access_model: 'open' })}</publish-options>`,
  })
  for (const node of [attachedTo('a'), SUMMARY]) {
    assert.equal(await configure(balcony, node, { access_model: 'open' }), refused)
    for (const what of ['delete', 'purge'])
      assert.equal(await ask(balcony, 'set', owner(`<${what} node='${node}'/>`)), refused)
  }
  const summary = `<summary xmlns='${NS_SUMMARY}'><noticed count='9'/></summary>`
  for (const client of [balcony, romeo]) {
    const forged = pubsub(`<publish node='${SUMMARY}'>${item('a', summary)}</publish>`)
    assert.equal(await ask(client, 'set', forged, juliet), 'auth: forbidden')
  }
  // Nobody makes one for what is not there, or by another name.
  for (const node of [
    attachedTo('z'),
    attachedTo('a', 'other'),
    attachedTo('a', 'urn%3axmpp%3amicroblog%3a0'),
    attachedTo('%61'),
    attachedTo('a', undefined, 'nurse@capulet.example'),
    `${NS_ATTACHMENTS}/a`,
    attachedTo('a', encodeURIComponent(SUMMARY)),
  ])
    assert.equal(await attach(romeo, noticed, { node }), 'cancel: item-not-found', node)
})

story(
  'XEP-0470 §4.5: one attaches in one’s own name, and attachments',
  async ({ online, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(balcony, romeo)
    await post(balcony, 'a')

    assert.equal(await attach(romeo, noticed, { id: juliet }), 'modify: bad-request')
    assert.equal(await attach(balcony, noticed, { id: romeo.account }), 'modify: bad-request')
    const other = pubsub(
      `<publish node='${attachedTo('a')}'>${item(romeo.account, '<a xmlns="b"/>')}</publish>`,
    )
    assert.match(await ask(romeo, 'set', other, juliet), /^modify: bad-request/)
    assert.equal(await attach(romeo, reactions('x'.repeat(5_000))), 'modify: not-acceptable')
    const many = `${item(romeo.account, attachments(noticed))}`.repeat(2)
    const twice = pubsub(`<publish node='${attachedTo('a')}'>${many}</publish>`)
    assert.match(await ask(romeo, 'set', twice, juliet), /max-items-exceeded/)
    assert.match(await items(romeo, SUMMARY), /item-not-found/)
  },
)

story(
  'XEP-0470 §4.6: who wants to hears of it; what goes takes along what was attached',
  async ({ online, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(balcony, romeo)
    for (const id of ['a', 'b']) {
      await post(balcony, id)
      await attach(romeo, noticed, { node: attachedTo(id) })
    }
    await ask(romeo, 'set', pubsub(`<subscribe node='${SUMMARY}' jid='${romeo.jid}'/>`), juliet)
    romeo.drain()

    await balcony.send`<iq type='set' id='p'>${pubsub(`<publish node='${attachedTo('b')}'>${item(juliet, attachments(noticed))}</publish>`)}</iq>`
    await romeo.arrived(1)
    assert.match(String(romeo.drain().at(-1)), /<item id='b'><summary[^>]*><noticed count='2'\/>/)

    await ask(balcony, 'set', pubsub(`<retract node='${BLOG}'>${item('b')}</retract>`))
    assert.match(await items(balcony, attachedTo('b')), /item-not-found/)
    assert.deepEqual(idsOf(await items(balcony, SUMMARY)), ['a'])
    await ask(balcony, 'set', owner(`<delete node='${BLOG}'/>`))
    for (const node of [attachedTo('a'), SUMMARY])
      assert.match(await items(balcony, node), /item-not-found/)
  },
)

story('XEP-0470 §4: at a service too, and accounts say so', async ({ online }) => {
  const balcony = await online(julietBalcony)
  const romeo = await online(romeoHome)
  const node = `plays-${process.pid}`
  await ask(balcony, 'set', pubsub(`<create node='${node}'/>`), service)
  const play = item('a', '<play xmlns="urn:example"/>')
  await ask(balcony, 'set', pubsub(`<publish node='${node}'>${play}</publish>`), service)
  const to = { node: attachedTo('a', node, service), to: service }

  for (const client of [romeo, balcony]) assert.match(await attach(client, noticed, to), /<item/)

  assert.equal(
    await summaryOf(romeo, 'a', `${NS_SUMMARY}/${node}`, service),
    `<noticed count='2'/>`,
  )
  const query = (what: string) => `<query xmlns='http://jabber.org/protocol/disco#${what}'/>`
  assert.doesNotMatch(await ask(romeo, 'get', query('items'), service), /attachments/)
  assert.doesNotMatch(await ask(balcony, 'get', query('items'), juliet), /attachments/)
  for (const address of [service, juliet])
    assert.match(
      await ask(balcony, 'get', query('info'), address),
      new RegExp(`'${NS_ATTACHMENTS}'`),
    )
})

story(
  'what is attached has bounds, and takes no room of the owner’s nodes',
  { modules: { pubsub: { nodes: 2, attachedItems: 3 } } },
  async ({ online, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(balcony, romeo)
    for (const id of ['a', 'b', 'c']) await post(balcony, id)

    const results: string[] = []
    for (const id of ['a', 'b', 'c'])
      results.push((await attach(romeo, noticed, { node: attachedTo(id) })).slice(0, 24))
    assert.equal(results[2], 'modify: policy-violation'.slice(0, 24))
    assert.match(await publish(balcony, 'second', item('a', '<a xmlns="b"/>')), /<item/)
    const different = Array.from({ length: 40 }, (_, index) => `r${index}`)
    await attach(romeo, reactions(...different))
    assert.equal((await summaryOf(romeo)).match(/<reaction>/g)?.length, 32)
  },
)
