import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'

const NS = 'jabber:iq:search'
const NS_REGISTER = 'jabber:iq:register'
const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const NS_RSM = 'http://jabber.org/protocol/rsm'
const directory = 'search.capulet.example'
const settings = { modules: { 'user-search': { enabled: true, page: 2 } } }
const julietBalcony = 'juliet@capulet.example/balcony'

const query = (ns: string, content: string) => `<query xmlns='${ns}'>${content}</query>`

async function ask(client: Client, type: 'get' | 'set', content: string, to = directory) {
  await client.send`<iq type='${type}' id='q' to='${to}'>${content}</iq>`
  return await client.hears('q')
}
const enroll = (client: Client, fields: string) => ask(client, 'set', query(NS_REGISTER, fields))
const search = async (client: Client, fields: string) =>
  (await ask(client, 'set', query(NS, fields))).getChild('query', NS)
const found = async (client: Client, fields: string) =>
  (await search(client, fields))?.getChildren('item').map(({ attrs }) => attrs.jid)
const condition = async (client: Client, type: 'get' | 'set', content: string) =>
  (await ask(client, type, content)).getChild('error')?.getChildElements()[0]?.getName()

story('XEP-0055 §2.1: the fields that can be filled in', settings, async ({ connect }) => {
  const juliet = await connect(julietBalcony)

  for (const ns of [NS, NS_REGISTER]) {
    const fields = (await ask(juliet, 'get', query(ns, ''))).getChild('query', ns)
    assert.deepEqual(
      fields?.getChildElements().map((child) => child.getName()),
      ['instructions', 'nick', 'first', 'last', 'email'],
    )
  }
})

story(
  'XEP-0055 §2.1: who asked to be in the directory is found, and nobody else',
  settings,
  async ({ connect }) => {
    const juliet = await connect(julietBalcony)
    const nurse = await connect('nurse@capulet.example/kitchen')
    await enroll(juliet, '<first>Juliet</first><last>Capulet</last><nick>JuliÇ</nick>')

    const result = await search(nurse, '<last>CAPU</last>')
    assert.equal(
      String(result),
      `<query xmlns='${NS}'><item jid='${juliet.account}'><nick>JuliÇ</nick><first>Juliet</first><last>Capulet</last></item></query>`,
    )
    assert.deepEqual(await found(nurse, '<nick>uliç</nick>'), [juliet.account])
    assert.deepEqual(await found(nurse, '<last>Capulet</last><first>Tyb</first>'), [])
    assert.equal(String(await search(nurse, '<nick>nurse</nick>')), `<query xmlns='${NS}'/>`)
  },
)

story(
  'XEP-0077 §3.2: who takes itself out is not found any more',
  settings,
  async ({ connect }) => {
    const juliet = await connect(julietBalcony)
    await enroll(juliet, '<first>Juliet</first>')
    const shown = (await ask(juliet, 'get', query(NS_REGISTER, ''))).getChild('query', NS_REGISTER)
    assert.ok(shown?.getChild('registered'))
    assert.equal(shown?.getChildText('first'), 'Juliet')

    await enroll(juliet, '<remove/>')

    assert.deepEqual(await found(juliet, '<first>Juliet</first>'), [])
  },
)

story(
  'an account that is gone is not found',
  { ...settings, memoryOnly: 'it deletes an account' },
  async ({ connect, command }) => {
    const juliet = await connect(julietBalcony)
    const nurse = await connect('nurse@capulet.example/kitchen')
    await enroll(juliet, '<first>Juliet</first>')

    await command('user delete', { jid: juliet.account })

    assert.deepEqual(await found(nurse, '<first>Juliet</first>'), [])
  },
)

story('XEP-0059 §2.2: many are found page by page', settings, async ({ connect }) => {
  const names = ['balthasar', 'gregory', 'peter', 'potpan', 'sampson']
  for (const name of names)
    await enroll(await connect(`${name}@capulet.example/hall`), '<last>Servant</last>')
  const juliet = await connect(julietBalcony)

  const pages: unknown[] = []
  let after: string | undefined = ''
  while (after !== undefined) {
    const page = await search(
      juliet,
      `<last>Servant</last><set xmlns='${NS_RSM}'><after>${after}</after></set>`,
    )
    pages.push(page?.getChildren('item').map(({ attrs }) => attrs.jid?.split('@')[0]))
    after = page?.getChild('set', NS_RSM)?.getChildText('last') ?? undefined
  }

  assert.deepEqual(pages, [names.slice(0, 2), names.slice(2, 4), names.slice(4)])
})

for (const [what, fields, expected] of [
  ['nothing', '', 'bad-request'],
  ['too little', '<nick>ju</nick>', 'not-acceptable'],
  ['a pattern', '<nick>%%%%</nick>', 'not-acceptable'],
  ['too much', `<nick>${'x'.repeat(300)}</nick>`, 'not-acceptable'],
] as const)
  story(`a search for ${what} is ${expected}`, settings, async ({ connect }) => {
    const juliet = await connect(julietBalcony)
    assert.equal(await condition(juliet, 'set', query(NS, fields)), expected)
  })

story('a pattern in a search is none', settings, async ({ connect }) => {
  const juliet = await connect(julietBalcony)
  await enroll(juliet, '<email>juliet@capulet.example</email>')

  assert.deepEqual(await found(juliet, '<email>jul%example</email>'), [])
})

story('the directory is for the accounts of its host', settings, async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/home')

  for (const ns of [NS, NS_REGISTER])
    for (const type of ['get', 'set'] as const)
      assert.equal(await condition(romeo, type, query(ns, '<last>Capulet</last>')), 'forbidden')
})

story('XEP-0030: the directory is found below its host', settings, async ({ connect }) => {
  const juliet = await connect(julietBalcony)
  const items = await ask(
    juliet,
    'get',
    `<query xmlns='http://jabber.org/protocol/disco#items'/>`,
    'capulet.example',
  )
  assert.ok(String(items).includes(directory))
  const info = await ask(juliet, 'get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`)
  assert.match(String(info), /category='directory' type='user'/)
  assert.ok(String(info).includes(NS))
})

story('without being enabled there is no directory', async ({ connect }) => {
  const juliet = await connect(julietBalcony)
  const answer = await ask(juliet, 'get', query(NS, ''))
  assert.ok(answer.getChild('error')?.getChild('remote-server-not-found', NS_ERRORS))
})
