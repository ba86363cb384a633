import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { parseElement } from '@tactus/xml'
import {
  ask,
  comesWith,
  create,
  event,
  form,
  idsOf,
  item,
  items,
  juliet,
  julietBalcony,
  NS,
  options,
  owner,
  publish,
  pubsub,
  replyTo,
  romeoHome,
  software,
} from './pubsub/words.ts'

const BLOG = 'urn:xmpp:microblog:0'
const COMMENTS = `${BLOG}:comments/balcony-restoration`
const FEED = 'urn:xmpp:pubsub-social-feed:1'
const GALLERY = 'urn:xmpp:pubsub-social-feed:gallery:1'
const STORIES = 'urn:xmpp:pubsub-social-feed:stories:0'
const ATOM = 'http://www.w3.org/2005/Atom'
const ROMEO = 'romeo@montague.example'

const entry = (title: string, more = '') =>
  `<entry xmlns='${ATOM}'><title type='text'>${title}</title><id>tag:capulet.example,2008:${title}</id>${more}<published>2008-05-08T18:30:02Z</published><updated>2008-05-08T18:30:02Z</updated></entry>`
const author = (jid: string) => `<author><name>J</name><uri>xmpp:${jid}</uri></author>`
const enclosure = (type: string) =>
  `<link rel='enclosure' href='https://capulet.example/upload/a' type='${type}'/>`
const post = (client: Client, id: string, more = '') =>
  publish(client, BLOG, item(id, entry(id, more)))
const writes = (client: Client, node: string, id: string, payload: string) =>
  ask(client, 'set', pubsub(`<publish node='${node}'>${item(id, payload)}</publish>`), juliet)
const invalid = 'modify: bad-request invalid-payload'

async function settingsOf(client: Client, node: string): Promise<ReadonlyMap<string, string>> {
  const answer = parseElement(await ask(client, 'get', owner(`<configure node='${node}'/>`)))
  const fields = answer.getChild('configure')?.getChild('x')?.getChildren('field') ?? []
  return new Map(
    fields.map((field) => [
      field.attrs.var?.replace('pubsub#', '') ?? '',
      field.getChild('value')?.text() ?? '',
    ]),
  )
}
/** Those of its settings that are asked for. */
async function checkSettings(
  client: Client,
  node: string,
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  const all = await settingsOf(client, node)
  const found = Object.keys(expected).map((name) => [name, all.get(name)])
  assert.deepEqual(Object.fromEntries(found), expected)
}

story(
  'XEP-0277 §2.4: a post comes to contacts that read blogs, whole, and says who published it',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    const orchard = await connect('romeo@montague.example/orchard')
    await befriend(balcony, romeo)
    await comesWith(orchard, software(BLOG))
    for (const client of [balcony, romeo, orchard]) client.drain()

    await post(balcony, 'a')

    const told = `<item id='a' publisher='${juliet}'>${entry('a')}</item>`
    orchard.receives`${event(orchard.jid, `<items node='${BLOG}'>${told}</items>`, { rest: replyTo(balcony.jid) })}`
    await romeo.receivesNothing()
    assert.match(await items(romeo, BLOG), new RegExp(`<item id='a' publisher='${juliet}'>`))
  },
)

story(
  'XEP-0277 §4.1: a blog keeps its posts, tells what is taken back, and greets nobody with the last one',
  async ({ online }) => {
    const balcony = await online(julietBalcony)

    for (const id of ['a', 'b', 'c']) await post(balcony, id)

    assert.deepEqual(idsOf(await items(balcony, BLOG)), ['c', 'b', 'a'])
    await checkSettings(balcony, BLOG, {
      access_model: 'presence',
      publish_model: 'publishers',
      max_items: 'max',
      notify_retract: '1',
      persist_items: '1',
      send_last_published_item: 'never',
      type: BLOG,
    })
    const silent = form('node_config', { notify_retract: 'false' })
    assert.equal(
      await ask(balcony, 'set', owner(`<configure node='${BLOG}'>${silent}</configure>`)),
      'modify: not-acceptable',
    )
  },
)

story('XEP-0277 §2.3: what is published in a blog are Atom entries', async ({ online }) => {
  const balcony = await online(julietBalcony)

  const tune = `<tune xmlns='http://jabber.org/protocol/tune'/>`
  assert.equal(await publish(balcony, BLOG, item('a', tune)), invalid)
  assert.equal(await publish(balcony, BLOG, item('a', `<title xmlns='${ATOM}'/>`)), invalid)
  assert.equal(await publish(balcony, BLOG, item('a', `<feed xmlns='${ATOM}'/>`)), invalid)
  assert.equal(await publish(balcony, BLOG, item('a')), 'modify: bad-request payload-required')
  // §3.4: to repeat what somebody else wrote.
  assert.match(await post(balcony, 'b', author(ROMEO)), /<item id='b'/)
})

story('XEP-0277 §5: item 0 is what the blog says of itself', async ({ online }) => {
  const balcony = await online(julietBalcony)

  const metadata = `<feed xmlns='${ATOM}'><title>Juliet</title><id>tag:capulet.example,2008:home</id></feed>`
  assert.match(await publish(balcony, BLOG, item('0', metadata)), /<item id='0'/)
  await post(balcony, 'a')

  assert.match(await items(balcony, BLOG, '', item('0')), /<title>Juliet</)
})

story(
  'XEP-0277 §4.2: everybody may read and add comments, in their own name',
  async ({ online }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await ask(balcony, 'set', pubsub(`<create node='${COMMENTS}'/>`))
    await checkSettings(balcony, COMMENTS, {
      access_model: 'open',
      publish_model: 'open',
      max_items: 'max',
      notify_retract: '1',
      itemreply: 'publisher',
    })

    assert.match(await writes(romeo, COMMENTS, 'r', entry('r', author(ROMEO))), /id='r'/)
    assert.match(await writes(romeo, COMMENTS, 's', entry('s')), /id='s'/)
    assert.equal(await writes(romeo, COMMENTS, 't', entry('t', author(juliet))), invalid)

    const answer = await items(romeo, COMMENTS)
    assert.deepEqual(idsOf(answer), ['s', 'r'])
    assert.match(answer, new RegExp(`<item id='r' publisher='${ROMEO}'>`))
    // Whose it is may change it, and take it back; so may the owner.
    assert.match(await writes(romeo, COMMENTS, 's', entry('again')), /id='s'/)
    const retract = (client: Client, id: string) =>
      ask(client, 'set', pubsub(`<retract node='${COMMENTS}'>${item(id)}</retract>`), juliet)
    assert.equal(await retract(romeo, 's'), 'done')
    assert.equal(await retract(balcony, 'r'), 'done')
  },
)

story(
  'XEP-0472 §5.1: a node of the type is configured as a feed, and takes entries',
  async ({ online }) => {
    const balcony = await online(julietBalcony)

    await create(balcony, 'capulets', { type: FEED })

    await checkSettings(balcony, 'capulets', {
      type: FEED,
      notify_retract: '1',
      max_items: 'max',
      persist_items: '1',
      send_last_published_item: 'never',
      deliver_payloads: '0',
    })
    assert.match(await publish(balcony, 'capulets', item('a', entry('a'))), /id='a'/)
    assert.equal(await publish(balcony, 'capulets', item('b', '<a xmlns="b"/>')), invalid)
    assert.match(await items(balcony, 'capulets'), /<title type='text'>a</)
    assert.equal(
      await create(balcony, 'silent', { type: FEED, notify_retract: '0' }),
      'modify: not-acceptable',
    )
  },
)

story('XEP-0472 §5.1: a node becomes a feed when its owner says so', async ({ online }) => {
  const balcony = await online(julietBalcony)
  await create(balcony, 'capulets', { notify_retract: 'false' })
  const configure = (fields: Record<string, string>) =>
    ask(
      balcony,
      'set',
      owner(`<configure node='capulets'>${form('node_config', fields)}</configure>`),
    )

  assert.equal(await configure({ type: FEED }), 'done')

  await checkSettings(balcony, 'capulets', { type: FEED, notify_retract: '1' })
  assert.equal(await publish(balcony, 'capulets', item('b', '<a xmlns="b"/>')), invalid)
})

story('XEP-0472 §5: a profile that the server does not know is a feed', async ({ online }) => {
  const balcony = await online(julietBalcony)
  // XEP-0508 §6.1
  const type = 'urn:xmpp:pubsub-social-feed:flat-forums:0'
  await create(balcony, 'forum', { type })

  await checkSettings(balcony, 'forum', { type, notify_retract: '1' })
  assert.match(await publish(balcony, 'forum', item('a', entry('a'))), /<item id='a'/)
  assert.equal(await publish(balcony, 'forum', item('b', '<a xmlns="b"/>')), invalid)
})

story('XEP-0472 §5.3: what is in a gallery has a picture', async ({ online }) => {
  const balcony = await online(julietBalcony)
  await create(balcony, 'pictures', { type: GALLERY })

  assert.equal(await publish(balcony, 'pictures', item('a', entry('a'))), invalid)
  const sound = entry('a', enclosure('audio/ogg'))
  assert.equal(await publish(balcony, 'pictures', item('a', sound)), invalid)
  const picture = entry('a', enclosure('audio/ogg') + enclosure('image/jpeg'))
  assert.match(await publish(balcony, 'pictures', item('a', picture)), /id='a'/)
})

story(
  'XEP-0501 §4.1: a story has one picture, and contacts see it',
  async ({ online, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    const nurse = await online('nurse@capulet.example/kitchen')
    await befriend(balcony, romeo)

    assert.equal(await publish(balcony, STORIES, item('a', entry('a'))), invalid)
    const two = entry('a', enclosure('image/jpeg') + enclosure('image/png'))
    assert.equal(await publish(balcony, STORIES, item('a', two)), invalid)
    assert.match(
      await publish(balcony, STORIES, item('a', entry('a', enclosure('video/mp4')))),
      /id='a'/,
    )

    await checkSettings(balcony, STORIES, {
      type: STORIES,
      access_model: 'presence',
      item_expire: '86400',
      notify_retract: '1',
    })
    assert.deepEqual(idsOf(await items(romeo, STORIES)), ['a'])
    assert.match(await items(nurse, STORIES), /presence-subscription-required/)
  },
)

story(
  'XEP-0501 §5: a story is over after a day, and nobody is told',
  { memoryOnly: 'time passes' },
  async ({ online, pass }) => {
    const balcony = await online(julietBalcony)
    const tell = (id: string) =>
      publish(balcony, STORIES, item(id, entry(id, enclosure('image/png'))))
    await tell('a')
    await pass(43_200_000)
    await tell('b')
    assert.deepEqual(idsOf(await items(balcony, STORIES)), ['b', 'a'])

    await pass(43_200_000)
    assert.deepEqual(idsOf(await items(balcony, STORIES)), ['b'])

    await pass(43_200_000)
    assert.equal(
      await items(balcony, STORIES),
      `<pubsub xmlns='${NS}'><items node='${STORIES}'/></pubsub>`,
    )
    await balcony.receivesNothing()
  },
)

story(
  'XEP-0060 §16.4.3: an owner says how long items stay, and may change it',
  { memoryOnly: 'time passes' },
  async ({ online, pass }) => {
    const balcony = await online(julietBalcony)
    const configure = (seconds: string) =>
      ask(
        balcony,
        'set',
        owner(
          `<configure node='notes'>${form('node_config', { item_expire: seconds })}</configure>`,
        ),
      )
    await publish(balcony, 'notes', item('a', '<a xmlns="b"/>'), options({ max_items: '10' }))
    await pass(60_000)
    assert.deepEqual(idsOf(await items(balcony, 'notes')), ['a'])

    assert.equal(await configure('120'), 'done')
    await pass(30_000)
    assert.deepEqual(idsOf(await items(balcony, 'notes')), ['a'])
    assert.equal(await configure('max'), 'done')
    await pass(60_000)
    assert.deepEqual(idsOf(await items(balcony, 'notes')), ['a'])
    assert.equal(await configure('30'), 'done')
    assert.deepEqual(idsOf(await items(balcony, 'notes')), [])
    assert.equal(await configure('0'), 'modify: not-acceptable')
  },
)

story('XEP-0472 §3: accounts say what kinds of feeds they are good for', async ({ online }) => {
  const balcony = await online(julietBalcony)

  const info = await ask(balcony, 'get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`)

  for (const feature of [BLOG, FEED, GALLERY, STORIES])
    assert.match(info, new RegExp(`<feature var='${feature}'/>`))
})
