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
  NS_ADMIN,
  NS_USER,
  newRoom,
  presence,
  refused,
  service,
  text,
  user,
} from './muc/scene.ts'

const [hecateBare, hagBare] = ['hecate@capulet.example', 'hag66@capulet.example']
const gone = "type='unavailable'"

story('XEP-0045 §7.8.2: a mediated invitation, and a refusal', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(
    tale,
    room,
    { firstwitch: cauldron },
    { 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'cauldronburn' },
  )
  assert(crone)
  const hecate = await tale.online(broom)

  await crone.send`<message to='${room}'><x xmlns='${NS_USER}'><invite to='${hecateBare}'><reason>Hey Hecate</reason></invite></x></message>`
  hecate.receives`<message id='{any}' from='${room}' to='${hecateBare}'><x xmlns='${NS_USER}'><invite from='${room}/firstwitch'><reason>Hey Hecate</reason></invite><password>cauldronburn</password></x><x xmlns='jabber:x:conference' jid='${room}' reason='Hey Hecate' password='cauldronburn'/><stanza-id xmlns='urn:xmpp:sid:0' by='${hecateBare}' id='{any}'/></message>`

  await hecate.send`<message to='${room}'><x xmlns='${NS_USER}'><decline to='${room}/firstwitch'><reason>Sorry</reason></decline></x></message>`
  assert.match(text(crone.drain()[0]), new RegExp(`<decline from="${hecateBare}"><reason>Sorry`))
  // From outside, nobody is invited.
  await hecate.send`<message to='${room}' id='i'><x xmlns='${NS_USER}'><invite to='${hagBare}'/></x></message>`
  hecate.receives`<message type='error' id='i' from='${room}' to='${hecate.jid}'>${error('not-acceptable', 'modify')}</message>`
})

story(
  'XEP-0045 §7.8.2, §9.3: an invitation into a room for members makes a member, where one may',
  async (tale) => {
    const room = newRoom()
    const [crone] = await gathered(
      tale,
      room,
      { firstwitch: cauldron },
      { 'muc#roomconfig_membersonly': '1' },
    )
    assert(crone)
    const hecate = await tale.online(broom)
    await crone.send`<message to='${room}'><x xmlns='${NS_USER}'><invite to='${hecateBare}'/></x></message>`
    hecate.drain()
    await join(hecate, room, 'secondwitch')
    assert.match(text(crone.drain()[0]), /affiliation="member"/)
    hecate.drain()
    const invite = `<x xmlns='${NS_USER}'><invite to='${hagBare}'/></x>`
    await hecate.send`<message to='${room}' id='i'>${invite}</message>`
    hecate.receives`<message type='error' id='i' from='${room}' to='${hecate.jid}'>${error('forbidden', 'auth')}</message>`
    await configure(crone, room, { 'muc#roomconfig_allowinvites': '1' })
    hecate.drain()
    await hecate.send`<message to='${room}' id='i'>${invite}</message>`
    await hecate.receivesNothing()
  },
)

story('XEP-0045 §7.10, §7.12: a nickname is registered', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  const ns = 'jabber:iq:register'
  const submit = (nick: string) =>
    `<query xmlns='${ns}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field><field var='muc#register_roomnick'><value>${nick}</value></field></x></query>`
  const info = `<iq type='get' id='n' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/></iq>`

  await hag.send`<iq type='get' id='g' to='${room}'><query xmlns='${ns}'/></iq>`
  assert.match(text(hag.drain()[0]), /var="muc#register_roomnick".*<required/)
  await hag.send`${info}`
  hag.receives`<iq type='result' id='n' from='${room}' to='${hag.jid}'><query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/></iq>`
  await hag.send`<iq type='set' id='s' to='${room}'><query xmlns='${ns}'/></iq>`
  hag.receives`${refused(hag, room, 's', 'bad-request', 'modify')}`
  await hag.send`<iq type='set' id='s' to='${room}'>${submit('firstwitch')}</iq>`
  hag.receives`${refused(hag, room, 's', 'conflict', 'cancel')}`

  await hag.send`<iq type='set' id='s' to='${room}'>${submit('thirdwitch')}</iq>`
  crone.receives`${presence(room, 'thirdwitch', crone, user(`affiliation='member' role='participant' jid='${hag.jid}'`))}`
  assert.equal(hag.drain().at(-1)?.type, 'result')
  await hag.send`${info}`
  hag.receives`<iq type='result' id='n' from='${room}' to='${hag.jid}'><query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'><identity category='conference' type='text' name='thirdwitch'/></query></iq>`
  await hag.send`<iq type='get' id='g' to='${room}'><query xmlns='${ns}'/></iq>`
  hag.receives`<iq type='result' id='g' from='${room}' to='${hag.jid}'><query xmlns='${ns}'><registered/><username>thirdwitch</username></query></iq>`

  // §7.2.8: it is nobody else's, also while its holder is away.
  await hag.close()
  const hecate = await tale.online(broom)
  await join(hecate, room, 'thirdwitch')
  assert.match(text(hecate.drain()[0]), /type="error".*<conflict/)
})

story(
  'XEP-0045 §6.2, §6.3, XEP-0059: the host names the service, the service its rooms, in pages',
  async (tale) => {
    const room = newRoom()
    const hidden = newRoom()
    const [crone] = await gathered(
      tale,
      room,
      { firstwitch: cauldron },
      { 'muc#roomconfig_roomname': 'A Dark Cave' },
    )
    assert(crone)
    await join(crone, hidden, 'firstwitch')
    await configure(crone, hidden, { 'muc#roomconfig_publicroom': '0' })
    crone.drain()
    const items = 'http://jabber.org/protocol/disco#items'

    await crone.send`<iq type='get' id='h' to='montague.example'><query xmlns='${items}'/></iq>`
    assert.match(text(crone.drain()[0]), new RegExp(`jid="${service}"`))
    await crone.send`<iq type='get' id='i' to='${service}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    assert.match(text(crone.drain()[0]), /category="conference".*protocol\/muc"/)
    await crone.send`<iq type='get' id='r' to='${service}'><query xmlns='${items}'><set xmlns='http://jabber.org/protocol/rsm'><max>250</max></set></query></iq>`
    const answer = text(await crone.hears('r'))
    assert.match(answer, new RegExp(`jid="${room}" name="A Dark Cave"`))
    assert.doesNotMatch(answer, new RegExp(hidden))
    assert.match(answer, /<count>/)
  },
)

story('who gets the name of an account that is gone is not who that was', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  await change(crone, room, `<item affiliation='owner' jid='${hagBare}'/>`)
  await tale.command('user delete', { jid: hagBare })
  await tale.settle()
  crone.drain()

  await crone.send`<iq type='get' id='l' to='${room}'><query xmlns='${NS_ADMIN}'><item affiliation='owner'/></query></iq>`
  crone.receives`<iq type='result' id='l' from='${room}' to='${crone.jid}'><query xmlns='${NS_ADMIN}'><item affiliation='owner' jid='${crone.account}'/></query></iq>`
})

story('XEP-0045 §11.1: whose session is gone leaves; whose client grumbles stays', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  await hag.send`<message type='error' to='${room}/firstwitch'>${error('feature-not-implemented', 'cancel')}</message>`
  await crone.receivesNothing()
  await hag.send`<message type='error' to='${room}/firstwitch'>${error('recipient-unavailable', 'wait')}</message>`
  crone.receives`${presence(room, 'thirdwitch', crone, user(`affiliation='none' role='none' jid='${hag.jid}'`, codes(333)), gone)}`
})
