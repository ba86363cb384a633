import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import {
  broom,
  cauldron,
  codes,
  configure,
  crypt,
  error,
  gathered,
  join,
  joinEcho,
  NS_MUC,
  NS_OWNER,
  NS_USER,
  newRoom,
  occupantId,
  presence,
  result,
  service,
  user,
} from './muc/scene.ts'

const trio = { firstwitch: cauldron, secondwitch: broom, thirdwitch: crypt }
const noSubject = (room: string, to: string) =>
  `<message type='groupchat' from='${room}' to='${to}'><subject/></message>`

story(
  'XEP-0045 §10.1.1, §10.1.2: who comes first makes the room, and opens it',
  async ({ online }) => {
    const room = newRoom()
    const crone = await online(cauldron)
    const hecate = await online(broom)

    await join(crone, room, 'firstwitch')
    crone.receives`${presence(room, 'firstwitch', crone, user(`affiliation='owner' role='moderator' jid='${crone.jid}'`, codes(110, 201)))}`
    crone.receives`${noSubject(room, crone.jid)}`

    // §7.2.11: locked until it is configured.
    await join(hecate, room, 'secondwitch')
    hecate.receives`<presence type='error' from='${room}/secondwitch' to='${hecate.jid}'>${joinEcho}${error('item-not-found', 'cancel', room)}</presence>`

    await crone.send`<iq type='set' id='c' to='${room}'><query xmlns='${NS_OWNER}'><x xmlns='jabber:x:data' type='submit'/></query></iq>`
    crone.receives`${result(crone, room, 'c')}`
    await join(hecate, room, 'secondwitch')
    crone.receives`${presence(room, 'secondwitch', crone, user(`affiliation='none' role='participant' jid='${hecate.jid}'`))}`
  },
)

story('XEP-0045 §7.2.2: a newcomer sees everybody, itself last, then the subject', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
  assert(crone && hecate)
  const hag = await tale.online(crypt)

  await join(hag, room, 'thirdwitch')

  hag.receivesInAnyOrder`${presence(room, 'firstwitch', hag, user("affiliation='owner' role='moderator'"))}
    ${presence(room, 'secondwitch', hag, user("affiliation='none' role='participant'"))}`
  hag.receives`${presence(room, 'thirdwitch', hag, user(`affiliation='none' role='participant' jid='${hag.jid}'`, codes(110)))}`
  hag.receives`${noSubject(room, hag.jid)}`
  // §7.2.4: in a semi-anonymous room only moderators see addresses.
  crone.receives`${presence(room, 'thirdwitch', crone, user(`affiliation='none' role='participant' jid='${hag.jid}'`))}`
  hecate.receives`${presence(room, 'thirdwitch', hecate, user("affiliation='none' role='participant'"))}`
})

story('XEP-0045 §7.2.3: in a non-anonymous room all see addresses, and are told', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(
    tale,
    room,
    { firstwitch: cauldron, secondwitch: broom },
    { 'muc#roomconfig_whois': 'anyone' },
  )
  assert(crone && hecate)
  const hag = await tale.online(crypt)

  await join(hag, room, 'thirdwitch')

  const item = `affiliation='none' role='participant' jid='${hag.jid}'`
  hecate.receives`${presence(room, 'thirdwitch', hecate, user(item))}`
  hag.receivesInAnyOrder`${presence(room, 'thirdwitch', hag, user(item, codes(100, 110)))}`
  hag.receivesInAnyOrder`${presence(room, 'firstwitch', hag, user(`affiliation='owner' role='moderator' jid='${crone.jid}'`))}`
})

for (const [what, fields, inner, condition, type] of [
  [
    '§7.2.5: without the password',
    { 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'cauldronburn' },
    '',
    'not-authorized',
    'auth',
  ],
  [
    '§7.2.5: with another password',
    { 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'cauldronburn' },
    '<password>x</password>',
    'not-authorized',
    'auth',
  ],
  [
    '§7.2.6: into a room for members',
    { 'muc#roomconfig_membersonly': '1' },
    '',
    'registration-required',
    'auth',
  ],
  [
    '§7.2.9: into a room that is full',
    { 'muc#roomconfig_maxusers': '1' },
    '',
    'service-unavailable',
    'wait',
  ],
] as const)
  story(`XEP-0045 ${what} nobody comes in`, async (tale) => {
    const room = newRoom()
    const [crone] = await gathered(tale, room, { firstwitch: cauldron }, fields)
    assert(crone)
    const hag = await tale.online(crypt)

    await join(hag, room, 'thirdwitch', inner)

    hag.receives`<presence type='error' from='${room}/thirdwitch' to='${hag.jid}'>${joinEcho}${error(condition, type, room)}</presence>`
    await crone.receivesNothing()
    // An error is no reason to remember the room: nothing is said at the end.
    await hag.close()
    await crone.receivesNothing()
  })

story('XEP-0045 §7.2.5: with the password one comes in', async (tale) => {
  const room = newRoom()
  await gathered(
    tale,
    room,
    { firstwitch: cauldron },
    { 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'cauldronburn' },
  )
  const hag = await tale.online(crypt)
  await join(hag, room, 'thirdwitch', '<password>cauldronburn</password>')
  assert.equal(hag.drain().length, 3)
})

story('XEP-0045 §7.2.8: a nickname that is taken is a conflict', async (tale) => {
  const room = newRoom()
  await gathered(tale, room, { firstwitch: cauldron })
  const hag = await tale.online(crypt)
  await join(hag, room, 'firstwitch')
  hag.receives`<presence type='error' from='${room}/firstwitch' to='${hag.jid}'>${joinEcho}${error('conflict', 'cancel', room)}</presence>`
})

story('XEP-0045 §7.2.1: without a nickname nobody comes in', async (tale) => {
  const room = newRoom()
  const hag = await tale.online(crypt)
  await hag.send`<presence to='${room}'><x xmlns='${NS_MUC}'/></presence>`
  hag.receives`<presence type='error' from='${room}' to='${hag.jid}'>${joinEcho}<error type='modify' by='${room}'><jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>{any}</text></error></presence>`
})

story('XEP-0045 §7.4, XEP-0421, XEP-0359: a line to all, the sender among them', async (tale) => {
  const room = newRoom()
  const clients = await gathered(tale, room, trio)
  const [, hecate] = clients
  assert(hecate)
  const forged = `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/><stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='x'/><x xmlns='${NS_USER}'><item affiliation='owner'/></x><delay xmlns='urn:xmpp:delay' from='${room}' stamp='2000-01-01T00:00:00Z'/>`

  await hecate.send`<message to='${room}' type='groupchat' id='m1'><body>Harpier cries: 'tis time.</body>${forged}</message>`

  const ids = clients.map((client) => {
    const message = client.receives`<message type='groupchat' id='m1' from='${room}/secondwitch' to='${client.jid}'><body>Harpier cries: 'tis time.</body><stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='{any}'/>${occupantId}</message>`
    return message.getChild('stanza-id')?.attrs.id
  })
  assert.equal(new Set(ids).size, 1, 'all have the same id of it')
  for (const client of clients) await client.receivesNothing()
})

story('XEP-0045 §7.4: who is not in the room says nothing there', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  const hag = await tale.online(crypt)
  await hag.send`<message to='${room}' type='groupchat' id='m'><body>x</body></message>`
  hag.receives`<message type='error' id='m' from='${room}' to='${hag.jid}'>${error('not-acceptable', 'modify')}</message>`
  await hag.send`<message to='nowhere@${service}' type='groupchat' id='n'><body>x</body></message>`
  hag.receives`<message type='error' id='n' from='nowhere@${service}' to='${hag.jid}'>${error('item-not-found', 'cancel')}</message>`
  await crone?.receivesNothing()
})

story('XEP-0045 §7.5: a private message goes to one occupant only', async (tale) => {
  const room = newRoom()
  const [crone, hecate, hag] = await gathered(tale, room, trio)
  assert(crone && hecate && hag)

  await hecate.send`<message to='${room}/firstwitch' type='chat' id='p'><body>I'll give thee a wind.</body></message>`
  crone.receives`<message type='chat' id='p' from='${room}/secondwitch' to='${crone.jid}'><body>I'll give thee a wind.</body><x xmlns='${NS_USER}'/>${occupantId}<stanza-id xmlns='urn:xmpp:sid:0' by='${crone.account}' id='{any}'/></message>`
  for (const client of [hecate, hag]) await client.receivesNothing()

  await hecate.send`<message to='${room}/nobody' type='chat' id='q'><body>x</body></message>`
  hecate.receives`<message type='error' id='q' from='${room}/nobody' to='${hecate.jid}'>${error('item-not-found', 'cancel')}</message>`
  await hecate.send`<message to='${room}/firstwitch' type='groupchat' id='r'><body>x</body></message>`
  hecate.receives`<message type='error' id='r' from='${room}/firstwitch' to='${hecate.jid}'>${error('bad-request', 'modify')}</message>`
  const outsider = await tale.online('banquo@montague.example/x')
  await outsider.send`<message to='${room}/firstwitch' type='chat' id='s'><body>x</body></message>`
  outsider.receives`<message type='error' id='s' from='${room}/firstwitch' to='${outsider.jid}'>${error('not-acceptable', 'modify')}</message>`
})

story('XEP-0045 §7.6: a nickname is changed', async (tale) => {
  const room = newRoom()
  const [crone, hecate, hag] = await gathered(tale, room, trio)
  assert(crone && hecate && hag)

  await hag.send`<presence to='${room}/oldhag'/>`

  const gone = (jid: string, more = '') =>
    user(`affiliation='none' role='participant' nick='oldhag'${jid}`, `${codes(303)}${more}`)
  const real = ` jid='${hag.jid}'`
  crone.receives`${presence(room, 'thirdwitch', crone, gone(real), "type='unavailable'")}`
  crone.receives`${presence(room, 'oldhag', crone, user(`affiliation='none' role='participant'${real}`))}`
  hecate.receives`${presence(room, 'thirdwitch', hecate, gone(''), "type='unavailable'")}`
  hecate.receives`${presence(room, 'oldhag', hecate, user("affiliation='none' role='participant'"))}`
  hag.receives`${presence(room, 'thirdwitch', hag, gone(real, codes(110)), "type='unavailable'")}`
  hag.receives`${presence(room, 'oldhag', hag, user(`affiliation='none' role='participant'${real}`, codes(110)))}`

  await hag.send`<presence to='${room}/firstwitch'/>`
  hag.receives`<presence type='error' from='${room}/firstwitch' to='${hag.jid}'>${joinEcho}${error('conflict', 'cancel', room)}</presence>`
})

story('XEP-0045 §7.7: what an occupant says of itself goes to all', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  await hag.send`<presence to='${room}/thirdwitch'><show>xa</show><status>gone where the goblins go</status></presence>`
  const said = '<show>xa</show><status>gone where the goblins go</status>'
  crone.receives`<presence from='${room}/thirdwitch' to='${crone.jid}'>${said}${user(`affiliation='none' role='participant' jid='${hag.jid}'`)}${occupantId}</presence>`
  hag.receives`<presence from='${room}/thirdwitch' to='${hag.jid}'>${said}${user(`affiliation='none' role='participant' jid='${hag.jid}'`, codes(110))}${occupantId}</presence>`
})

for (const [how, go] of [
  ['leaves', (hag, room) => hag.send`<presence to='${room}/thirdwitch' type='unavailable'/>`],
  ['becomes unavailable', (hag) => hag.send`<presence type='unavailable'/>`],
  ['closes its stream', (hag) => hag.close()],
  ['loses its connection without stream management', (hag) => hag.drop()],
] as const satisfies readonly (readonly [
  string,
  (hag: import('@tactus/testkit').Client, room: string) => Promise<void>,
])[])
  story(`XEP-0045 §7.14: somebody ${how}, and all know`, async (tale) => {
    const room = newRoom()
    const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
    assert(crone && hag)
    await go(hag, room)
    crone.receives`${presence(room, 'thirdwitch', crone, user(`affiliation='none' role='none' jid='${hag.jid}'`), "type='unavailable'")}`
    await crone.receivesNothing()
  })

story('XEP-0045 §7.14: who leaves is told so', async (tale) => {
  const room = newRoom()
  const [, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(hag)
  await hag.send`<presence to='${room}/thirdwitch' type='unavailable'><status>gone</status></presence>`
  hag.receives`<presence type='unavailable' from='${room}/thirdwitch' to='${hag.jid}'><status>gone</status>${user(`affiliation='none' role='none' jid='${hag.jid}'`, codes(110))}${occupantId}</presence>`
})

story('several resources of an account are one occupant', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  const laptop = await tale.online('hag66@capulet.example/laptop')
  await join(laptop, room, 'thirdwitch')

  // The others see the same occupant still.
  await crone.receivesNothing()
  laptop.receives`${presence(room, 'firstwitch', laptop, user("affiliation='owner' role='moderator'"))}`
  laptop.receives`${presence(room, 'thirdwitch', laptop, user(`affiliation='none' role='participant' jid='${laptop.jid}'`, codes(110)))}`
  laptop.drain()
  await crone.send`<message to='${room}' type='groupchat'><body>x</body></message>`
  for (const client of [crone, hag, laptop]) assert.equal(client.drain().length, 1)

  await hag.close()
  await crone.receivesNothing()
  await laptop.close()
  assert.equal(crone.drain().length, 1)
})

story('XEP-0045 §7.2.13, §7.2.14: history, then the subject', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  for (const [id, body] of [
    ['1', 'Thrice'],
    ['2', 'the brinded cat'],
    ['3', 'hath mewed.'],
  ])
    await crone.send`<message to='${room}' type='groupchat' id='${id}'><body>${body}</body></message>`
  await crone.send`<message to='${room}' type='groupchat' id='s'><subject>Cats</subject></message>`
  await crone.send`<message to='${room}' type='groupchat' id='c'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
  const hag = await tale.online(crypt)
  const line = (id: string, content: string) =>
    `<message type='groupchat' id='${id}' from='${room}/firstwitch' to='${hag.jid}'>${content}<stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='{any}'/>${occupantId}<delay xmlns='urn:xmpp:delay' from='${room}' stamp='{any}'/></message>`
  const bodies: Readonly<Record<string, string>> = {
    1: 'Thrice',
    2: 'the brinded cat',
    3: 'hath mewed.',
  }
  const since = new Date(Date.now() + 3_600_000).toISOString()

  for (const [asked, expected] of [
    ['', ['1', '2', '3']],
    ["<history maxstanzas='2'/>", ['2', '3']],
    ["<history maxstanzas='0'/>", []],
    ["<history maxchars='0'/>", []],
    ["<history maxchars='65000'/>", ['1', '2', '3']],
    ["<history seconds='3600'/>", ['1', '2', '3']],
    [`<history since='${since}'/>`, []],
    ["<history since='1970-01-01T00:00:00Z' maxstanzas='1'/>", ['3']],
  ] as const) {
    await join(hag, room, 'thirdwitch', asked)
    hag.receives`${presence(room, 'firstwitch', hag, user("affiliation='owner' role='moderator'"))}`
    hag.receives`${presence(room, 'thirdwitch', hag, user(`affiliation='none' role='participant' jid='${hag.jid}'`, codes(110)))}`
    for (const id of expected) hag.receives`${line(id, `<body>${bodies[id]}</body>`)}`
    hag.receives`${line('s', '<subject>Cats</subject>')}`
    await hag.receivesNothing()
    await hag.send`<presence to='${room}/thirdwitch' type='unavailable'/>`
    hag.drain()
  }
})

story('a persistent room remembers what was said when nobody is in it any more', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(
    tale,
    room,
    { firstwitch: cauldron },
    { 'muc#roomconfig_persistentroom': '1' },
  )
  assert(crone)
  await crone.send`<message to='${room}' type='groupchat' id='1'><body>x</body></message>`
  await crone.send`<presence to='${room}/firstwitch' type='unavailable'/>`
  crone.drain()

  await join(crone, room, 'firstwitch')
  crone.receives`${presence(room, 'firstwitch', crone, user(`affiliation='owner' role='moderator' jid='${crone.jid}'`, codes(110)))}`
  assert.equal(crone.drain()[0]?.id, '1')
  await crone.send`<iq type='set' id='d' to='${room}'><query xmlns='${NS_OWNER}'><destroy/></query></iq>`
})

story('a temporary room goes with its last occupant', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  await crone.send`<presence to='${room}/firstwitch' type='unavailable'/>`
  crone.drain()
  await crone.send`<iq type='get' id='i' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  crone.receives`<iq type='error' id='i' from='${room}' to='${crone.jid}'>${error('item-not-found', 'cancel')}</iq>`
})

story('nobody finds a temporary room in the list that all have left', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  const list = async (id: string): Promise<string> => {
    await crone.send`<iq type='get' id='${id}' to='${service}'><query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'><max>250</max></set></query></iq>`
    return String(await crone.hears(id))
  }
  assert.match(await list('1'), new RegExp(room))
  await crone.send`<presence to='${room}/firstwitch' type='unavailable'/>`
  assert.doesNotMatch(await list('2'), new RegExp(room))
})

story('who asks to join again sees everything again, and nobody else is bothered', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  await join(hag, room, 'thirdwitch')
  assert.equal(hag.drain().length, 3)
  await crone.receivesNothing()
})

story(
  'XEP-0045 §10.1.3: who goes before the room is configured takes it along',
  async ({ online }) => {
    const room = newRoom()
    const crone = await online(cauldron)
    await join(crone, room, 'firstwitch')
    crone.drain()
    await crone.send`<iq type='set' id='x' to='${room}'><query xmlns='${NS_OWNER}'><x xmlns='jabber:x:data' type='cancel'/></query></iq>`
    crone.receives`<presence type='unavailable' from='${room}/firstwitch' to='${crone.jid}'><x xmlns='${NS_USER}'><item affiliation='none' role='none'/><destroy/></x></presence>`
    crone.receives`${result(crone, room, 'x')}`
    await configure(crone, room)
    crone.receives`<iq type='error' id='configure' from='${room}' to='${crone.jid}'>${error('item-not-found', 'cancel')}</iq>`
  },
)
