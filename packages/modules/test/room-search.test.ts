import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import type { XmlElement } from '@tactus/xml'
import {
  broom,
  cauldron,
  change,
  configure,
  gathered,
  join,
  newRoom,
  service,
  text,
} from './muc/scene.ts'

const NS = 'urn:xmpp:channel-search:0'
const RSM = 'http://jabber.org/protocol/rsm'
const [byAddress, byUsers] = [`{${NS}:order}address`, `{${NS}:order}nusers`]
type Fields = Readonly<Record<string, string | readonly string[]>>
let asked = 0

/** Searches; rooms that other stories left have other words. */
async function search(client: Client, fields: Fields, rsm = ''): Promise<XmlElement> {
  asked += 1
  const id = `s${asked}`
  const form = Object.entries({ FORM_TYPE: `${NS}:search-params`, ...fields }).map(
    ([name, values]) =>
      `<field var='${name}'>${[values]
        .flat()
        .map((value) => `<value>${value}</value>`)
        .join('')}</field>`,
  )
  const set = rsm && `<set xmlns='${RSM}'>${rsm}</set>`
  await client.send`<iq type='get' id='${id}' to='${service}'><search xmlns='${NS}:search'>${set}<x xmlns='jabber:x:data' type='submit'>${form.join('')}</x></search></iq>`
  return await client.hears(id)
}

const itemsOf = (answer: XmlElement): readonly XmlElement[] =>
  answer.getChild('result', `${NS}:search`)?.getChildren('item') ?? []
const addresses = (answer: XmlElement) => itemsOf(answer).map(({ attrs }) => attrs.address)
/** The conditions of an error, and its type. */
const refusal = (answer: XmlElement) => {
  const error = answer.getChild('error')
  const names = error?.getChildElements().map((child) => child.getName())
  return [error?.attrs.type, ...(names ?? [])].filter((name) => name !== 'text')
}

story('XEP-0433 §4.1, §4.2.1: the service says that it can, and with what form', async (tale) => {
  const crone = await tale.online(cauldron)
  await crone.send`<iq type='get' id='d' to='${service}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  assert.match(text(await crone.hears('d')), new RegExp(`var="${NS}:search"`))
  await crone.send`<iq type='get' id='f' to='${service}'><search xmlns='${NS}:search'/></iq>`
  const form = (await crone.hears('f')).getChild('search', `${NS}:search`)?.getChild('x')
  const fields = form?.getChildren('field') ?? []
  assert.deepEqual(
    fields.map(({ attrs }) => `${attrs.type} ${attrs.var}`),
    [
      'hidden FORM_TYPE',
      'text-single q',
      'boolean all',
      'boolean sinname',
      'boolean sindescription',
      'boolean sinaddress',
      'text-single min_users',
      'list-multi types',
      'list-single key',
    ],
  )
  assert.equal(fields.at(-1)?.getChildText('value'), byUsers)
})

story('XEP-0433 §4.2.2, §6.2: rooms are found by what they say of themselves', async (tale) => {
  const [cave, heath] = [newRoom(), newRoom()]
  const [crone] = await gathered(
    tale,
    cave,
    { firstwitch: cauldron },
    {
      'muc#roomconfig_roomname': 'A Dark Grotto',
      'muc#roomconfig_roomdesc': 'Where the <![CDATA[kettle]]> boils',
      'muc#roomconfig_lang': 'en',
      'muc#roomconfig_whois': 'anyone',
    },
  )
  assert(crone)
  await join(crone, heath, 'firstwitch')
  await configure(crone, heath, {
    'muc#roomconfig_roomname': 'A blasted grotto',
    'muc#roomconfig_membersonly': '1',
  })
  crone.drain()
  const found = async (fields: Fields) =>
    addresses(await search(crone, { key: byAddress, min_users: '0', ...fields }))
  const both = [cave, heath].toSorted()

  assert.deepEqual(await found({ q: 'GROTTO' }), both)
  assert.deepEqual(await found({ q: 'dark grotto' }), [cave])
  assert.deepEqual(await found({ q: 'rotto kettle' }), [cave])
  assert.deepEqual(await found({ q: 'grotto', sinname: '0' }), [])
  assert.deepEqual(await found({ q: 'kettle', sindescription: '0' }), [])
  assert.deepEqual(await found({ q: cave }), [cave])
  assert.deepEqual(await found({ q: cave, sinaddr: '0' }), [])
  assert.deepEqual(await found({ q: 'grotto%' }), [])
  assert.deepEqual(await found({ q: 'grotto', types: 'xep-0369' }), [])
  assert.deepEqual(await found({ q: 'grotto', unknown: 'x' }), both)
  const [item] = itemsOf(await search(crone, { q: 'kettle', min_users: '0' }))
  assert(item)
  assert.deepEqual(
    item.getChildElements().map((child) => [child.getName(), child.text()]),
    [
      ['name', 'A Dark Grotto'],
      ['description', 'Where the kettle boils'],
      ['language', 'en'],
      ['nusers', '1'],
      ['service-type', 'xep-0045'],
      ['is-open', ''],
      ['anonymity-mode', `{${NS}:anonymity}none`],
    ],
  )
  const closed = itemsOf(await search(crone, { q: 'blasted', min_users: '0' }))[0]
  assert.equal(closed?.getChild('is-open'), undefined)
  assert.equal(closed?.getChildText('anonymity-mode'), 'muc_semianonymous')

  // What is hidden is not found, nor what is gone.
  await configure(crone, cave, { 'muc#roomconfig_publicroom': '0' })
  assert.deepEqual(await found({ q: 'grotto' }), [heath])
  await crone.send`<presence type='unavailable' to='${heath}/firstwitch'/>`
  assert.deepEqual(await found({ q: 'grotto' }), [])
})

story(
  'XEP-0433 §4.2.2: a room that is not configured yet is not found',
  { memoryOnly: 'time passes' },
  async (tale) => {
    const room = newRoom()
    const crone = await tale.online(cauldron)
    await join(crone, room, 'firstwitch')
    await tale.pass(61_000)
    crone.drain()
    const found = async () => addresses(await search(crone, { q: room, min_users: '0' }))
    assert.deepEqual(await found(), [])
    await configure(crone, room)
    crone.drain()
    assert.deepEqual(await found(), [room])
  },
)

story('XEP-0433 §4.2.2, XEP-0059: in pages, all of them as well', async (tale) => {
  const crone = await tale.online(cauldron)
  const made = [newRoom(), newRoom(), newRoom()].toSorted()
  for (const room of made) {
    await join(crone, room, 'firstwitch')
    await configure(crone, room, { 'muc#roomconfig_roomname': `Scene ${process.pid}` })
  }
  crone.drain()
  const one = { q: `scene ${process.pid}`, min_users: '0', key: byAddress }
  for (const fields of [one, { ...one, key: byUsers }]) {
    const first = await search(crone, fields, '<max>2</max>')
    assert.deepEqual(addresses(first), made.slice(0, 2))
    const last = first.getChild('result')?.getChild('set', RSM)?.getChildText('last')
    const rest = await search(crone, fields, `<max>2</max><after>${last}</after>`)
    assert.deepEqual(addresses(rest), made.slice(2))
    assert.equal(rest.getChild('result')?.getChild('set', RSM), undefined)
  }
  const all = addresses(await search(crone, { all: '1', min_users: '0' }))
  for (const room of made) assert(all.includes(room))
})

story(
  'XEP-0433 §6.1: those with most users first, as it was a minute ago',
  { memoryOnly: 'it counts the users of all rooms, and time passes' },
  async (tale) => {
    const [quiet, busy] = [newRoom(), newRoom()]
    const [crone, hecate] = await gathered(tale, quiet, {
      firstwitch: cauldron,
      secondwitch: broom,
    })
    assert(crone && hecate)
    await hecate.send`<presence type='unavailable' to='${quiet}/secondwitch'/>`
    await join(crone, busy, 'firstwitch')
    await configure(crone, busy)
    await join(hecate, busy, 'secondwitch')
    await tale.pass(61_000)
    crone.drain()
    const users = async (fields: Fields) =>
      itemsOf(await search(crone, { all: '1', ...fields })).map((item) => [
        item.attrs.address,
        item.getChildText('nusers'),
      ])
    assert.deepEqual(await users({}), [
      [busy, '2'],
      [quiet, '1'],
    ])
    assert.deepEqual(await users({ min_users: '2' }), [[busy, '2']])
    await change(crone, busy, "<item nick='secondwitch' role='none'/>")
    await tale.pass(61_000)
    crone.drain()
    assert.deepEqual(await users({ min_users: '2' }), [])
  },
)

story('XEP-0433 §4.2.2.2 to §4.2.2.7: what cannot be searched for', async (tale) => {
  const crone = await tale.online(cauldron)
  const refused = async (fields: Fields) => refusal(await search(crone, fields))
  assert.deepEqual(await refused({ q: 'cave', key: 'mood' }), [
    'modify',
    'feature-not-implemented',
    'invalid-sort-key',
  ])
  assert.deepEqual(await refused({ q: 'x' }), ['modify', 'bad-request', 'invalid-search-terms'])
  assert.deepEqual(await refused({ q: 'cave', all: '1' }), [
    'modify',
    'bad-request',
    'conflicting-fields',
  ])
  assert.deepEqual(await refused({}), ['modify', 'bad-request', 'no-search-conditions'])
  assert.deepEqual(await refused({ q: 'cave', min_users: 'many' }), ['modify', 'not-acceptable'])
})

story(
  'XEP-0433 §4.2.2.4, §4.2.2.5: what the host does not want',
  { modules: { 'room-search': { all: false, parallel: 1 } } },
  async (tale) => {
    const crone = await tale.online(cauldron)
    assert.deepEqual(refusal(await search(crone, { all: '1' })), [
      'cancel',
      'not-allowed',
      'full-set-retrieval-rejected',
    ])
    const ask = (id: string) =>
      `<iq type='get' id='${id}' to='${service}'><search xmlns='${NS}:search'><x xmlns='jabber:x:data' type='submit'><field var='q'><value>cave</value></field></x></search></iq>`
    await crone.send`${ask('a')}${ask('b')}`
    const answers = [await crone.hears('a'), await crone.hears('b')].map(text)
    const [refused, ...others] = answers.filter((answer) => answer.includes('resource-constraint'))
    assert.equal(others.length, 0)
    assert.match(refused ?? '', /<rate-limit [^>]*retry-after="\d+"/)
  },
)
