import assert from 'node:assert/strict'
import { type Client, type Story, story } from '@tactus/testkit'
import type { XmlElement } from '@tactus/xml'
import { lovers, messageOf, NS as NS_ARCHIVE, query, say } from './archive-client.ts'

const NS = 'urn:xmpp:inbox:1'
const NS_RSM = 'http://jabber.org/protocol/rsm'
const NS_MARKERS = 'urn:xmpp:chat-markers:0'
const nurse = 'nurse@capulet.example'
const rsm = (content: string): string => `<set xmlns='${NS_RSM}'>${content}</set>`

interface Inbox {
  /** Conversations as `address unread`. */
  readonly chats: readonly string[]
  /** What was said last in each. */
  readonly bodies: readonly (string | undefined)[]
  readonly entries: readonly XmlElement[]
  readonly fin: Readonly<Record<string, string | undefined>>
  readonly set: XmlElement | undefined
  readonly error: string | undefined
}

/** Asks for an inbox and takes what came before its end. */
async function inboxOf(client: Client, attrs = '', content = '', to = ''): Promise<Inbox> {
  await client.send`<iq type='get' id='i' ${to && `to='${to}'`}><inbox xmlns='${NS}' ${attrs}>${content}</inbox></iq>`
  const end = await client.hears('i')
  const messages = client.drain().filter((stanza) => stanza.hasChild('entry', NS))
  const entries = messages.map((message) => message.child('entry', NS) as XmlElement)
  const fin = end.getChild('fin', NS)
  return {
    chats: entries.map(({ attrs: { jid, unread } }) => `${jid} ${unread}`),
    bodies: messages.map((message) => {
      const result = message.child('result', NS_ARCHIVE)
      return (result && messageOf(result).getChildText('body')) ?? undefined
    }),
    entries,
    fin: { ...fin?.attrs },
    set: fin?.getChild('set', NS_RSM),
    error: end.getChild('error')?.getChildElements()[0]?.getName(),
  }
}

const totals = ({ fin }: Inbox) => [fin.total, fin.unread, fin['all-unread']].join(' ')

/** Juliet, to whom romeo said two things, the nurse one, and romeo a third. */
async function threeSpoke(tale: Story) {
  const [romeo, juliet] = await lovers(tale)
  const kitchen = await tale.online(`${nurse}/kitchen`)
  await say(romeo, juliet.account, 'one', 'two')
  await say(kitchen, juliet.account, 'Madam!')
  await say(romeo, juliet.account, 'three')
  juliet.drain()
  return { romeo, juliet, kitchen }
}

const marker = (kind: string, id: string): string => `<${kind} xmlns='${NS_MARKERS}' id='${id}'/>`

story(
  'XEP-0430 §3.1: conversations by last activity, with what is unread and what was said last',
  async (tale) => {
    const { romeo, juliet } = await threeSpoke(tale)

    const inbox = await inboxOf(juliet)

    assert.deepEqual(inbox.chats, [`${romeo.account} 3`, `${nurse} 1`])
    assert.deepEqual(inbox.bodies, ['three', 'Madam!'])
    assert.equal(totals(inbox), '2 2 4')
    const { ids } = await query(juliet, { with: romeo.account })
    assert.equal(inbox.entries[0]?.attrs.id, ids.at(-1))
  },
)

story(
  'XEP-0430 §3.1: an entry comes from the account, with a result of its archive',
  async (tale) => {
    const { juliet } = await threeSpoke(tale)

    await juliet.send`<iq type='get' id='i' to='${juliet.account}'><inbox xmlns='${NS}'/></iq>`
    await juliet.hears('i')

    const [message] = juliet.drain()
    assert.deepEqual([message?.from, message?.to], [juliet.account, juliet.jid])
    const result = message?.child('result', NS_ARCHIVE)
    assert.equal(result?.attrs.queryid, 'i')
    const forwarded = result?.getChild('forwarded', 'urn:xmpp:forward:0')
    assert.match(forwarded?.getChild('delay', 'urn:xmpp:delay')?.attrs.stamp ?? '', /^\d{4}-.*Z$/)
  },
)

story('XEP-0430 §3.1: without messages, and what is unread only', async (tale) => {
  const { romeo, juliet } = await threeSpoke(tale)
  await say(juliet, nurse, 'Anon!')

  const brief = await inboxOf(juliet, "messages='false'")
  const unread = await inboxOf(juliet, "unread-only='true'")

  assert.deepEqual(brief.chats, [`${nurse} 0`, `${romeo.account} 3`])
  assert.deepEqual(brief.bodies, [undefined, undefined])
  assert.deepEqual(unread.chats, [`${romeo.account} 3`])
  assert.deepEqual([totals(unread), unread.set?.getChildText('count')], ['2 1 3', '1'])
  assert.equal((await inboxOf(juliet, "messages='perhaps'")).error, 'bad-request')
})

story('XEP-0430 §4: whoever answers has read what was said before', async (tale) => {
  const { romeo, juliet } = await threeSpoke(tale)
  await say(juliet, romeo.jid, 'four')

  assert.deepEqual((await inboxOf(juliet)).chats, [`${romeo.account} 0`, `${nurse} 1`])
  const his = await inboxOf(romeo)
  assert.deepEqual([his.chats, his.bodies], [[`${juliet.account} 1`], ['four']])
})

for (const kind of ['displayed', 'acknowledged'])
  story(`XEP-0430 §4: a marker ${kind} reads a message and all before it`, async (tale) => {
    const { romeo, juliet } = await threeSpoke(tale)
    const told = async (id: string) => {
      await juliet.send`<message type='chat' to='${romeo.jid}'>${marker(kind, id)}</message>`
      return (await inboxOf(juliet)).chats
    }

    // A marker is no activity: it moves nothing.
    assert.deepEqual(await told('two'), [`${romeo.account} 1`, `${nurse} 1`])
    assert.deepEqual(await told('one'), [`${romeo.account} 1`, `${nurse} 1`])
    assert.deepEqual(await told('three'), [`${romeo.account} 0`, `${nurse} 1`])
  })

story('XEP-0430 §4: receipts read nothing, and markers of others nothing of ours', async (tale) => {
  const { romeo, juliet } = await threeSpoke(tale)
  const receipt = "<received xmlns='urn:xmpp:receipts' id='three'/>"
  await juliet.send`<message type='chat' to='${romeo.jid}'>${receipt}</message>`
  await juliet.send`<message type='chat' to='${romeo.jid}'>${marker('received', 'three')}</message>`
  await romeo.send`<message type='chat' to='${juliet.jid}'>${marker('displayed', 'three')}</message>`

  assert.deepEqual((await inboxOf(juliet)).chats, [`${romeo.account} 3`, `${nurse} 1`])
})

story(
  'XEP-0430 §2.2: what changes an earlier message is no message, but moves the id',
  async (tale) => {
    const { romeo, juliet } = await threeSpoke(tale)
    const [before] = (await inboxOf(juliet)).entries
    const changes = [
      "<reactions xmlns='urn:xmpp:reactions:0' id='three'><reaction>♥</reaction></reactions>",
      "<body>3</body><replace xmlns='urn:xmpp:message-correct:0' id='three'/>",
      "<body>/me took it back</body><retract xmlns='urn:xmpp:message-retract:1' id='one'/>",
    ]
    for (const change of changes)
      await romeo.send`<message type='chat' to='${juliet.account}'>${change}</message>`
    juliet.drain()

    const inbox = await inboxOf(juliet)

    assert.deepEqual([inbox.chats[0], inbox.bodies[0]], [`${romeo.account} 3`, 'three'])
    const { ids } = await query(juliet, { with: romeo.account })
    assert.notEqual(inbox.entries[0]?.attrs.id, before?.attrs.id)
    assert.equal(inbox.entries[0]?.attrs.id, ids.at(-1))
  },
)

story('XEP-0490 §4.2: what another device displayed is read', async (tale) => {
  const { romeo, juliet } = await threeSpoke(tale)
  const { ids } = await query(juliet, { with: romeo.account })
  const node = 'urn:xmpp:mds:displayed:0'
  const displayed = `<displayed xmlns='${node}'><stanza-id xmlns='urn:xmpp:sid:0' by='${juliet.account}' id='${ids[1]}'/></displayed>`
  await juliet.send`<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${node}'><item id='${romeo.account}'>${displayed}</item></publish></pubsub></iq>`

  assert.deepEqual((await inboxOf(juliet)).chats, [`${romeo.account} 1`, `${nurse} 1`])
})

story('XEP-0490 §4.3: so is what a message says in passing', async (tale) => {
  const { romeo, juliet } = await threeSpoke(tale)
  const { ids } = await query(juliet, { with: romeo.account })
  const displayed = `<displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='${juliet.account}' id='${ids[2]}'/></displayed>`
  await juliet.send`<message type='chat' to='${romeo.account}'>${displayed}</message>`

  assert.deepEqual((await inboxOf(juliet)).chats, [`${romeo.account} 0`, `${nurse} 1`])
})

story('XEP-0059 §2.2, §2.5: pages, forwards, backwards, and the count alone', async (tale) => {
  const [, juliet] = await lovers(tale)
  for (const name of ['a', 'b', 'c', 'd', 'e'])
    await say(juliet, `${name}@montague.example`, 'Good morrow')
  juliet.drain()
  const page = async (content: string) => {
    const { chats, set, fin } = await inboxOf(juliet, '', rsm(content))
    const [first, last, count] = ['first', 'last', 'count'].map((name) => set?.getChildText(name))
    return { names: chats.map(([name]) => name).join(''), first, last, count, total: fin.total }
  }

  const one = await page('<max>2</max>')
  const two = await page(`<max>2</max><after>${one.last}</after>`)
  const three = await page(`<max>2</max><after>${two.last}</after>`)
  const back = await page(`<max>2</max><before>${three.first}</before>`)
  const end = await page('<max>2</max><before/>')
  const count = await page('<max>0</max>')

  assert.deepEqual(
    [one, two, three, back, end, count].map(({ names }) => names),
    ['ed', 'cb', 'a', 'cb', 'ba', ''],
  )
  assert.deepEqual([one.count, count.count, three.total], ['5', '5', '5'])
  assert.equal((await inboxOf(juliet, '', rsm('<after>x</after>'))).error, 'item-not-found')
  const byIndex = await inboxOf(juliet, '', rsm('<max>2</max><index>2</index>'))
  assert.equal(byIndex.error, 'feature-not-implemented')
})

story('XEP-0430 §4: what somebody says to oneself is read', async (tale) => {
  const [, juliet] = await lovers(tale)
  await say(juliet, juliet.account, 'Do not forget')
  juliet.drain()

  assert.deepEqual((await inboxOf(juliet)).chats, [`${juliet.account} 0`])
})

story('XEP-0430 §2.1: the inbox is advertised, and nobody else’s business', async (tale) => {
  const { romeo, juliet } = await threeSpoke(tale)
  await juliet.send`<iq type='get' id='d' to='${juliet.account}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  assert.match(String(await juliet.hears('d')), new RegExp(NS))

  const others = await inboxOf(romeo, '', '', juliet.account)
  const nobodys = await inboxOf(romeo, '', '', 'nobody@capulet.example')

  assert.deepEqual([others.chats, others.error], [[], nobodys.error])
})

story('XEP-0430 §2.2: an account of the same name begins anew', async (tale) => {
  const { juliet } = await threeSpoke(tale)
  await tale.command('user delete', { jid: juliet.account })
  await tale.command('user add', { jid: juliet.account, password: 'a rose by any other name' })

  const again = await tale.online(juliet.jid)

  assert.equal(totals(await inboxOf(again)), '0 0 0')
})

story('V41: nobody else sends entries of an inbox', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  const entry = `<entry xmlns='${NS}' jid='tybalt@capulet.example' unread='9' id='1'/>`
  await romeo.send`<message to='${juliet.jid}'>${entry}<body>x</body>${entry}</message>`

  const [message] = juliet.drain()
  assert.doesNotMatch(String(message), /entry/)
})

story(
  'a marker far behind the last message tells nothing, one that is near is exact',
  { modules: { offline: { messages: 1_000 } }, memoryOnly: 'it says a hundred things' },
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    const said = Array.from({ length: 100 }, (_, n) => `m${n}`)
    await say(romeo, juliet.account, ...said)
    juliet.drain()
    const told = async (id: string) => {
      await juliet.send`<message type='chat' to='${romeo.jid}'>${marker('displayed', id)}</message>`
      return (await inboxOf(juliet)).chats[0]
    }

    assert.equal(await told('m10'), `${romeo.account} 100`)
    assert.equal(await told('m95'), `${romeo.account} 4`)
  },
)

story(
  'an inbox keeps so many conversations, those where something was said last',
  { modules: { inbox: { conversations: 3 } } },
  async (tale) => {
    const [, juliet] = await lovers(tale)
    // The looks at the length come by chance, one in 16.
    for (let n = 0; n < 200; n += 1) await say(juliet, `servant${n}@montague.example`, 'Go!')
    juliet.drain()

    const { fin, chats } = await inboxOf(juliet, '', rsm('<max>3</max>'))

    assert(Number(fin.total) < 200, `${fin.total} are kept`)
    assert.deepEqual(
      chats.map((chat) => chat.split('@')[0]),
      ['servant199', 'servant198', 'servant197'],
    )
  },
)

story(
  'without it, nothing is advertised or answered',
  { modules: { inbox: { enabled: false } } },
  async (tale) => {
    const { juliet } = await threeSpoke(tale)
    await juliet.send`<iq type='get' id='d' to='${juliet.account}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`

    assert.doesNotMatch(String(await juliet.hears('d')), new RegExp(NS))
    assert.equal((await inboxOf(juliet)).error, 'service-unavailable')
  },
)
