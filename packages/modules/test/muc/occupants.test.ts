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
  NS_OWNER,
  NS_USER,
  newRoom,
  occupantId,
  presence,
  refused,
  result,
  service,
  text,
  user,
} from './scene.ts'

const trio = { firstwitch: cauldron, secondwitch: broom, thirdwitch: crypt }
const hagBare = 'hag66@capulet.example'

story('XEP-0045 §6.3, XEP-0059: a limited list of rooms', async (tale) => {
  const rooms = [newRoom(), newRoom(), newRoom()].toSorted()
  const crone = await tale.online(cauldron)
  for (const room of rooms) {
    await join(crone, room, 'firstwitch')
    await configure(crone, room, { 'muc#roomconfig_roomname': 'Cave' })
  }
  crone.drain()
  const page = (content: string) =>
    `<query xmlns='http://jabber.org/protocol/disco#items'>${content}</query>`
  const set = (content: string) => `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`
  const item = (room: string | undefined) => `<item jid='${room}' name='Cave'/>`
  const ends = (first: string | undefined, index: number, last: string | undefined) =>
    set(`<first index='${index}'>${first}</first><last>${last}</last><count>3</count>`)

  await crone.send`<iq type='get' id='1' to='${service}'>${page(set('<max>2</max>'))}</iq>`
  crone.receives`<iq type='result' id='1' from='${service}' to='${crone.jid}'>${page(`${item(rooms[0])}${item(rooms[1])}${ends(rooms[0], 0, rooms[1])}`)}</iq>`
  await crone.send`<iq type='get' id='2' to='${service}'>${page(set(`<max>2</max><after>${rooms[1]}</after>`))}</iq>`
  crone.receives`<iq type='result' id='2' from='${service}' to='${crone.jid}'>${page(`${item(rooms[2])}${ends(rooms[2], 2, rooms[2])}`)}</iq>`
})

story(
  'XEP-0045 §7.2.18: who believes to be in is told the truth, and lets nobody in',
  async (tale) => {
    const room = newRoom()
    const [crone] = await gathered(tale, room, { firstwitch: cauldron })
    assert(crone)
    const hag = await tale.online(crypt)
    const kick = (where: string) =>
      `<presence type='unavailable' from='${where}/thirdwitch' to='${hag.jid}'><x xmlns='${NS_USER}'><item affiliation='none' role='none'><reason>You are not in the room.</reason></item>${codes(110, 307, 333)}</x></presence>`

    await hag.send`<presence to='${room}/thirdwitch'><show>away</show></presence>`
    hag.receives`${kick(room)}`
    await crone.receivesNothing()
    // A room that is not there is not made by that, either.
    const nowhere = newRoom()
    await crone.send`<presence to='${nowhere}/thirdwitch'/>`
    assert.match(text(crone.drain()[0]), /type="unavailable".*code="333"/)
    await crone.send`<iq type='get' id='i' to='${nowhere}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    crone.receives`${refused(crone, nowhere, 'i', 'item-not-found', 'cancel')}`
  },
)

story('XEP-0045 §7.9: two who talk take others in', async (tale) => {
  const room = newRoom()
  const thread = 'e0ffe42b28561960c6b12b944a092794b9683a38'
  const [crone] = await gathered(tale, room, { crone: cauldron })
  assert(crone)
  const hag = await tale.online(crypt)
  const said = `<thread>${thread}</thread><body>Thrice the brinded cat hath mew'd.</body><delay xmlns='urn:xmpp:delay' from='${crone.jid}' stamp='2004-09-29T01:54:37Z'/>`

  await crone.send`<message to='${room}' type='groupchat' id='b'>${said}</message>`
  crone.drain()
  await crone.send`<message to='${room}'><x xmlns='${NS_USER}'><invite to='${hag.jid}'><reason>We need you.</reason><continue thread='${thread}'/></invite></x></message>`
  const invite = text(hag.drain()[0])
  assert.match(
    invite,
    new RegExp(
      `<invite from="${room}/crone"><reason>We need you.</reason><continue thread="${thread}"/></invite>`,
    ),
  )

  await join(hag, room, 'hag')
  hag.receives`${presence(room, 'crone', hag, user("affiliation='owner' role='moderator'"))}`
  hag.receives`${presence(room, 'hag', hag, user(`affiliation='none' role='participant' jid='${hag.jid}'`, codes(110)))}`
  // What was said before is there, with its own time and the room's.
  hag.receives`<message type='groupchat' id='b' from='${room}/crone' to='${hag.jid}'>${said}<stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='{any}'/>${occupantId}<delay xmlns='urn:xmpp:delay' from='${room}' stamp='{any}'/></message>`
})

story(
  'XEP-0045 §7.10: nobody registers with a room that is not there, or not open',
  async (tale) => {
    const room = newRoom()
    await gathered(tale, room, { firstwitch: cauldron }, { 'muc#roomconfig_allow_register': '0' })
    const hag = await tale.online(crypt)
    const ask = "<query xmlns='jabber:iq:register'/>"
    await hag.send`<iq type='get' id='r' to='nowhere@${service}'>${ask}</iq>`
    hag.receives`${refused(hag, `nowhere@${service}`, 'r', 'item-not-found', 'cancel')}`
    await hag.send`<iq type='get' id='r' to='${room}'>${ask}</iq>`
    hag.receives`${refused(hag, room, 'r', 'not-allowed', 'cancel')}`
  },
)

story('XEP-0045 §8.1: the subject is changed by who may', async (tale) => {
  const room = newRoom()
  const clients = await gathered(tale, room, trio)
  const [crone, hecate] = clients
  assert(crone && hecate)
  const tell = (nick: string, to: string, subject: string) =>
    `<message type='groupchat' id='s' from='${room}/${nick}' to='${to}'>${subject}<stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='{any}'/>${occupantId}</message>`
  const fire = '<subject>Fire Burn and Cauldron Bubble!</subject>'

  await crone.send`<message to='${room}' type='groupchat' id='s'>${fire}</message>`
  for (const client of clients) client.receives`${tell('firstwitch', client.jid, fire)}`

  await hecate.send`<message to='${room}' type='groupchat' id='s'>${fire}</message>`
  hecate.receives`<message type='error' id='s' from='${room}' to='${hecate.jid}'>${error('forbidden', 'auth')}</message>`
  // With a body it is a line that has a subject, and changes nothing.
  await hecate.send`<message to='${room}' type='groupchat' id='s'><subject>x</subject><body>y</body></message>`
  for (const client of clients)
    client.receives`${tell('secondwitch', client.jid, '<subject>x</subject><body>y</body>')}`

  await crone.send`<message to='${room}' type='groupchat' id='s'><subject/></message>`
  for (const client of clients) client.receives`${tell('firstwitch', client.jid, '<subject/>')}`
  await configure(crone, room, { 'muc#roomconfig_changesubject': '1' })
  for (const client of clients) client.drain()
  await hecate.send`<message to='${room}' type='groupchat' id='s'>${fire}</message>`
  for (const client of clients) client.receives`${tell('secondwitch', client.jid, fire)}`
})

story('XEP-0045 §10.1.3: a new room is configured before anybody gets in', async (tale) => {
  const room = newRoom()
  const crone = await tale.online(cauldron)
  const hag = await tale.online(crypt)
  await join(crone, room, 'firstwitch')
  crone.drain()
  await crone.send`<iq type='get' id='f' to='${room}'><query xmlns='${NS_OWNER}'/></iq>`
  const form = text(crone.drain()[0])
  for (const field of [
    'roomname',
    'roomdesc',
    'lang',
    'changesubject',
    'allowinvites',
    'allowpm',
    'maxusers',
    'presencebroadcast',
    'getmemberlist',
    'publicroom',
    'persistentroom',
    'moderatedroom',
    'membersonly',
    'passwordprotectedroom',
    'roomsecret',
    'whois',
    'roomadmins',
    'roomowners',
  ])
    assert.match(form, new RegExp(`var="muc#roomconfig_${field}"`))
  await join(hag, room, 'thirdwitch')
  assert.match(text(hag.drain()[0]), /<item-not-found/)

  await configure(crone, room, { 'muc#roomconfig_moderatedroom': '1' })
  crone.receives`${result(crone, room, 'configure')}`
  await join(hag, room, 'thirdwitch')
  assert.match(text(hag.drain().at(-2)), /role="visitor"/)
})

story('XEP-0045 §10.2: who cancels a later configuration changes nothing', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  await crone.send`<iq type='set' id='x' to='${room}'><query xmlns='${NS_OWNER}'><x xmlns='jabber:x:data' type='cancel'/></query></iq>`
  crone.receives`${result(crone, room, 'x')}`
  await hag.receivesNothing()
  await hag.send`<message to='${room}' type='groupchat' id='m'><body>x</body></message>`
  assert.equal(crone.drain().length, 1)
})

story('XEP-0045 §8.2: who puts itself out is out', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  await change(crone, room, "<item nick='firstwitch' role='none'/>")
  assert.match(text(crone.drain()[0]), /type="unavailable".*code="307"/)
})

story('V44: nicknames and lists tell no address in a semi-anonymous room', async (tale) => {
  const room = newRoom()
  const [crone, hecate, hag] = await gathered(tale, room, trio)
  assert(crone && hecate && hag)
  await change(crone, room, `<item affiliation='member' jid='${hagBare}'/>`)
  await change(crone, room, "<item nick='thirdwitch' role='visitor'/>")
  await hag.send`<presence to='${room}/oldhag'><status>here</status></presence>`
  await hag.send`<message to='${room}' type='groupchat'><body>x</body></message>`
  await hag.send`<message to='${room}/secondwitch' type='chat'><body>x</body></message>`
  await hag.send`<iq type='get' id='p' to='${room}/secondwitch'><query xmlns='jabber:iq:version'/></iq>`
  await change(crone, room, "<item nick='oldhag' role='none'><reason>x</reason></item>")
  const heard = hecate.drain().map(text).join('').replaceAll(`by="${hecate.account}"`, '')
  assert(heard.includes('oldhag'))
  for (const secret of [hag.account, crone.account])
    assert(!heard.includes(secret), `${secret} in ${heard}`)
})

story(
  'V49: who comes, goes and flaps too fast is told to wait, and may always leave',
  { modules: { muc: { presencesPerSecond: 1, presencesAtOnce: 3 } } },
  async (tale) => {
    const room = newRoom()
    const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
    assert(crone && hag)
    const show = (show: string) =>
      hag.send`<presence to='${room}/thirdwitch'><show>${show}</show></presence>`
    await show('away')
    await hag.send`<presence to='${room}/oldhag'/>`
    crone.drain()
    hag.drain()

    await show('xa')
    hag.receives`<presence type='error' from='${room}/thirdwitch' to='${hag.jid}'>${joinEcho}<error type='wait' by='${room}'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>{any}</text></error></presence>`
    await join(hag, room, 'oldhag')
    assert.match(text(hag.drain()[0]), /<policy-violation/)
    await crone.receivesNothing()
    // The owner is held up by nothing, and nobody is kept in.
    for (const status of ['1', '2', '3', '4'])
      await crone.send`<presence to='${room}/firstwitch'><status>${status}</status></presence>`
    assert.equal(crone.drain().length, 4)
    await hag.send`<presence to='${room}/oldhag' type='unavailable'/>`
    assert.match(text(crone.drain()[0]), /type="unavailable"/)
    hag.drain()
    await join(hag, room, 'oldhag')
    assert.match(text(hag.drain()[0]), /<policy-violation/)

    await tale.pass(1_000)
    await join(hag, room, 'oldhag')
    assert.match(text(hag.drain().at(-1)), /<subject/)
  },
)

story('XEP-0307 §2: the service draws a name that is not taken', async (tale) => {
  const crone = await tale.online(cauldron)
  const hag = await tale.online(crypt)
  const names = new Set<string | undefined>()
  for (const id of ['1', '2']) {
    await crone.send`<iq type='get' id='${id}' to='${service}'><unique xmlns='http://jabber.org/protocol/muc#unique'/></iq>`
    names.add(/>([0-9a-f]{40})<\/unique>/.exec(text(crone.drain()[0]))?.[1])
  }
  assert.equal(names.size, 2)
  assert(!names.has(undefined))
  // Who may make no room there needs no name for one.
  await hag.send`<iq type='get' id='u' to='${service}'><unique xmlns='http://jabber.org/protocol/muc#unique'/></iq>`
  assert.match(text(hag.drain()[0]), /<not-allowed/)
})
