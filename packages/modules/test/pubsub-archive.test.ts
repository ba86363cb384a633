import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { messageOf, NS as NS_ARCHIVE } from './archive-client.ts'
import { filled, newNode, publish, service, set } from './pubsub/service-words.ts'
import {
  ask,
  item,
  juliet as julietAccount,
  julietBalcony,
  NS,
  options,
  publish as publishOwn,
  romeoHome,
  tune,
} from './pubsub/words.ts'

interface Asked {
  readonly fields?: Readonly<Record<string, string | readonly string[]>>
  readonly rsm?: string
  readonly extra?: string
  readonly to?: string
}
let asked = 0
/** Asks for a page of a node's archive. */
async function query(
  client: Client,
  node: string,
  { fields = {}, rsm, extra = '', to = service }: Asked = {},
) {
  asked += 1
  const id = `node-${asked}`
  const inForm = Object.entries({ FORM_TYPE: NS_ARCHIVE, ...fields }).map(
    ([name, values]) =>
      `<field var='${name}'>${[values]
        .flat()
        .map((value) => `<value>${value}</value>`)
        .join('')}</field>`,
  )
  const x = `<x xmlns='jabber:x:data' type='submit'>${inForm.join('')}</x>`
  const page = rsm ? `<set xmlns='http://jabber.org/protocol/rsm'>${rsm}</set>` : ''
  await client.send`<iq type='set' id='${id}' to='${to}'><query xmlns='${NS_ARCHIVE}' queryid='f28' node='${node}'>${x}${page}${extra}</query></iq>`
  const end = await client.hears(id)
  const messages = client.drain().filter((stanza) => stanza.hasChild('result', NS_ARCHIVE))
  const results = messages.flatMap((stanza) => stanza.child('result', NS_ARCHIVE) ?? [])
  const told = results.map((result) => String(messageOf(result)))
  const fin = end.getChild('fin', NS_ARCHIVE)
  const summary = fin?.getChild('set', 'http://jabber.org/protocol/rsm')
  return {
    messages,
    results,
    told,
    ids: results.map(({ attrs }) => attrs.id ?? ''),
    items: told.map((text) => /<item id='([^']*)'/.exec(text)?.[1]),
    complete: fin?.attrs.complete === 'true',
    ends: [summary?.getChildText('first'), summary?.getChildText('last')],
    count: summary?.getChildText('count'),
    error: end
      .getChild('error')
      ?.getChildElements()
      .map((child) => child.name)
      .join(' '),
  }
}

story(
  'XEP-0442 §2: a node tells what was published as messages, one for each item',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const node = await filled(juliet, ['a', 'b'], { itemreply: 'publisher' })

    const { told, messages, results, complete } = await query(romeo, node)

    const message = (id: string) =>
      `<message xmlns='jabber:client' type='headline' from='${service}'><event xmlns='${NS}#event'><items node='${node}'><item id='${id}' publisher='${juliet.account}'>${tune(id)}</item></items></event></message>`
    assert.deepEqual(told, [message('a'), message('b')])
    assert.equal(complete, true)
    assert.deepEqual(
      messages.map(({ from, to }) => [from, to]),
      [
        [service, romeo.jid],
        [service, romeo.jid],
      ],
    )
    const [first] = results
    assert.equal(first?.attrs.queryid, 'f28')
    assert.match(String(first), /<delay xmlns='urn:xmpp:delay' stamp='\d{4}-[^']*Z'\/>/)
  },
)

story('XEP-0442, XEP-0059: pages, forwards, backwards and flipped', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const node = await filled(juliet, ['a', 'b', 'c', 'd', 'e'])

  const first = await query(juliet, node, { rsm: '<max>2</max>' })
  assert.deepEqual([first.items, first.complete, first.count], [['a', 'b'], false, '5'])
  assert.deepEqual(first.ends, first.ids)
  const rest = await query(juliet, node, { rsm: `<max>9</max><after>${first.ids[1]}</after>` })
  assert.deepEqual([rest.items, rest.complete], [['c', 'd', 'e'], true])
  const last = await query(juliet, node, { rsm: '<max>2</max><before/>' })
  assert.deepEqual([last.items, last.complete], [['d', 'e'], false])
  const flipped = await query(juliet, node, {
    rsm: `<max>9</max><before>${last.ids[0]}</before>`,
    extra: '<flip-page/>',
  })
  assert.deepEqual([flipped.items, flipped.complete], [['c', 'b', 'a'], true])
  assert.deepEqual(flipped.ends, [flipped.ids[2], flipped.ids[0]])
  const none = await query(juliet, node, { rsm: '<max>0</max>' })
  assert.deepEqual([none.items, none.complete, none.count], [[], false, '5'])
  assert.equal((await query(juliet, node, { rsm: '<after>1</after>' })).error, 'item-not-found')
})

story('XEP-0442, XEP-0313 §4.1: by time and by id, and by nothing else', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const node = await filled(juliet, ['a', 'b', 'c', 'd'])
  const { ids } = await query(juliet, node)
  const [a = '', b = '', , d = ''] = ids
  const found = async (fields: Asked['fields']) => {
    const { items, error } = await query(juliet, node, fields ? { fields } : {})
    return error ?? items
  }

  assert.deepEqual(await found({ 'after-id': a, 'before-id': d }), ['b', 'c'])
  assert.deepEqual(await found({ ids: [d, b] }), ['b', 'd'])
  assert.equal(await found({ ids: ['nothing'] }), 'item-not-found')
  assert.deepEqual(await found({ start: '1595-01-01T00:00:00Z' }), ['a', 'b', 'c', 'd'])
  assert.deepEqual(await found({ end: '1595-01-01T00:00:00Z' }), [])
  assert.equal(await found({ with: 'paris@capulet.example' }), 'feature-not-implemented text')
  const offered = await ask(juliet, 'get', `<query xmlns='${NS_ARCHIVE}' node='${node}'/>`, service)
  assert.match(offered, /var='start'.*var='before-id'.*var='ids'/)
  assert.doesNotMatch(offered, /var='with'|fulltext/)
})

story(
  'XEP-0413 §Using Order-By With MAM: the archive of a node has both orders',
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const node = await filled(juliet, ['a', 'b', 'a'])
    const ordered = async (by: string, desc: string, rsm = '') => {
      const extra = `<order xmlns='urn:xmpp:order-by:1' by='${by}' desc='${desc}'/>`
      return await query(juliet, node, { extra, rsm })
    }

    assert.deepEqual((await ordered('creation', 'false')).items, ['a', 'b'])
    assert.deepEqual((await ordered('modification', 'false')).items, ['b', 'a'])
    const first = await ordered('creation', 'true', '<max>1</max>')
    assert.deepEqual(first.items, ['b'])
    const next = await ordered('creation', 'true', `<max>1</max><after>${first.ids[0]}</after>`)
    assert.deepEqual([next.items, next.complete], [['a'], true])
  },
)

story('XEP-0442 §2: what was taken back is in no archive', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const node = await filled(juliet, ['a', 'b'])
  await publish(juliet, node, 'b', tune('corrected'))
  await set(juliet, `<retract node='${node}'>${item('a')}</retract>`)

  const { told } = await query(juliet, node)

  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /corrected/)
})

story('XEP-0313 §5: where the archive of a node begins and ends', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const node = await filled(juliet, ['a', 'b'])
  const ends = () => ask(juliet, 'get', `<metadata xmlns='${NS_ARCHIVE}' node='${node}'/>`, service)
  const { ids } = await query(juliet, node)

  assert.match(
    await ends(),
    new RegExp(`<start id='${ids[0]}' timestamp='[^']*'/><end id='${ids[1]}' timestamp='`),
  )
})

story(
  'SECURITY: the archive of a node is for those who may have its items',
  async ({ online, befriend }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const stranger = await online('mercutio@montague.example/square')
    await befriend(juliet, romeo)
    const closed = await filled(juliet, ['a'], { access_model: 'whitelist' })
    assert.equal((await query(romeo, closed)).error, 'not-allowed closed-node')
    assert.equal((await query(romeo, newNode())).error, 'item-not-found')

    const own = newNode()
    for (const id of ['a', 'b', 'c'])
      await publishOwn(juliet, own, item(id, tune(id)), options({ max_items: '2' }))
    for (const client of [juliet, romeo])
      assert.deepEqual((await query(client, own, { to: julietAccount })).items, ['b', 'c'])
    const refused = 'not-authorized presence-subscription-required'
    for (const to of [julietAccount, 'nobody@capulet.example'])
      assert.equal((await query(stranger, own, { to })).error, refused, to)
    // Without a node it is the account's own archive.
    await romeo.send`<iq type='set' id='hers' to='${julietAccount}'><query xmlns='${NS_ARCHIVE}'/></iq>`
    assert.match(String(await romeo.hears('hers')), /<service-unavailable/)
  },
)

story('XEP-0442, XEP-0313 §7: a service says that nodes have archives', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const info = await ask(
    juliet,
    'get',
    `<query xmlns='http://jabber.org/protocol/disco#info'/>`,
    service,
  )
  for (const feature of [NS_ARCHIVE, `${NS_ARCHIVE}#extended`])
    assert.match(info, new RegExp(`<feature var='${feature}'/>`))
})
