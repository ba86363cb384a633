import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import {
  broom,
  cauldron,
  change,
  codes,
  configure,
  crypt,
  error,
  gathered,
  join,
  joinEcho,
  NS_ADMIN,
  NS_MUC,
  NS_OWNER,
  NS_USER,
  newRoom,
  presence,
  refused,
  result,
  service,
  text,
  user,
} from './muc/scene.ts'

const NS_INFO = 'http://jabber.org/protocol/disco#info'
const pair = { firstwitch: cauldron, secondwitch: broom }
const fieldsOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    [...text.matchAll(/<field[^>]*var="([^"]+)"[^>]*>(?:(?!<\/field>).)*?<value>([^<]*)/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  )

story('XEP-0045 §10.1.3, §10.2: the form shows the configuration, and changes it', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair, {
    'muc#roomconfig_roomname': 'A Dark Cave',
    'muc#roomconfig_roomdesc': 'The place for all good witches!',
    'muc#roomconfig_roomadmins': ['wiccarocks@montague.example', 'hecate@capulet.example'],
  })
  assert(crone && hecate)

  await crone.send`<iq type='get' id='f' to='${room}'><query xmlns='${NS_OWNER}'/></iq>`
  const form = fieldsOf(text(crone.drain()[0]))
  assert.equal(form.get('FORM_TYPE'), `${NS_MUC}#roomconfig`)
  assert.equal(form.get('muc#roomconfig_roomname'), 'A Dark Cave')
  assert.equal(form.get('muc#roomconfig_moderatedroom'), '0')
  assert.equal(form.get('muc#roomconfig_roomadmins'), 'wiccarocks@montague.example')
  assert.equal(form.get('muc#roomconfig_roomowners'), crone.account)

  // §10.2: an admin is no owner.
  await hecate.send`<iq type='get' id='f' to='${room}'><query xmlns='${NS_OWNER}'/></iq>`
  hecate.receives`${refused(hecate, room, 'f', 'forbidden', 'auth')}`

  // §10.2: lists in the form are the whole lists.
  await configure(crone, room, { 'muc#roomconfig_roomadmins': ['wiccarocks@montague.example'] })
  hecate.receives`${presence(room, 'secondwitch', hecate, `<x xmlns='${NS_USER}'><item affiliation='none' role='participant' jid='${hecate.jid}'><actor nick='firstwitch'/></item>${codes(110)}</x>`)}`
})

for (const [what, fields, condition, type] of [
  [
    'a protected room without a password',
    { 'muc#roomconfig_passwordprotectedroom': '1' },
    'not-acceptable',
    'modify',
  ],
  ['a value that is none', { 'muc#roomconfig_whois': 'nobody' }, 'not-acceptable', 'modify'],
  ['a room without owners', { 'muc#roomconfig_roomowners': [] }, 'conflict', 'cancel'],
] as const)
  story(`XEP-0045 §10.1.3: ${what} is refused, and nothing of it is done`, async (tale) => {
    const room = newRoom()
    const [crone] = await gathered(tale, room, { firstwitch: cauldron })
    assert(crone)
    await configure(crone, room, { 'muc#roomconfig_roomname': 'x', ...fields })
    assert.match(text(crone.drain()[0]), new RegExp(`type="error".*type="${type}".*<${condition}`))
    await crone.send`<iq type='get' id='f' to='${room}'><query xmlns='${NS_OWNER}'/></iq>`
    assert.equal(fieldsOf(text(crone.drain()[0])).get('muc#roomconfig_roomname'), undefined)
  })

for (const [what, fields, told] of [
  ['the name', { 'muc#roomconfig_roomname': 'y' }, [104]],
  ['becomes non-anonymous', { 'muc#roomconfig_whois': 'anyone' }, [104, 172]],
] as const)
  story(`XEP-0045 §10.2.1: occupants hear of a change: ${what}`, async (tale) => {
    const room = newRoom()
    const [crone, hecate] = await gathered(tale, room, pair)
    assert(crone && hecate)
    await configure(crone, room, fields)
    hecate.receives`<message type='groupchat' id='{any}' from='${room}' to='${hecate.jid}'><x xmlns='${NS_USER}'>${codes(...told)}</x></message>`
  })

story(
  'XEP-0045 §10.2.1: a room that is for members from now on lets the others go',
  async (tale) => {
    const room = newRoom()
    const [crone, hecate] = await gathered(tale, room, pair)
    assert(crone && hecate)
    await configure(crone, room, { 'muc#roomconfig_membersonly': '1' })
    const [, out] = hecate.drain()
    assert.match(text(out), /type="unavailable".*code="110".*code="322"/)
  },
)

story('XEP-0045 §10.9: a room is destroyed, and another named', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair, { 'muc#roomconfig_persistentroom': '1' })
  assert(crone && hecate)
  const end = `<destroy jid='coven@${service}'><reason>Macbeth doth come.</reason></destroy>`

  await hecate.send`<iq type='set' id='b' to='${room}'><query xmlns='${NS_OWNER}'>${end}</query></iq>`
  hecate.receives`${refused(hecate, room, 'b', 'forbidden', 'auth')}`

  await crone.send`<iq type='set' id='b' to='${room}'><query xmlns='${NS_OWNER}'>${end}</query></iq>`
  const gone = (nick: string, jid: string) =>
    `<presence type='unavailable' from='${room}/${nick}' to='${jid}'><x xmlns='${NS_USER}'><item affiliation='none' role='none'/>${end}</x></presence>`
  crone.receives`${gone('firstwitch', crone.jid)}`
  crone.receives`${result(crone, room, 'b')}`
  hecate.receives`${gone('secondwitch', hecate.jid)}`
  await crone.send`<iq type='get' id='i' to='${room}'><query xmlns='${NS_INFO}'/></iq>`
  crone.receives`${refused(crone, room, 'i', 'item-not-found', 'cancel')}`
})

story('XEP-0045 §6.4: what disco says of a room', async (tale) => {
  const room = newRoom()
  await gathered(tale, room, pair, {
    'muc#roomconfig_roomname': 'A Dark Cave',
    'muc#roomconfig_roomdesc': 'All good witches',
    'muc#roomconfig_moderatedroom': '1',
  })
  const hag = await tale.online(crypt)
  await hag.send`<iq type='get' id='i' to='${room}'><query xmlns='${NS_INFO}'/></iq>`
  const answer = text(hag.drain()[0])
  assert.match(answer, /<identity category="conference" type="text" name="A Dark Cave"\/>/)
  for (const feature of [
    NS_MUC,
    'muc_public',
    'muc_temporary',
    'muc_open',
    'muc_moderated',
    'muc_semianonymous',
    'muc_unsecured',
    `${NS_MUC}#stable_id`,
    `${NS_MUC}#self-ping-optimization`,
    'urn:xmpp:occupant-id:0',
    'urn:xmpp:sid:0',
  ])
    assert(answer.includes(`var="${feature}"`), feature)
  const fields = fieldsOf(answer)
  assert.equal(fields.get('FORM_TYPE'), `${NS_MUC}#roominfo`)
  assert.equal(fields.get('muc#roominfo_description'), 'All good witches')
  assert.equal(fields.get('muc#roominfo_occupants'), '2')
  // §6.5, V44: who is in it is nobody’s business outside.
  await hag.send`<iq type='get' id='j' to='${room}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
  hag.receives`<iq type='result' id='j' from='${room}' to='${hag.jid}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
  // §6.6
  await hag.send`<iq type='get' id='k' to='${room}/firstwitch'><query xmlns='${NS_INFO}'/></iq>`
  hag.receives`<iq type='error' id='k' from='${room}/firstwitch' to='${hag.jid}'>${error('bad-request', 'modify')}</iq>`
})

story('XEP-0410 §3: whether one is still in the room', async (tale) => {
  const room = newRoom()
  const [, hecate] = await gathered(tale, room, pair)
  assert(hecate)
  const ping = (id: string) =>
    `<iq type='get' id='${id}' to='${room}/secondwitch'><ping xmlns='urn:xmpp:ping'/></iq>`
  await hecate.send`${ping('1')}`
  hecate.receives`<iq type='result' id='1' from='${room}/secondwitch' to='${hecate.jid}'/>`
  await hecate.send`<presence to='${room}/secondwitch' type='unavailable'/>`
  hecate.drain()
  await hecate.send`${ping('2')}`
  hecate.receives`<iq type='error' id='2' from='${room}/secondwitch' to='${hecate.jid}'>${error('not-acceptable', 'modify')}</iq>`
})

story('a request goes to an occupant under nicknames, and its answer comes back', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair)
  assert(crone && hecate)
  await hecate.send`<iq type='get' id='v1' to='${room}/firstwitch'><query xmlns='jabber:iq:version'/></iq>`
  const [request] = crone.drain()
  assert.equal(request?.from, `${room}/secondwitch`)
  await crone.send`<iq type='result' id='${request?.id}' to='${request?.from}'><query xmlns='jabber:iq:version'><name>Cauldron</name></query></iq>`
  hecate.receives`<iq type='result' id='v1' from='${room}/firstwitch' to='${hecate.jid}'><query xmlns='jabber:iq:version'><name>Cauldron</name></query></iq>`

  // SECURITY: nobody answers for another.
  await hecate.send`<iq type='get' id='v2' to='${room}/firstwitch'><query xmlns='jabber:iq:version'/></iq>`
  const id = crone.drain()[0]?.id
  const hag = await tale.online(crypt)
  await join(hag, room, 'thirdwitch')
  for (const client of [hecate, hag]) client.drain()
  await hag.send`<iq type='result' id='${id}' to='${room}/secondwitch'/>`
  await hecate.receivesNothing()
})

story('XEP-0045 §7.2.2: presence of roles that the room does not show', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair, {
    'muc#roomconfig_moderatedroom': '1',
    'muc#roomconfig_presencebroadcast': ['moderator', 'participant'],
  })
  assert(crone && hecate)
  const hag = await tale.online(crypt)
  await join(hag, room, 'thirdwitch')
  assert.match(text(hag.drain().at(-2)), /code="110"/)
  await crone.receivesNothing()
  // With voice, it is seen; without, it is gone.
  await crone.send`<iq type='set' id='1' to='${room}'><query xmlns='${NS_ADMIN}'><item nick='thirdwitch' role='participant'/></query></iq>`
  hecate.receives`${presence(room, 'thirdwitch', hecate, user("affiliation='none' role='participant'"))}`
  await crone.send`<iq type='set' id='2' to='${room}'><query xmlns='${NS_ADMIN}'><item nick='thirdwitch' role='visitor'/></query></iq>`
  hecate.receives`${presence(room, 'thirdwitch', hecate, user("affiliation='none' role='none'"), "type='unavailable'")}`
})

story(
  'XEP-0045 §10.1.1: who may make rooms is the host’s to say',
  { modules: { muc: { creation: 'admins' } } },
  async ({ online }) => {
    const room = newRoom()
    const crone = await online(cauldron)
    await join(crone, room, 'firstwitch')
    crone.receives`<presence type='error' from='${room}/firstwitch' to='${crone.jid}'>${joinEcho}${error('not-allowed', 'cancel', room)}</presence>`
  },
)

story('by default rooms are made by the accounts of their host', async ({ online }) => {
  const room = newRoom()
  const hag = await online(crypt)
  await join(hag, room, 'thirdwitch')
  hag.receives`<presence type='error' from='${room}/thirdwitch' to='${hag.jid}'>${joinEcho}${error('not-allowed', 'cancel', room)}</presence>`
})

story(
  'an account makes so many rooms and no more',
  { modules: { muc: { roomsPerAccount: 1 } } },
  async (tale) => {
    const [crone] = await gathered(tale, newRoom(), { firstwitch: cauldron })
    assert(crone)
    const another = newRoom()
    await join(crone, another, 'firstwitch')
    assert.match(text(crone.drain()[0]), /<not-allowed/)
  },
)

story(
  'SECURITY: who is made an owner of rooms may still make its own',
  { modules: { muc: { roomsPerAccount: 1 } } },
  async (tale) => {
    const room = newRoom()
    const [crone, other] = await gathered(tale, room, {
      firstwitch: cauldron,
      fourthwitch: 'crone2@montague.example/laptop',
    })
    assert(crone && other)
    await change(crone, room, `<item jid='${other.account}' affiliation='owner'/>`)
    assert.match(text(other.drain()[0]), /affiliation="owner"/)

    await join(other, newRoom(), 'fourthwitch')

    assert.match(text(other.drain()[0]), /<status code="201"\/>/)
  },
)

story(
  'a host may have no rooms, or others',
  { modules: { muc: { subdomain: false } } },
  async ({ online }) => {
    const crone = await online(cauldron)
    await crone.send`<message to='x@${service}' id='m' type='chat'><body>x</body></message>`
    assert.match(text(crone.drain()[0]), /<remote-server-not-found/)
    await crone.send`<iq type='get' id='h' to='montague.example'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
    assert.doesNotMatch(text(crone.drain()[0]), /conference/)
  },
)

story('XEP-0425 §3: a moderator takes a line back', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair)
  assert(crone && hecate)
  await hecate.send`<message to='${room}' type='groupchat' id='m'><body>free magic potions</body></message>`
  const id = crone.drain()[0]?.child('stanza-id', 'urn:xmpp:sid:0')?.attrs.id
  hecate.drain()
  const request = `<iq type='set' id='r' to='${room}'><moderate xmlns='urn:xmpp:message-moderate:1' id='${id}'><retract xmlns='urn:xmpp:message-retract:1'/><reason>Spam</reason></moderate></iq>`

  await hecate.send`${request}`
  assert.match(text(hecate.drain()[0]), /type="auth".*<forbidden/)
  await crone.send`${request}`
  hecate.receives`<message type='groupchat' id='{any}' from='${room}' to='${hecate.jid}'><retract xmlns='urn:xmpp:message-retract:1' id='${id}'><moderated xmlns='urn:xmpp:message-moderate:1' by='${room}/firstwitch'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{any}'/></moderated><reason>Spam</reason></retract><stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='{any}'/></message>`
  assert.equal(crone.drain().at(-1)?.type, 'result')
  const hag = await tale.online(crypt)
  await join(hag, room, 'thirdwitch')
  assert.doesNotMatch(text(hag.drain().join('')), /potions/)
})

story('XEP-0500 §4, §5: slow mode', { memoryOnly: 'it lets time pass' }, async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair, {
    'muc#roomconfig_slow_mode_duration': '20',
  })
  assert(crone && hecate)
  const say = (id: string) =>
    hecate.send`<message to='${room}' type='groupchat' id='${id}'><body>x</body></message>`
  await say('1')
  await say('2')
  const [first, second] = hecate.drain()
  assert.equal(first?.type, 'groupchat')
  assert.match(text(second), /type="wait".*<policy-violation.*20 seconds/)
  await tale.pass(20_000)
  await say('3')
  assert.equal(hecate.drain()[0]?.type, 'groupchat')
  for (const id of ['4', '5'])
    await crone.send`<message to='${room}' type='groupchat' id='${id}'><body>x</body></message>`
  assert.deepEqual(
    hecate.drain().map(({ id }) => id),
    ['4', '5'],
    'the owner is not held up',
  )
  await hecate.send`<iq type='get' id='i' to='${room}'><query xmlns='${NS_INFO}'/></iq>`
  assert.equal(fieldsOf(text(hecate.drain()[0])).get('muc#roominfo_slow_mode_duration'), '20')
})

story('XEP-0486 §4: an image for a room', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair)
  assert(crone && hecate)
  const photo = '<PHOTO><TYPE>image/png</TYPE><BINVAL>iVBORw0KGgo=</BINVAL></PHOTO>'
  const set = (content: string) =>
    `<iq type='set' id='s' to='${room}'><vCard xmlns='vcard-temp'>${content}</vCard></iq>`
  await hecate.send`${set(photo)}`
  assert.match(text(hecate.drain()[0]), /type="auth".*<forbidden/)
  await crone.send`${set(photo)}`
  hecate.receives`<message type='groupchat' id='{any}' from='${room}' to='${hecate.jid}'><x xmlns='${NS_USER}'>${codes(104)}</x></message>`
  const hag = await tale.online(crypt)
  await hag.send`<iq type='get' id='g' to='${room}'><vCard xmlns='vcard-temp'/></iq>`
  hag.receives`<iq type='result' id='g' from='${room}' to='${hag.jid}'><vCard xmlns='vcard-temp'>${photo}</vCard></iq>`
  await hag.send`<iq type='get' id='i' to='${room}'><query xmlns='${NS_INFO}'/></iq>`
  assert.equal(
    fieldsOf(text(hag.drain()[0])).get('muc#roominfo_avatarhash'),
    '4caece539b039b16e16206ea2478f8c5ffb2ca05',
  )
  await crone.send`${set('')}`
  await hag.send`<iq type='get' id='g' to='${room}'><vCard xmlns='vcard-temp'/></iq>`
  hag.receives`<iq type='result' id='g' from='${room}' to='${hag.jid}'><vCard xmlns='vcard-temp'/></iq>`
})

story(
  'each host names its rooms, or has none',
  {
    config: {
      hosts: {
        'montague.example': {
          modules: { muc: { subdomain: 'rooms' } },
          federation: { policy: 'off' },
        },
        'capulet.example': { modules: { muc: { subdomain: false } } },
      },
    },
  },
  async ({ online }) => {
    const crone = await online(cauldron)
    for (const [host, expected] of [
      ['montague.example', /jid="rooms.montague.example"/],
      ['capulet.example', /^(?!.*Chat rooms)/],
    ] as const) {
      await crone.send`<iq type='get' id='h' to='${host}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
      assert.match(text(crone.drain()[0]), expected)
    }
    await join(crone, 'coven@rooms.montague.example', 'firstwitch')
    assert.match(text(crone.drain()[0]), /code="201"/)
    await join(crone, 'coven@conference.capulet.example', 'firstwitch')
    assert.match(text(crone.drain()[0]), /<remote-server-not-found/)
  },
)

story(
  'V49: who talks too fast is told to wait',
  { modules: { muc: { linesPerSecond: 1, linesAtOnce: 2 } }, memoryOnly: 'it lets time pass' },
  async (tale) => {
    const room = newRoom()
    const [crone, hecate] = await gathered(tale, room, pair)
    assert(crone && hecate)
    const say = async (id: string): Promise<string | undefined> => {
      await hecate.send`<message to='${room}' type='groupchat' id='${id}'><body>x</body></message>`
      return hecate.drain()[0]?.type
    }
    for (const id of ['1', '2']) assert.equal(await say(id), 'groupchat')
    assert.equal(await say('3'), 'error')
    assert.deepEqual(
      crone.drain().map(({ id }) => id),
      ['1', '2'],
    )
    await tale.pass(1_000)
    assert.equal(await say('4'), 'groupchat')
    assert.equal(await say('5'), 'error')
  },
)
