import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import type { XmlElement } from '@tactus/xml'
import { assertAlike } from './likeness.ts'

const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const info = (attributes = '') =>
  `<query xmlns='http://jabber.org/protocol/disco#info' ${attributes}/>`
const items = (content = '', attributes = '') =>
  `<query xmlns='http://jabber.org/protocol/disco#items' ${attributes}>${content}</query>`

async function ask(client: Client, to: string, query: string): Promise<XmlElement> {
  await client.send`<iq type='get' id='d1' to='${to}'>${query}</iq>`
  const [answer] = client.drain()
  assert.equal(answer?.type, 'result')
  const [payload] = answer.element.getChildElements()
  assert.ok(payload)
  return payload
}

const features = (query: XmlElement) => query.getChildren('feature').map(({ attrs }) => attrs.var)
const identities = (query: XmlElement) =>
  query.getChildren('identity').map(({ attrs }) => `${attrs.category}/${attrs.type}`)

story('XEP-0030 §3.1: a server says that it is one, and what it offers', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  const query = await ask(romeo, 'montague.example', info())

  assert.deepEqual(identities(query), ['server/im'])
  const offered = features(query)
  assert.deepEqual(offered, [...new Set(offered)].toSorted())
  for (const feature of [
    'http://jabber.org/protocol/disco#info',
    'http://jabber.org/protocol/disco#items',
    'http://jabber.org/protocol/rsm',
    'jabber:iq:last',
    'jabber:iq:register',
    'jabber:iq:version',
    'msgoffline',
    'urn:xmpp:ping',
    'urn:xmpp:sid:0',
    'urn:xmpp:time',
    'vcard-temp',
  ])
    assert.ok(offered.includes(feature), feature)
})

story(
  'XEP-0030 §3.1: whatever belongs to a server says what it is and that it can be asked',
  { modules: { 'user-search': { enabled: true } } },
  async ({ connect }) => {
    const romeo = await connect('romeo@montague.example/orchard')
    const below = (await ask(romeo, 'montague.example', items())).getChildren('item')
    const addresses = ['montague.example', ...below.map(({ attrs }) => attrs.jid ?? '')]
    assert.ok(addresses.includes('search.montague.example'), String(addresses))

    for (const address of addresses) {
      const query = await ask(romeo, address, info())
      assert.ok(identities(query).length > 0, address)
      for (const kind of ['info', 'items']) {
        const feature = `http://jabber.org/protocol/disco#${kind}`
        assert.ok(features(query).includes(feature), `${address}: ${feature}`)
      }
      await ask(romeo, address, items())
    }
  },
)

/** A request by which each feature shows itself; what needs a scene of its own has one elsewhere. */
const requests: Readonly<Record<string, string>> = {
  'http://jabber.org/protocol/commands': items('', "node='http://jabber.org/protocol/commands'"),
  'http://jabber.org/protocol/pubsub': `<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions/></pubsub>`,
  'jabber:iq:last': "<query xmlns='jabber:iq:last'/>",
  'jabber:iq:privacy': "<query xmlns='jabber:iq:privacy'/>",
  'jabber:iq:private': "<query xmlns='jabber:iq:private'><a xmlns='urn:example:a'/></query>",
  'jabber:iq:register': "<query xmlns='jabber:iq:register'/>",
  'jabber:iq:roster': "<query xmlns='jabber:iq:roster'/>",
  'jabber:iq:search': "<query xmlns='jabber:iq:search'/>",
  'jabber:iq:version': "<query xmlns='jabber:iq:version'/>",
  'urn:xmpp:mam:2': "<query xmlns='urn:xmpp:mam:2'/>",
  'urn:xmpp:ping': "<ping xmlns='urn:xmpp:ping'/>",
  'urn:xmpp:time': "<time xmlns='urn:xmpp:time'/>",
  'vcard-temp': "<vCard xmlns='vcard-temp'/>",
}
/** Offered by one address and answered by another. */
const elsewhere = new Set([
  // A server says of all its accounts what they have (XEP-0313 §7, XEP-0016 §4), a service of its rooms (XEP-0486 §3.1).
  'montague.example jabber:iq:privacy',
  'montague.example urn:xmpp:mam:2',
  'conference.montague.example vcard-temp',
  // Old clients register without an address, which is the server’s business (XEP-0077 §3.1).
  'romeo@montague.example jabber:iq:register',
])

story(
  'XEP-0030 §3.1: what is offered is there, and what is there is offered',
  { modules: { 'user-search': { enabled: true } } },
  async ({ online }) => {
    const romeo = await online('romeo@montague.example/orchard')

    for (const address of [
      romeo.account,
      ...['', 'search.', 'conference.', 'pubsub.'].map((name) => `${name}montague.example`),
    ]) {
      const offered = new Set(features(await ask(romeo, address, info())))
      for (const [feature, request] of Object.entries(requests)) {
        if (elsewhere.has(`${address} ${feature}`)) continue
        await romeo.send`<iq type='get' id='r1' to='${address}'>${request}</iq>`
        const answer = await romeo.hears('r1')
        romeo.drain()
        const error = answer.getChild('error')?.getChildElements()[0]?.name
        const isThere = error !== 'service-unavailable' && error !== 'item-not-found'
        assert.equal(isThere, offered.has(feature), `${address}: ${feature} ${error}`)
      }
    }
  },
)

story(
  'XEP-0115 §7, XEP-0390 §5.1: that capabilities are understood is said by server and account',
  async ({ connect }) => {
    const romeo = await connect('romeo@montague.example/orchard')
    for (const address of ['montague.example', romeo.account]) {
      const offered = features(await ask(romeo, address, info()))
      for (const feature of ['http://jabber.org/protocol/caps', 'urn:xmpp:caps'])
        assert.ok(offered.includes(feature), `${address}: ${feature}`)
      // Nothing is taken out of presence, nor answered in a client’s place.
      for (const feature of ['http://jabber.org/protocol/caps#optimize', 'urn:xmpp:caps:optimize'])
        assert.ok(!offered.includes(feature), `${address}: ${feature}`)
    }
  },
)

story('XEP-0030 §3.1: an account tells itself what it is', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  const query = await ask(romeo, 'romeo@montague.example', info())

  assert.deepEqual(identities(query), ['account/registered', 'pubsub/pep'])
  assert.ok(features(query).includes('jabber:iq:private'))
})

story(
  'XEP-0030 §4.1: the items of an account are its available resources',
  async ({ connect, online, befriend }) => {
    const orchard = await online('romeo@montague.example/orchard')
    await connect('romeo@montague.example/hidden')
    const juliet = await online('juliet@capulet.example/balcony')
    await befriend(orchard, juliet)

    const query = await ask(juliet, 'romeo@montague.example', items())

    assert.deepEqual(
      query.getChildren('item').map(({ attrs }) => attrs.jid),
      ['romeo@montague.example/orchard'],
    )
  },
)

story(
  'XEP-0030 §8: an account tells strangers nothing, not even that it exists',
  async ({ connect, online }) => {
    await online('juliet@capulet.example/balcony')
    const romeo = await connect('romeo@montague.example/orchard')
    for (const query of [info(), items(), info("node='x'"), items('', "node='x'")])
      await assertAlike(
        romeo,
        (account) => romeo.send`<iq type='get' id='d1' to='${account}'>${query}</iq>`,
        ['juliet@capulet.example', 'nobody@capulet.example'],
      )
  },
)

story('XEP-0030 §8: seeing an account’s presence goes one way', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await online('juliet@capulet.example/balcony')
  await romeo.send`<presence type='subscribe' to='${juliet.account}'/>`
  await juliet.send`<presence type='subscribed' to='${romeo.account}'/>`
  romeo.drain()
  juliet.drain()

  assert.deepEqual(identities(await ask(romeo, juliet.account, info())), [
    'account/registered',
    'pubsub/pep',
  ])
  await juliet.send`<iq type='get' id='d1' to='${romeo.account}'>${info()}</iq>`
  juliet.receives`<iq type='error' id='d1' from='${romeo.account}' to='${juliet.jid}'><error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error></iq>`
})

for (const query of [info("node='urn:x'"), items('', "node='urn:x'")])
  story('XEP-0030 §7: a node that is not there is item-not-found', async ({ connect }) => {
    const romeo = await connect('romeo@montague.example/orchard')

    await romeo.send`<iq type='get' id='d1' to='montague.example'>${query}</iq>`

    romeo.receives`<iq type='error' id='d1' from='montague.example' to='${romeo.jid}'><error type='cancel'><item-not-found xmlns='${NS_ERRORS}'/></error></iq>`
  })

story('XEP-0059 §2.1: items come in pages', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  for (const resource of ['phone', 'square']) await online(`romeo@montague.example/${resource}`)
  romeo.drain()
  const page = "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max></set>"

  await romeo.send`<iq type='get' id='d1' to='${romeo.account}'>${items(page)}</iq>`

  romeo.receives`<iq type='result' id='d1' from='${romeo.account}' to='${romeo.jid}'>${items(`
    <item jid='${romeo.jid}'/><item jid='romeo@montague.example/phone'/>
    <set xmlns='http://jabber.org/protocol/rsm'>
      <first index='0'>${romeo.jid}</first><last>romeo@montague.example/phone</last><count>3</count>
    </set>`)}</iq>`
})

story(
  'XEP-0157 §3: a server says whom to turn to',
  {
    modules: {
      'contact-addresses': {
        abuse: ['mailto:abuse@montague.example', 'xmpp:abuse@montague.example'],
      },
    },
  },
  async ({ connect }) => {
    const romeo = await connect('romeo@montague.example/orchard')

    const query = await ask(romeo, 'montague.example', info())

    const [form] = query.getChildren('x', 'jabber:x:data')
    const fields = form
      ?.getChildren('field')
      .map(({ attrs, children }) => [attrs.var, children.length])
    assert.equal(form?.attrs.type, 'result')
    // XEP-0128 §2, XEP-0068 §4: what it is about stands in a hidden field.
    const [about] = form?.getChildren('field') ?? []
    assert.deepEqual(
      [about?.attrs.type, about?.getChildText('value')],
      ['hidden', 'http://jabber.org/network/serverinfo'],
    )
    assert.deepEqual(fields, [
      ['FORM_TYPE', 1],
      ['abuse-addresses', 2],
    ])
  },
)

const purposes = ['abuse', 'admin', 'feedback', 'sales', 'security', 'status', 'support']
story(
  'XEP-0157 §3: each purpose has a field of its own, with what the operator gave for it',
  {
    modules: {
      'contact-addresses': Object.fromEntries(
        purposes.map((purpose) => [purpose, [`https://montague.example/${purpose}`]]),
      ),
    },
  },
  async ({ connect }) => {
    const romeo = await connect('romeo@montague.example/orchard')

    const [form] = (await ask(romeo, 'montague.example', info())).getChildren('x', 'jabber:x:data')

    const told = form
      ?.getChildren('field')
      .slice(1)
      .map((field) => [field.attrs.var, field.getChildText('value')])
    assert.deepEqual(
      told,
      purposes.map((purpose) => [`${purpose}-addresses`, `https://montague.example/${purpose}`]),
    )
  },
)

story('XEP-0157 §3: without addresses there is no form', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')
  const query = await ask(romeo, 'montague.example', info())
  assert.deepEqual(query.getChildren('x'), [])
})
