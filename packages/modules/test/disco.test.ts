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
    assert.deepEqual(fields, [
      ['FORM_TYPE', 1],
      ['abuse-addresses', 2],
    ])
  },
)

story('XEP-0157 §3: without addresses there is no form', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')
  const query = await ask(romeo, 'montague.example', info())
  assert.deepEqual(query.getChildren('x'), [])
})
