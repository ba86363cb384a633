import assert from 'node:assert/strict'
import { NS_CLIENT, NS_FORWARD } from '@tactus/stanza'
import { type Client, story } from '@tactus/testkit'
import { parseElement, type Stanza, serialize, type XmlElement } from '@tactus/xml'

/** What clients say to each other, and what the server makes of it besides passing it on. */
interface Relayed {
  readonly what: string
  readonly content: string
  /** Waits for an account that nobody is logged in to (XEP-0160 §3). */
  readonly waits: boolean
  /** `chat` unless said otherwise. */
  readonly type?: 'normal'
}

const body = '<body>Wherefore art thou?</body>'
const relayed: readonly Relayed[] = [
  {
    what: 'XEP-0184: a request',
    content: `${body}<request xmlns='urn:xmpp:receipts'/>`,
    waits: true,
  },
  {
    what: 'XEP-0184 §5.4: a receipt',
    content: `<received xmlns='urn:xmpp:receipts' id='m1'/>`,
    waits: true,
  },
  {
    what: 'XEP-0184: a receipt of type normal',
    content: `<received xmlns='urn:xmpp:receipts' id='m1'/>`,
    waits: true,
    type: 'normal',
  },
  {
    what: 'XEP-0333: a markable message',
    content: `${body}<markable xmlns='urn:xmpp:chat-markers:0'/>`,
    waits: true,
  },
  {
    what: 'XEP-0333: a marker',
    content: `<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>`,
    waits: true,
  },
  {
    what: 'XEP-0308: a correction',
    content: `${body}<replace id='m1' xmlns='urn:xmpp:message-correct:0'/>`,
    waits: true,
  },
  {
    what: 'XEP-0444: reactions',
    content: `<reactions id='m1' xmlns='urn:xmpp:reactions:0'><reaction>🐢</reaction></reactions>`,
    waits: true,
  },
  {
    what: 'XEP-0461, XEP-0428: a reply with a fallback',
    content: `${body}<reply to='a@b.example/c' id='m1' xmlns='urn:xmpp:reply:0'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='9'/></fallback>`,
    waits: true,
  },
  {
    what: 'XEP-0085: a chat state',
    content: `<composing xmlns='http://jabber.org/protocol/chatstates'/>`,
    waits: false,
  },
  {
    what: 'XEP-0085: a chat state in a thread',
    content: `<thread>t</thread><paused xmlns='http://jabber.org/protocol/chatstates'/>`,
    waits: false,
  },
  {
    what: 'XEP-0353: a proposal',
    content: `<propose xmlns='urn:xmpp:jingle-message:0' id='j1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose><store xmlns='urn:xmpp:hints'/>`,
    waits: true,
  },
  { what: 'XEP-0364: an OTR message', content: '<body>?OTR:AAMDzZ1gA0AAAAB.</body>', waits: true },
  {
    what: 'XEP-0380: an encrypted message',
    content: `${body}<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:openpgp:0' name='OX'/>`,
    waits: true,
  },
]

// Stamps of the recipient’s server, which are not part of what was said.
const stamps = ['urn:xmpp:sid:0', 'urn:xmpp:delay']

/** What a message says, as text. */
function said(message: XmlElement): string {
  const content = message
    .getChildElements()
    .filter((child) => !stamps.includes(child.getNS() ?? ''))
  return content.map((child) => serialize(child)).join('')
}

const expected = (content: string) =>
  said(parseElement(`<message xmlns='${NS_CLIENT}'>${content}</message>`))

function heard(client: Client): readonly string[] {
  return client
    .drain()
    .filter(({ name }) => name === 'message')
    .map((message) => said(message.element))
}

/** What was said in the copies that a client was sent. */
function copied(client: Client, direction: 'received' | 'sent'): readonly string[] {
  const originals = client
    .drain()
    .map((copy: Stanza) =>
      copy
        .child(direction, 'urn:xmpp:carbons:2')
        ?.getChild('forwarded', NS_FORWARD)
        ?.getChild('message', NS_CLIENT),
    )
  return originals.flatMap((message) => (message ? said(message) : []))
}

async function wantCopies(client: Client): Promise<void> {
  await client.send`<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`
  client.drain()
}

for (const { what, content, waits, type = 'chat' } of relayed) {
  story(`${what} passes unchanged, to other resources as well`, async ({ online }) => {
    const romeo = await online('romeo@montague.example/home')
    const phone = await online('romeo@montague.example/phone')
    const balcony = await online('juliet@capulet.example/balcony')
    const chamber = await online('juliet@capulet.example/chamber')
    for (const client of [phone, chamber]) await wantCopies(client)
    for (const client of [romeo, balcony]) client.drain()

    await romeo.send`<message to='${balcony.jid}' type='${type}' id='1'>${content}</message>`

    assert.deepEqual(heard(balcony), [expected(content)])
    assert.deepEqual(copied(phone, 'sent'), [expected(content)])
    assert.deepEqual(copied(chamber, 'received'), [expected(content)])
  })

  story(
    `${what} ${waits ? 'waits for' : 'is nothing to'} somebody who is away`,
    async ({ online, connect }) => {
      const romeo = await online('romeo@montague.example/home')
      const before = await connect('juliet@capulet.example/balcony')
      await before.close()

      await romeo.send`<message to='${before.account}' type='${type}' id='1'>${content}</message>`
      await romeo.receivesNothing()

      const juliet = await connect('juliet@capulet.example/balcony')
      await juliet.send`<presence/>`
      assert.deepEqual(heard(juliet), waits ? [expected(content)] : [])
    },
  )
}
