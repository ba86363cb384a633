import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  ask,
  comesWith,
  idsOf,
  item,
  items,
  juliet,
  julietBalcony,
  NS,
  options,
  publish,
  pubsub,
  romeoHome,
  software,
} from './pubsub/words.ts'

const NS_BOOKMARKS = 'urn:xmpp:bookmarks:1'
const NS_STORAGE = 'storage:bookmarks'
const [theplay, orchard] = ['theplay@conference.example', 'orchard@conference.example']
const room = (name: string, extensions = '') =>
  `<conference xmlns='${NS_BOOKMARKS}' name='${name}' autojoin='true'><nick>JC</nick>${extensions}</conference>`
const oldRoom = (jid: string, name: string) =>
  `<conference jid='${jid}' name='${name}' autojoin='true'><nick>JC</nick></conference>`
const storage = (...content: readonly string[]) =>
  `<storage xmlns='${NS_STORAGE}'>${content.join('')}</storage>`
const url = "<url name='Works' url='https://the-tech.mit.edu/Shakespeare/'/>"
const wishes = options({
  persist_items: 'true',
  max_items: 'max',
  send_last_published_item: 'never',
  access_model: 'whitelist',
})

const bookmark = (client: Client, jid: string, name: string, extensions = '') =>
  publish(client, NS_BOOKMARKS, item(jid, room(name, extensions)), wishes)
const readPrivate = async (client: Client) =>
  (await ask(client, 'get', `<query xmlns='jabber:iq:private'>${storage()}</query>`)).replace(
    /^<query xmlns='jabber:iq:private'>|<\/query>$/g,
    '',
  )
const writePrivate = (client: Client, ...content: readonly string[]) =>
  ask(client, 'set', `<query xmlns='jabber:iq:private'>${storage(...content)}</query>`)
/** The list is made in a step of its own, so it is asked for until it is there. */
async function findsInOldNode(client: Client, list: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) if ((await readOldNode(client)) === list) return
  assert.equal(await readOldNode(client), list)
}
const readOldNode = async (client: Client) =>
  /<storage.*(?:<\/storage>|\/>)(?=<\/item>)/.exec(await items(client, NS_STORAGE))?.[0]

story(
  'XEP-0402 §4, §6: bookmarks are the account’s alone, whatever is asked for',
  async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(client, romeo)

    assert.equal(
      await publish(
        client,
        NS_BOOKMARKS,
        item(theplay, room('x')),
        options({ access_model: 'open' }),
      ),
      'cancel: conflict precondition-not-met',
    )
    assert.match(await publish(client, NS_BOOKMARKS, item(theplay, room('The Play'))), /^<pubsub/)
    assert.match(await bookmark(client, orchard, 'Orchard'), /^<pubsub/)

    assert.deepEqual(idsOf(await items(client, NS_BOOKMARKS)), [orchard, theplay])
    assert.equal(await items(romeo, NS_BOOKMARKS), 'cancel: not-allowed closed-node')
    const form = `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${NS}#node_config</value></field><field var='pubsub#access_model'><value>open</value></field></x>`
    assert.equal(
      await ask(
        client,
        'set',
        `<pubsub xmlns='${NS}#owner'><configure node='${NS_BOOKMARKS}'>${form}</configure></pubsub>`,
      ),
      'modify: not-acceptable',
    )
  },
)

story(
  'XEP-0402 §5.3.1: what is said in the new way can be read in both old ones',
  async ({ online }) => {
    const client = await online(julietBalcony)

    await bookmark(client, theplay, 'The Play')
    await bookmark(client, orchard, 'Orchard')

    const list = storage(oldRoom(orchard, 'Orchard'), oldRoom(theplay, 'The Play'))
    await findsInOldNode(client, list)
    assert.deepEqual(
      [...(await readPrivate(client)).matchAll(/jid='([^']+)'/g)]
        .map((found) => found[1])
        .toSorted(),
      [orchard, theplay],
    )
    await ask(
      client,
      'set',
      pubsub(`<retract node='${NS_BOOKMARKS}' notify='1'>${item(orchard)}</retract>`),
    )
    assert.equal(await readPrivate(client), storage(oldRoom(theplay, 'The Play')))
    await findsInOldNode(client, storage(oldRoom(theplay, 'The Play')))
  },
)

story(
  'XEP-0402 §5.3.2, XEP-0411 §3: what is said in private storage is found in both nodes',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const rest = `<extensions><state xmlns='http://myclient.example/bookmark/state' minimized='true'/></extensions>`
    await bookmark(client, theplay, 'The Play', rest)
    await bookmark(client, 'gone@conference.example', 'Gone')

    await writePrivate(client, oldRoom(theplay, 'Renamed'), oldRoom(orchard, 'Orchard'), url)

    assert.equal(
      await readPrivate(client),
      storage(oldRoom(orchard, 'Orchard'), oldRoom(theplay, 'Renamed'), url),
    )
    const stored = await items(client, NS_BOOKMARKS)
    assert.deepEqual(idsOf(stored), [orchard, theplay])
    // §4: what the older client does not know is preserved.
    assert.ok(stored.includes(room('Renamed', rest)), stored)
    await findsInOldNode(client, storage(oldRoom(orchard, 'Orchard'), oldRoom(theplay, 'Renamed')))
  },
)

story('XEP-0402 §5.3.2: only what changed is told', async ({ connect }) => {
  const client = await connect(julietBalcony)
  await comesWith(client, software(NS_BOOKMARKS))
  await bookmark(client, theplay, 'The Play')
  await bookmark(client, orchard, 'Orchard')
  client.drain()

  await client.send`<iq type='set' id='x'><query xmlns='jabber:iq:private'>${storage(oldRoom(theplay, 'The Play'), oldRoom('new@conference.example', 'New'))}</query></iq>`

  const told = client
    .drain()
    .filter(({ name }) => name === 'message')
    .map(String)
  assert.equal(told.length, 2)
  assert.match(told[0] ?? '', /<item id='new@conference.example'>/)
  assert.match(told[1] ?? '', new RegExp(`<retract id='${orchard}'/>`))
})

story('XEP-0402 §5.3.2: a list in the older node is taken apart', async ({ online }) => {
  const client = await online(julietBalcony)
  await bookmark(client, theplay, 'The Play')

  await publish(client, NS_STORAGE, item('current', storage(oldRoom(orchard, 'Orchard'), url)))

  assert.deepEqual(idsOf(await items(client, NS_BOOKMARKS)), [orchard])
  await findsInOldNode(client, storage(oldRoom(orchard, 'Orchard'), url))
  assert.equal(await readPrivate(client), storage(oldRoom(orchard, 'Orchard')))
})

story(
  'SECURITY, V43: strangers cannot pretend that rooms were bookmarked',
  async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(client, romeo)
    const event = `<event xmlns='${NS}#event'><items node='${NS_BOOKMARKS}'>${item(theplay, room('Trap'))}</items></event>`

    await romeo.send`<message to='${juliet}' type='headline'>${event}<body>x</body></message>`
    await romeo.send`<message to='${client.jid}' type='chat'>${event}</message>`

    const received = client.drain()
    assert.equal(received.length, 2)
    for (const message of received) assert.equal(message.hasChild('event', `${NS}#event`), false)
  },
)
