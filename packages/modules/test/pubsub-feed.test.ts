import assert from 'node:assert/strict'
import { type Client, type Story, story } from '@tactus/testkit'
import { parseElement, type XmlElement } from '@tactus/xml'
import { service } from './pubsub/service-words.ts'
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
  romeoHome,
  tune,
} from './pubsub/words.ts'

const BLOG = 'urn:xmpp:microblog:0'
const ATOM = 'http://www.w3.org/2005/Atom'
const url = 'https://capulet.example/atom/x'

const entry = (title: string, more = '') =>
  `<entry xmlns='${ATOM}'><title type='text'>${title}</title>${more}</entry>`
const post = (client: Client, id: string, payload = entry(id)) =>
  publish(client, BLOG, item(id, payload))
const opens = (client: Client, more = {}) =>
  ask(
    client,
    'set',
    owner(
      `<configure node='${BLOG}'>${form('node_config', { access_model: 'open', ...more })}</configure>`,
    ),
  )

interface Feed {
  readonly version: string | null
  readonly modified: number
  readonly document: string | null
}
async function read(
  { command }: Story,
  given: Readonly<Record<string, unknown>> = {},
): Promise<Feed> {
  const asked = { address: juliet, node: BLOG, max: 10, now: Date.now(), url, ...given }
  return (await command('pubsub feed', asked)) as Feed
}
async function feedOf(
  scene: Story,
  given: Readonly<Record<string, unknown>> = {},
): Promise<XmlElement> {
  const { document } = await read(scene, given)
  assert(document)
  assert.match(document, /^<\?xml version='1.0' encoding='utf-8'\?>\n<feed /)
  return parseElement(document.slice(document.indexOf('\n') + 1).trim())
}
const textOf = (parent: XmlElement | undefined, name: string) =>
  parent?.getChild(name, ATOM)?.text()
const entriesOf = (feed: XmlElement) => feed.getChildren('entry', ATOM)
const linkOf = (feed: XmlElement, rel: string) =>
  feed.getChildren('link', ATOM).find(({ attrs }) => attrs.rel === rel)?.attrs.href
const absent = { version: null, modified: 0, document: null }

story('RFC 4287 §4.1: an open blog is a feed with all that a feed must have', async (scene) => {
  const balcony = await scene.online(julietBalcony)
  const metadata = `<feed xmlns='${ATOM}'><title>Juliet &amp; I</title><id>tag:x,2008:home</id><link rel='self' href='https://elsewhere.example/'/></feed>`
  await post(balcony, '0', metadata)
  await post(
    balcony,
    'a',
    entry('&lt;b&gt; first', '<id>tag:x,2008:a</id><updated>2008-05-08T18:30:02Z</updated>'),
  )
  await post(balcony, 'b')
  await opens(balcony)

  const feed = await feedOf(scene)

  const node = `xmpp:${juliet}?;node=urn%3Axmpp%3Amicroblog%3A0`
  assert.equal(textOf(feed, 'title'), 'Juliet & I')
  assert.equal(textOf(feed, 'id'), node)
  assert.match(textOf(feed, 'updated') ?? '', /^\d{4}-\d\d-\d\dT/)
  assert.equal(textOf(feed.getChild('author', ATOM), 'name'), juliet)
  assert.equal(linkOf(feed, 'self'), url)
  assert.equal(linkOf(feed, 'alternate'), node)
  assert.equal(linkOf(feed, 'next'), undefined)
  const [latest, first, ...others] = entriesOf(feed)
  assert.equal(others.length, 0)
  assert.equal(textOf(latest, 'id'), `${node};item=b`)
  assert.match(textOf(latest, 'updated') ?? '', /^\d{4}-\d\d-\d\dT/)
  assert.equal(textOf(latest?.getChild('author', ATOM), 'uri'), `xmpp:${juliet}`)
  assert.equal(textOf(first, 'title'), '<b> first')
  assert.equal(textOf(first, 'id'), 'tag:x,2008:a')
  assert.equal(textOf(first, 'updated'), '2008-05-08T18:30:02Z')
})

story('SECURITY: what is not open to everybody is not there', async (scene) => {
  const balcony = await scene.online(julietBalcony)
  await post(balcony, 'a')

  assert.deepEqual(await read(scene), absent)
  await opens(balcony)
  assert.equal((await read(scene)).document?.includes('<entry'), true)
  await opens(balcony, { access_model: 'whitelist' })

  assert.deepEqual(await read(scene), absent)
  for (const given of [
    { address: 'nobody@capulet.example' },
    { address: 'capulet.example' },
    { address: 'juliet@elsewhere.example' },
    { address: '@@' },
    { node: 'other' },
  ])
    assert.deepEqual(await read(scene, given), absent)
})

story('RFC 5005 §3: a long feed goes on at another page', async (scene) => {
  const balcony = await scene.online(julietBalcony)
  for (const id of ['a', 'b', 'c d', 'e']) await post(balcony, id)
  await opens(balcony)
  const titles = (feed: XmlElement) => entriesOf(feed).map((each) => textOf(each, 'title'))

  const first = await feedOf(scene, { max: 2 })
  assert.deepEqual(titles(first), ['e', 'c d'])
  assert.equal(linkOf(first, 'next'), `${url}?after=c%20d`)
  const second = await feedOf(scene, { max: 2, after: 'c d' })
  assert.deepEqual(titles(second), ['b', 'a'])
  assert.equal(linkOf(second, 'self'), `${url}?after=c%20d`)
  assert.equal(linkOf(second, 'next'), undefined)
  assert.deepEqual(titles(await feedOf(scene, { after: 'unknown' })), [])
})

story('RFC 9110 §8.8.3: a feed has another version when it is another', async (scene) => {
  const balcony = await scene.online(julietBalcony)
  await post(balcony, 'a')
  await opens(balcony)
  const { version, modified } = await read(scene)
  assert.deepEqual(await read(scene, { known: version }), { version, modified, document: null })

  await post(balcony, 'b')
  const later = await read(scene, { known: version })
  assert.notEqual(later.version, version)
  assert(later.document)
  await ask(balcony, 'set', pubsub(`<retract node='${BLOG}'>${item('b')}</retract>`))
  assert.deepEqual((await read(scene)).version, version)
  await opens(balcony, { title: 'Capulet' })
  assert.notEqual((await read(scene)).version, version)
})

story('a node of a service is a feed too, unless it holds something else', async (scene) => {
  const romeo = await scene.online(romeoHome)
  const balcony = await scene.online(julietBalcony)
  const node = `news/${process.pid} & more`
  const named = node.replace('&', '&amp;')
  const set = (content: string) => ask(balcony, 'set', pubsub(content), service)
  const config = { type: 'urn:xmpp:pubsub-social-feed:1', title: 'News' }
  await set(`<create node='${named}'/><configure>${form('node_config', config)}</configure>`)
  await set(`<publish node='${named}'>${item('a', entry('a'))}</publish>`)
  const feed = await feedOf(scene, { address: service, node })
  assert.equal(textOf(feed, 'title'), 'News')
  assert.deepEqual(
    entriesOf(feed).map((each) => textOf(each, 'title')),
    ['a'],
  )

  await create(balcony, 'tunes', { access_model: 'open' })
  assert.equal(entriesOf(await feedOf(scene, { node: 'tunes' })).length, 0)
  await publish(balcony, 'tunes', item('a', tune('a')))
  assert.deepEqual(await read(scene, { node: 'tunes' }), absent)
  await romeo.receivesNothing()
})
