import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { bodiesOf, lovers, messageOf, NS, query, say } from './archive-client.ts'

story(
  'XEP-0313 §4: both sides find what was said, under the id that they were told',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await say(romeo, juliet.jid, 'Call me but love')
    const [heard] = juliet.drain()
    const told = heard?.child('stanza-id', 'urn:xmpp:sid:0')?.attrs

    const hers = await query(juliet)
    const his = await query(romeo)

    assert.equal(told?.by, juliet.account)
    assert.deepEqual([hers.ids, his.ids], [[told.id], [told.id]])
    assert.deepEqual([hers.complete, his.complete], [true, true])
    const [result] = hers.results
    assert(result)
    assert.equal(result.attrs.queryid, 'f27')
    const forwarded = result.getChild('forwarded', 'urn:xmpp:forward:0')
    assert.match(forwarded?.getChild('delay', 'urn:xmpp:delay')?.attrs.stamp ?? '', /^\d{4}-.*Z$/)
    const { from, to, type, id } = messageOf(result).attrs
    assert.deepEqual([from, to, type, id], [romeo.jid, juliet.jid, 'chat', 'Call me but love'])
    const set = hers.end.getChild('fin', NS)?.getChild('set', 'http://jabber.org/protocol/rsm')
    assert.deepEqual([set?.getChildText('first'), set?.getChildText('last')], [told.id, told.id])
  },
)

story(
  'XEP-0313 §4.2: results come from the account to the resource that asked, before the end',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await say(romeo, juliet.account, 'one', 'two')
    juliet.drain()
    const chamber = await tale.online('juliet@capulet.example/chamber')
    juliet.drain()

    await chamber.send`<iq type='set' id='last' to='${juliet.account}'><query xmlns='${NS}'/></iq>`
    await chamber.hears('last')

    const results = chamber.drain()
    assert.equal(results.length, 2)
    for (const { from, to } of results) assert.deepEqual([from, to], [juliet.account, chamber.jid])
    await juliet.receivesNothing()
  },
)

story('XEP-0313 §4.1.1: by the other side, bare or with its resource', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  const nurse = await tale.online('nurse@capulet.example/kitchen')
  await say(romeo, juliet.account, 'one')
  await say(nurse, juliet.account, 'two')
  await say(juliet, romeo.account, 'three')
  await say(juliet, romeo.jid, 'four')
  juliet.drain()

  const found = async (jid: string) => (await query(juliet, { with: jid })).bodies
  assert.deepEqual(await found(romeo.account), ['one', 'three', 'four'])
  assert.deepEqual(await found(romeo.jid), ['one', 'four'])
  assert.deepEqual(await found('ROMEO@montague.example'), ['one', 'three', 'four'])
  assert.deepEqual(await found(nurse.account), ['two'])
  assert.deepEqual(await found('tybalt@capulet.example'), [])
  assert.equal((await query(juliet, { with: 'a@b@c' })).error, 'jid-malformed')
})

story('XEP-0313 §4.1.2: by time', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  await say(romeo, juliet.account, 'one')
  juliet.drain()

  const [past, future] = ['1595-01-01T00:00:00Z', '2999-01-01T00:00:00+01:00']
  assert.deepEqual((await query(juliet, { start: past, end: future })).bodies, ['one'])
  assert.deepEqual((await query(juliet, { start: future })).bodies, [])
  assert.deepEqual((await query(juliet, { end: past })).bodies, [])
  assert.equal((await query(juliet, { start: 'yesterday' })).error, 'bad-request')
})

story('XEP-0313 §4.3: pages, forwards, backwards and flipped', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  await say(romeo, juliet.account, '1', '2', '3', '4', '5')
  juliet.drain()

  const first = await query(juliet, {}, { rsm: '<max>2</max>' })
  assert.deepEqual([first.bodies, first.complete], [['1', '2'], false])
  const next = await query(juliet, {}, { rsm: `<max>3</max><after>${first.ids[1]}</after>` })
  assert.deepEqual([next.bodies, next.complete], [['3', '4', '5'], true])
  const last = await query(juliet, {}, { rsm: '<max>2</max><before/>' })
  assert.deepEqual([last.bodies, last.complete], [['4', '5'], false])
  const before = `<max>9</max><before>${last.ids[0]}</before>`
  const rest = await query(juliet, {}, { rsm: before, extra: '<flip-page/>' })
  assert.deepEqual([rest.bodies, rest.complete], [['3', '2', '1'], true])
  const set = rest.end.getChild('fin', NS)?.getChild('set', 'http://jabber.org/protocol/rsm')
  assert.deepEqual(
    [set?.getChildText('first'), set?.getChildText('last')],
    [rest.ids[2], rest.ids[0]],
  )
  const none = await query(juliet, {}, { rsm: '<max>0</max>' })
  assert.deepEqual([none.bodies, none.complete], [[], false])
  assert.match(String(none.end), /<count>5<\/count>/)
})

story('XEP-0413 §Using Order-By With MAM: the most recent first, page by page', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  await say(romeo, juliet.account, '1', '2', '3', '4', '5')
  juliet.drain()
  const descending = async (rsm: string, more = '') => {
    const order = `<order xmlns='urn:xmpp:order-by:1' by='creation' desc='1'/>`
    const answer = await query(juliet, {}, { rsm, extra: order + more })
    const set = answer.end.getChild('fin', NS)?.getChild('set', 'http://jabber.org/protocol/rsm')
    return { ...answer, first: set?.getChildText('first'), last: set?.getChildText('last') }
  }

  const one = await descending('<max>2</max>')
  assert.deepEqual([one.bodies, one.complete], [['5', '4'], false])
  assert.deepEqual([one.first, one.last], one.ids)
  const two = await descending(`<max>9</max><after>${one.last}</after>`)
  assert.deepEqual([two.bodies, two.complete], [['3', '2', '1'], true])
  const back = await descending(`<max>2</max><before>${two.last}</before>`)
  assert.deepEqual([back.bodies, back.complete], [['3', '2'], false])
  assert.deepEqual((await descending('<max>2</max><before/>')).bodies, ['2', '1'])
  const flipped = await descending('<max>2</max>', '<flip-page/>')
  assert.deepEqual(flipped.bodies, ['4', '5'])
  assert.deepEqual([flipped.first, flipped.last], [one.first, one.last])
  const ascending = `<order xmlns='urn:xmpp:order-by:1' by='modification'/>`
  assert.deepEqual((await query(juliet, {}, { rsm: '<max>2</max>', extra: ascending })).bodies, [
    '1',
    '2',
  ])
  const unknown = `<order xmlns='urn:xmpp:order-by:1' by='title'/>`
  assert.equal((await query(juliet, {}, { extra: unknown })).error, 'feature-not-implemented')
})

story('XEP-0313 §4.1.3: by id', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  await say(romeo, juliet.account, '1', '2', '3', '4', '5')
  juliet.drain()
  const { ids } = await query(juliet)
  const [one = '', , three = '', four = ''] = ids

  const found = async (fields: Readonly<Record<string, string | readonly string[]>>) =>
    (await query(juliet, fields)).bodies
  assert.deepEqual(await found({ 'after-id': one, 'before-id': four }), ['2', '3'])
  assert.deepEqual(await found({ ids: [four] }), ['4'])
  const set = `<max>1</max><after>${one}</after>`
  assert.deepEqual((await query(juliet, { 'before-id': three }, { rsm: set })).bodies, ['2'])
})

story('XEP-0313 §4.1.3, §4.3.1: an id that is not in the archive is an error', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  await say(romeo, juliet.account, '1')
  juliet.drain()
  for (const field of ['after-id', 'before-id', 'ids'])
    assert.equal((await query(juliet, { [field]: 'nowhere' })).error, 'item-not-found')
  for (const rsm of ['<after>nowhere</after>', '<before>nowhere</before>'])
    assert.equal((await query(juliet, {}, { rsm })).error, 'item-not-found')
})

story(
  'XEP-0313 §4.1.5: the form says what can be asked for, and nothing else can',
  async (tale) => {
    const [, juliet] = await lovers(tale)
    await juliet.send`<iq type='get' id='form1'><query xmlns='${NS}'/></iq>`

    const form = (await juliet.hears('form1')).getChild('query', NS)?.getChild('x', 'jabber:x:data')
    const fields = form?.getChildren('field').map(({ attrs }) => `${attrs.type} ${attrs.var}`)
    assert.deepEqual(fields, [
      'hidden FORM_TYPE',
      'jid-single with',
      'text-single start',
      'text-single end',
      'text-single before-id',
      'text-single after-id',
      'list-multi ids',
      'boolean include-groupchat',
      'text-single {urn:xmpp:fulltext:0}fulltext',
    ])
    assert.equal((await query(juliet, { mood: 'lonely' })).error, 'feature-not-implemented')
    assert.equal((await query(juliet, { FORM_TYPE: 'urn:example' })).error, 'bad-request')
    assert.equal((await query(juliet, { 'include-groupchat': 'false' })).error, undefined)
  },
)

story('XEP-0313 §5: the ends of an archive, if it has any', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  await juliet.send`<iq type='get' id='m1'><metadata xmlns='${NS}'/></iq>`
  assert.deepEqual((await juliet.hears('m1')).getChild('metadata', NS)?.children, [])
  await say(romeo, juliet.account, '1', '2', '3')
  const { ids } = await query(juliet)

  await juliet.send`<iq type='get' id='m2'><metadata xmlns='${NS}'/></iq>`
  const metadata = (await juliet.hears('m2')).getChild('metadata', NS)
  assert.deepEqual(
    metadata?.getChildElements().map((end) => [end.getName(), end.attrs.id]),
    [
      ['start', ids[0]],
      ['end', ids[2]],
    ],
  )
})

story('XEP-0313 §7: accounts say what their archives can', async (tale) => {
  const [, juliet] = await lovers(tale)
  await juliet.send`<iq type='get' id='d' to='${juliet.account}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  const info = (await juliet.hears('d')).getChild('query', 'http://jabber.org/protocol/disco#info')
  const features = info?.getChildren('feature').map(({ attrs }) => attrs.var)
  for (const feature of [NS, `${NS}#extended`, `${NS}#groupchat-field`, 'urn:xmpp:fulltext:0'])
    assert.ok(features?.includes(feature), feature)
})

story(
  'XEP-0313 §8: nobody reads somebody else’s archive, or learns that there is one (V28)',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await say(romeo, juliet.account, 'secret')
    romeo.drain()
    const addresses = [juliet.account, juliet.jid, 'nobody@capulet.example', 'capulet.example']
    for (const to of addresses) {
      if (to !== juliet.jid) {
        const answer = await query(romeo, {}, { to })
        assert.deepEqual([answer.error, answer.ids], ['service-unavailable', []], to)
      }
    }
    for (const kind of ['metadata', 'prefs', 'query']) {
      await romeo.send`<iq type='get' id='${kind}' to='${juliet.account}'><${kind} xmlns='${NS}'/></iq>`
      assert.equal((await romeo.hears(kind)).attrs.type, 'error')
    }
  },
)

story('V53: what is asked for is never part of a statement', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  await say(romeo, juliet.account, 'one')
  juliet.drain()
  const evil = '&apos;) or 1=1; drop table archive --'
  assert.equal((await query(juliet, { ids: evil })).error, 'item-not-found')
  assert.equal((await query(juliet, {}, { rsm: `<after>${evil}</after>` })).error, 'item-not-found')
  assert.deepEqual((await query(juliet, { '{urn:xmpp:fulltext:0}fulltext': evil })).bodies, [])
  assert.deepEqual(await bodiesOf(juliet), ['one'])
})

story(
  'V49: no more than so many queries of an account run at once',
  { modules: { archive: { queries: 2 } } },
  async (tale) => {
    const [, juliet] = await lovers(tale)
    await juliet.send`<iq type='set' id='1'><query xmlns='${NS}'/></iq><iq type='set' id='2'><query xmlns='${NS}'/></iq><iq type='set' id='3'><query xmlns='${NS}'/></iq>`
    const answers = await Promise.all(['1', '2', '3'].map((id) => juliet.hears(id)))
    assert.deepEqual(
      answers.map(({ attrs }) => attrs.type),
      ['result', 'result', 'error'],
    )
    assert.deepEqual(await bodiesOf(juliet), [])
  },
)

story(
  'XEP-0313 §4.3: a page is no longer than what the session’s queue takes',
  { config: { limits: { sendQueue: { stanzas: 200, bytes: 1_000_000 } } } },
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    const texts = Array.from({ length: 230 }, (_, at) => `${at}`)
    const messages = texts.map(
      (text) => `<message type='chat' to='${juliet.account}'><body>${text}</body></message>`,
    )
    await romeo.send`${messages.slice(0, 115).join('')}`
    await romeo.send`${messages.slice(115).join('')}`
    juliet.drain()

    const found: string[] = []
    for (let after = '<max>230</max>'; ; ) {
      const { bodies, ids, complete } = await query(juliet, {}, { rsm: after })
      found.push(...bodies)
      if (complete) break
      assert.ok(bodies.length > 10)
      after = `<max>230</max><after>${ids.at(-1)}</after>`
    }
    assert.deepEqual(found, texts)
    assert.equal(juliet.ended(), undefined)
  },
)
