import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import type { XmlElement } from '@tactus/xml'
import { messageOf, NS, query } from './archive-client.ts'
import {
  broom,
  cauldron,
  change,
  configure,
  crypt,
  gathered,
  join,
  NS_USER,
  newRoom,
  text,
} from './muc/scene.ts'

const SID = 'urn:xmpp:sid:0'
const RETRACT = 'urn:xmpp:message-retract:1'
const MODERATE = 'urn:xmpp:message-moderate:1'
const OCCUPANT_ID = 'urn:xmpp:occupant-id:0'
const access = 'tactus#archive_access'

/** Says lines to all, one after another; each is the id as well. */
async function speak(client: Client, room: string, ...lines: readonly string[]): Promise<void> {
  for (const line of lines)
    await client.send`<message type='groupchat' to='${room}' id='${line}'><body>${line}</body></message>`
}

/** Who said the message in a result, as the room tells it. */
const itemOf = (result: XmlElement | undefined) =>
  result && messageOf(result).getChild('x', NS_USER)?.getChild('item')?.attrs
const bodies = async (client: Client, room: string) =>
  (await query(client, {}, { to: room })).bodies
const refusal = async (client: Client, room: string) =>
  (await query(client, {}, { to: room })).error

story('XEP-0313 §6.1.2: a room tells what was said, under the ids that it told', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
  assert(crone && hecate)
  await crone.send`<message type='groupchat' to='${room}' id='162B'><body>Thrice the brinded cat hath mew’d.</body></message>`
  const told = hecate.drain()[0]?.child('stanza-id', SID)?.attrs

  const answer = await query(hecate, {}, { to: room })

  assert.equal(told?.by, room)
  assert.deepEqual([answer.ids, answer.complete], [[told.id], true])
  const [result] = answer.results
  assert(result)
  assert.equal(result.attrs.queryid, 'f27')
  const message = messageOf(result)
  const { from, to, type, id } = message.attrs
  assert.deepEqual([from, to, type, id], [`${room}/firstwitch`, undefined, 'groupchat', '162B'])
  assert.equal(message.getChild('stanza-id', SID)?.attrs.id, told.id)
  assert(message.getChild('occupant-id', OCCUPANT_ID))
  assert.match(
    result.getChild('forwarded')?.getChild('delay', 'urn:xmpp:delay')?.attrs.stamp ?? '',
    /^\d{4}-.*Z$/,
  )
  // Nobody else gets anything, and the account of who asked has none of it in its own archive.
  await crone.receives`<message type='groupchat' from='${room}/firstwitch' to='${crone.jid}' id='162B'><body>{any}</body><stanza-id xmlns='${SID}' by='${room}' id='{any}'/><occupant-id xmlns='${OCCUPANT_ID}' id='{any}'/></message>`
  await crone.receivesNothing()
  assert.deepEqual((await query(hecate)).results, [])
})

story('XEP-0313 §4, §5, XEP-0431: pages, ids, words and ends of a room', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  await speak(crone, room, 'Double', 'toil', 'and', 'trouble')
  crone.drain()
  const to = { to: room }

  const first = await query(crone, {}, { ...to, rsm: '<max>2</max>' })
  assert.deepEqual([first.bodies, first.complete], [['Double', 'toil'], false])
  const after = `<max>9</max><after>${first.ids[1]}</after>`
  assert.deepEqual((await query(crone, {}, { ...to, rsm: after })).bodies, ['and', 'trouble'])
  const flipped = { ...to, rsm: '<max>2</max><before/>', extra: '<flip-page/>' }
  const last = await query(crone, {}, flipped)
  assert.deepEqual([last.bodies, last.complete], [['trouble', 'and'], false])
  const [one = '', two = ''] = first.ids
  assert.deepEqual(
    (await query(crone, { 'after-id': one, 'before-id': last.ids[1] ?? '' }, to)).bodies,
    ['toil'],
  )
  assert.deepEqual((await query(crone, { ids: [two] }, to)).bodies, ['toil'])
  assert.equal((await query(crone, { ids: ['nowhere'] }, to)).error, 'item-not-found')
  const found = await query(crone, { '{urn:xmpp:fulltext:0}fulltext': 'TROUBLE' }, to)
  assert.deepEqual(found.bodies, ['trouble'])
  const counted = await query(crone, {}, { ...to, rsm: '<max>0</max>' })
  assert.match(String(counted.end), /<count>4<\/count>/)

  await crone.send`<iq type='get' id='ends' to='${room}'><metadata xmlns='${NS}'/></iq>`
  const ends = (await crone.hears('ends')).getChild('metadata', NS)
  assert.deepEqual(
    [ends?.getChild('start')?.attrs.id, ends?.getChild('end')?.attrs.id],
    [one, last.ids[0]],
  )
  await crone.send`<iq type='get' id='form' to='${room}'><query xmlns='${NS}'/></iq>`
  const form = text(await crone.hears('form'))
  assert.match(form, /var="ids"/)
  assert.doesNotMatch(form, /include-groupchat/)
})

story('XEP-0313 §6.1.2: what is kept of what is said', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
  assert(crone && hecate)
  const line = (inner: string) => `<message type='groupchat' to='${room}'>${inner}</message>`
  await crone.send`${line("<composing xmlns='http://jabber.org/protocol/chatstates'/>")}`
  await crone.send`${line("<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>")}`
  await crone.send`${line("<body>off the record</body><no-store xmlns='urn:xmpp:hints'/>")}`
  await crone.send`${line('<subject>Fire Burn</subject>')}`
  await crone.send`${line("<reactions xmlns='urn:xmpp:reactions:0' id='x'><reaction>y</reaction></reactions>")}`
  // What a room refuses was not said, and what is private was not said to all.
  await hecate.send`${line('<subject>no</subject>')}`
  await crone.send`<message type='chat' to='${room}/secondwitch'><body>private</body></message>`

  const { results } = await query(crone, {}, { to: room })

  assert.deepEqual(
    results.map((result) => messageOf(result).getChildElements()[0]?.getName()),
    ['subject', 'reactions'],
  )
})

story('XEP-0313 §7: a room without an archive says so, and has none', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  const features = async () => {
    await crone.send`<iq type='get' id='d' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    return text(await crone.hears('d'))
  }
  for (const feature of [NS, `${NS}#extended`, 'urn:xmpp:fulltext:0', `${RETRACT}#tombstone`])
    assert.match(await features(), new RegExp(`var="${feature}"`))
  await speak(crone, room, 'one')
  await configure(crone, room, { 'muc#roomconfig_enablearchiving': '0' })
  await speak(crone, room, 'two')
  assert.doesNotMatch(await features(), /urn:xmpp:mam:2/)
  assert.equal(await refusal(crone, room), 'service-unavailable')
  await configure(crone, room, { 'muc#roomconfig_enablearchiving': '1' })
  crone.drain()
  assert.deepEqual(await bodies(crone, room), ['one'])
})

story('XEP-0313 §6.1.2: whoever may come in may read, and nobody else', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  const hag = await tale.online(crypt)
  await speak(crone, room, 'one')
  // An open room, from outside.
  assert.deepEqual(await bodies(hag, room), ['one'])
  await configure(crone, room, { 'muc#roomconfig_membersonly': '1' })
  assert.equal(await refusal(hag, room), 'forbidden')
  await change(crone, room, `<item affiliation='member' jid='${hag.account}'/>`)
  hag.drain()
  assert.deepEqual(await bodies(hag, room), ['one'])
  await configure(crone, room, {
    'muc#roomconfig_passwordprotectedroom': '1',
    'muc#roomconfig_roomsecret': 'cauldronburn',
  })
  assert.equal(await refusal(hag, room), 'forbidden')
  await join(hag, room, 'thirdwitch', '<password>cauldronburn</password>')
  hag.drain()
  assert.deepEqual(await bodies(hag, room), ['one'])
  await change(crone, room, `<item affiliation='outcast' jid='${hag.account}'/>`)
  hag.drain()
  await configure(crone, room, {
    'muc#roomconfig_membersonly': '0',
    'muc#roomconfig_passwordprotectedroom': '0',
  })
  assert.equal(await refusal(hag, room), 'forbidden')
  assert.equal(await refusal(hag, newRoom()), 'item-not-found')
  for (const request of ['query', 'metadata']) {
    await hag.send`<iq type='get' id='${request}' to='${room}'><${request} xmlns='${NS}'/></iq>`
    assert.match(String(await hag.hears(request)), /forbidden/)
  }
})

story('XEP-0313 §6.1.2: the owners say who of those reads', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(
    tale,
    room,
    { firstwitch: cauldron, secondwitch: broom },
    { [access]: 'occupants' },
  )
  assert(crone && hecate)
  const hag = await tale.online(crypt)
  await change(crone, room, `<item affiliation='member' jid='${hag.account}'/>`)
  const may = async () => {
    for (const client of [crone, hecate, hag]) client.drain()
    return [await refusal(crone, room), await refusal(hecate, room), await refusal(hag, room)]
  }
  assert.deepEqual(await may(), [undefined, undefined, 'forbidden'])
  await configure(crone, room, { [access]: 'members' })
  assert.deepEqual(await may(), [undefined, 'forbidden', undefined])
})

story(
  'XEP-0313 §6.1.2 (V44): who said it is told to those who may know, as things were and are',
  async (tale) => {
    const room = newRoom()
    const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
    assert(crone && hecate)
    const hag = await tale.online(crypt)
    const says = async (client: Client) =>
      (await query(client, {}, { to: room })).results.map((result) => itemOf(result)?.jid)
    const found = async (client: Client, jid: string) => {
      const { bodies: lines, error } = await query(client, { with: jid }, { to: room })
      return error ?? lines
    }
    await speak(hecate, room, 'behind a name')
    for (const client of [crone, hecate]) client.drain()

    const seen = (await query(crone, {}, { to: room })).results[0]
    assert.deepEqual(
      { ...itemOf(seen) },
      { affiliation: 'none', role: 'participant', jid: hecate.jid },
    )
    assert.deepEqual(await says(hecate), [undefined])
    assert.deepEqual(await found(crone, hecate.account), ['behind a name'])
    assert.deepEqual(await found(crone, hecate.jid), ['behind a name'])
    assert.deepEqual(await found(crone, crone.account), [])
    assert.equal(await found(hecate, hecate.account), 'forbidden')
    assert.equal(await found(crone, `${room}/secondwitch`), 'feature-not-implemented')

    await configure(crone, room, { 'muc#roomconfig_whois': 'anyone' })
    await speak(hecate, room, 'in the open')
    for (const client of [crone, hecate, hag]) client.drain()
    // What was said behind a name stays so for those who could not see through it.
    assert.deepEqual(await says(hag), [undefined, hecate.jid])
    assert.deepEqual(await found(hag, hecate.account), ['in the open'])
    assert.deepEqual(await says(crone), [hecate.jid, hecate.jid])
    assert.deepEqual(await found(crone, hecate.account), ['behind a name', 'in the open'])

    await configure(crone, room, { 'muc#roomconfig_whois': 'moderators' })
    assert.deepEqual(await says(hag), [undefined, undefined])
    assert.equal(await found(hag, hecate.account), 'forbidden')
  },
)

story('XEP-0313 §9 (V42): what pretends to be the room’s is nobody’s', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
  assert(crone && hecate)
  await hecate.send`<message type='groupchat' to='${room}'><body>x</body><x xmlns='${NS_USER}'><item jid='${crone.jid}' affiliation='owner' role='moderator'/><status code='100'/></x><stanza-id xmlns='${SID}' by='${room}' id='forged'/></message>`
  const [result, ...others] = (await query(crone, {}, { to: room })).results
  assert(result && others.length === 0)
  const message = messageOf(result)
  assert.equal(itemOf(result)?.jid, hecate.jid)
  assert.equal(message.getChildren('x', NS_USER).length, 1)
  assert.deepEqual(
    message.getChildren('stanza-id', SID).map(({ attrs }) => attrs.id),
    [result.attrs.id],
  )
  const [hers] = (await query(hecate, {}, { to: room })).results
  assert(hers)
  assert.deepEqual(messageOf(hers).getChildren('x', NS_USER), [])
})

story('XEP-0424 §4, §5: who takes a line back leaves a tombstone', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
  assert(crone && hecate)
  await speak(hecate, room, 'regretted')
  const [id = ''] = (await query(hecate, {}, { to: room })).ids
  const retraction = (by: string) =>
    `<message type='groupchat' to='${room}' id='${by}'><retract xmlns='${RETRACT}' id='${id}'/><body>took it back</body></message>`

  await crone.send`${retraction('not hers')}`
  assert.deepEqual(await bodies(crone, room), ['regretted', 'took it back'])
  await hecate.send`${retraction('r1')}`
  crone.drain()

  const { results, ids } = await query(crone, {}, { to: room })
  assert.deepEqual([ids[0], results.length], [id, 3])
  const [tomb] = results.map(messageOf)
  assert(tomb)
  assert.equal(tomb.getChildText('body'), null)
  assert.equal(tomb.attrs.from, `${room}/secondwitch`)
  assert.equal(tomb.getChild('retracted', RETRACT)?.attrs.id, 'r1')
  assert(tomb.getChild('occupant-id', OCCUPANT_ID))
  const words = { '{urn:xmpp:fulltext:0}fulltext': 'regretted' }
  assert.deepEqual((await query(crone, words, { to: room })).ids, [])
  // §4: nor does who comes in now get it.
  const hag = await tale.online(crypt)
  await join(hag, room, 'thirdwitch')
  assert.doesNotMatch(text(hag.drain()), /regretted/)
})

story(
  'XEP-0425 §4: what a moderator takes back leaves a tombstone that says by whom',
  async (tale) => {
    const room = newRoom()
    const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
    assert(crone && hecate)
    await speak(hecate, room, 'free magic potions')
    const [id = ''] = (await query(hecate, {}, { to: room })).ids
    hecate.drain()
    await crone.send`<iq type='set' id='m' to='${room}'><moderate xmlns='${MODERATE}' id='${id}'><retract xmlns='${RETRACT}'/><reason>spam</reason></moderate></iq>`
    const told = hecate.drain()[0]

    const { results, ids } = await query(hecate, {}, { to: room })

    assert.deepEqual(ids, [id, told?.child('stanza-id', SID)?.attrs.id])
    const [tomb, retraction] = results.map(messageOf)
    assert(tomb && retraction)
    assert.equal(tomb.getChildText('body'), null)
    assert(tomb.getChild('occupant-id', OCCUPANT_ID))
    const retracted = tomb.getChild('retracted', RETRACT)
    assert.match(retracted?.attrs.stamp ?? '', /^\d{4}-/)
    assert.equal(retracted?.getChildText('reason'), 'spam')
    const moderated = retracted?.getChild('moderated', MODERATE)
    assert.equal(moderated?.attrs.by, `${room}/firstwitch`)
    assert(moderated?.getChild('occupant-id', OCCUPANT_ID))
    assert.equal(retraction.attrs.from, room)
    assert.equal(retraction.getChild('retract', RETRACT)?.attrs.id, id)
  },
)

story('XEP-0313 §3.3.2: a room that is made anew has an archive of its own', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  await speak(crone, room, 'old')
  const [id = ''] = (await query(crone, {}, { to: room })).ids
  await crone.send`<presence type='unavailable' to='${room}/firstwitch'/>`
  crone.drain()
  assert.equal(await refusal(crone, room), 'item-not-found')
  await join(crone, room, 'firstwitch')
  await configure(crone, room)
  await speak(crone, room, 'new')
  assert.deepEqual(await bodies(crone, room), ['new'])
  assert.equal((await query(crone, { ids: [id] }, { to: room })).error, 'item-not-found')
})

const day = 86_400_000
story(
  'XEP-0313 §3.2: a room keeps what is said for as long as its owners and the host want',
  { modules: { archive: { roomDays: 30, roomMessages: 3 } } },
  async (tale) => {
    const room = newRoom()
    const persistent = { 'muc#roomconfig_persistentroom': '1' }
    const [crone] = await gathered(tale, room, { firstwitch: cauldron }, persistent)
    assert(crone)
    await speak(crone, room, '1', '2', '3', '4', '5')
    await tale.pass(2 * day)
    await tale.settle()
    crone.drain()
    assert.deepEqual(await bodies(crone, room), ['3', '4', '5'])
    await configure(crone, room, { 'tactus#archive_days': '5' })
    await tale.pass(5 * day)
    await tale.settle()
    crone.drain()
    assert.deepEqual(await bodies(crone, room), [])
  },
)

story(
  '`roomArchives: never`: rooms keep nothing, whatever their owners want',
  { modules: { archive: { roomArchives: 'never' } } },
  async (tale) => {
    const room = newRoom()
    const [crone] = await gathered(tale, room, { firstwitch: cauldron })
    assert(crone)
    assert.equal(await refusal(crone, room), 'service-unavailable')
  },
)

story(
  'V49: a room answers so many at once',
  { modules: { archive: { roomQueries: 1 } } },
  async (tale) => {
    const room = newRoom()
    const [crone] = await gathered(tale, room, { firstwitch: cauldron })
    assert(crone)
    const ask = (id: string) => `<iq type='set' id='${id}' to='${room}'><query xmlns='${NS}'/></iq>`
    await crone.send`${ask('a')}${ask('b')}`
    const answers = [await crone.hears('a'), await crone.hears('b')].map(String)
    assert.equal(answers.filter((answer) => answer.includes('resource-constraint')).length, 1)
    assert.equal(await refusal(crone, room), undefined)
  },
)
