import assert from 'node:assert/strict'
import { type Client, type Story, story } from '@tactus/testkit'
import type { Stanza } from '@tactus/xml'
import {
  broom,
  cauldron,
  configure,
  crypt,
  gathered,
  join,
  newRoom,
  refused,
  text,
} from './muc/scene.ts'

const PUSH = 'urn:xmpp:push:0'
const MENTIONS = 'urn:xmpp:mmn:0'
const REFERENCE = 'urn:xmpp:reference:0'
const REGISTER = 'jabber:iq:register'
const lines = 'tactus#deliver_to_members'
const forwardMentions = 'muc#roomconfig_forwardmentions'
const persistent = { 'muc#roomconfig_persistentroom': '1' }
const hag = 'hag66@capulet.example'
const hecateBare = 'hecate@capulet.example'
const memoryOnly = 'notifications come some time after what they tell of'

/** Registers a nickname, and leaves the room. */
async function becomeMember(client: Client, room: string, nick: string): Promise<void> {
  const form = `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field><field var='muc#register_roomnick'><value>${nick}</value></field></x>`
  await client.send`<iq type='set' id='r' to='${room}'><query xmlns='${REGISTER}'>${form}</query></iq>`
  assert.equal((await client.hears('r')).attrs.type, 'result')
  await client.send`<presence type='unavailable' to='${room}/${nick}'/>`
  client.drain()
}

/** The crone's room; the hag is a member and not there, and so is her phone's push service. */
async function scene(
  tale: Story,
  room: string,
  fields: Readonly<Record<string, string>>,
): Promise<{ readonly crone: Client; readonly phone: Client; readonly service: Client }> {
  const service = await tale.online('app@montague.example/push')
  const [crone, phone] = await gathered(
    tale,
    room,
    { firstwitch: cauldron, thirdwitch: crypt },
    { ...persistent, ...fields },
  )
  assert(crone && phone)
  await becomeMember(phone, room, 'thirdwitch')
  await phone.send`<iq type='set' id='e'><enable xmlns='${PUSH}' jid='${service.jid}' node='n1'/></iq>`
  phone.drain()
  crone.drain()
  return { crone, phone, service }
}

const speak = async (client: Client, room: string, body: string, more = '') =>
  await client.send`<message type='groupchat' to='${room}' id='${body}'><body>${body}</body>${more}</message>`
const mention = (uri: string) =>
  `<reference xmlns='${REFERENCE}' type='mention' begin='0' end='3' uri='${uri}'/>`
const counts = (service: Client): readonly string[] =>
  service
    .drain()
    .map((stanza: Stanza) => /message-count.*?<value>(\d+)/.exec(text(stanza))?.[1] ?? '')

story(
  'XEP-0357 §7: a line in a room wakes the device of a member who is away, where the owners want it',
  { memoryOnly },
  async (tale) => {
    const room = newRoom()
    const { crone, phone, service } = await scene(tale, room, { [lines]: '1' })
    await phone.close()
    await speak(crone, room, 'one')
    assert.deepEqual(counts(service), ['1'])

    // What waits for her is in the room, and nothing in her mailbox.
    const back = await tale.connect(crypt)
    await back.send`<presence/>`
    assert.doesNotMatch(text(back.drain()), /one/)
  },
)

story(
  'a line in a room is for members who are away, not for those who are there, nor for clients',
  { memoryOnly },
  async (tale) => {
    const room = newRoom()
    const { crone, phone, service } = await scene(tale, room, { [lines]: '1' })
    const desk = await tale.online(`${hag}/desk`)
    phone.drain()
    // She is online and not in the room: her device is there, and her clients get nothing that they do not know.
    await speak(crone, room, 'one')
    await phone.receivesNothing()
    await desk.receivesNothing()
    assert.deepEqual(counts(service), [])
    // Another device of hers is in the room.
    await join(desk, room, 'thirdwitch')
    desk.drain()
    await phone.close()
    await speak(crone, room, 'two')
    assert.equal(desk.drain().filter(({ type }) => type === 'groupchat').length, 1)
    assert.deepEqual(counts(service), [])
    await desk.send`<presence type='unavailable' to='${room}/thirdwitch'/>`
    await speak(crone, room, 'three')
    assert.deepEqual(counts(service), ['1'])
  },
)

for (const [what, stanza] of [
  ['a chat state', "<composing xmlns='http://jabber.org/protocol/chatstates'/>"],
  ['what is not to be kept', "<body>x</body><no-store xmlns='urn:xmpp:hints'/>"],
  ['what takes back', "<body>x</body><retract xmlns='urn:xmpp:message-retract:1' id='i'/>"],
] as const)
  story(`XEP-0357 §7: ${what} in a room wakes nobody`, { memoryOnly }, async (tale) => {
    const room = newRoom()
    const { crone, phone, service } = await scene(tale, room, { [lines]: '1' })
    await phone.close()
    await crone.send`<message type='groupchat' to='${room}'>${stanza}</message>`
    await service.receivesNothing()
  })

story(
  'only members with a nickname of theirs are woken, and only where the owners want it',
  { memoryOnly },
  async (tale) => {
    const room = newRoom()
    const { crone, phone, service } = await scene(tale, room, {})
    await phone.close()
    await speak(crone, room, 'one')
    await service.receivesNothing()
    await configure(crone, room, { [lines]: '1' })
    await speak(crone, room, 'two')
    assert.deepEqual(counts(service), ['1'])
    await crone.send`<iq type='set' id='o' to='${room}'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='none' jid='${hag}'/></query></iq>`
    await speak(crone, room, 'three')
    await service.receivesNothing()
  },
)

story(
  '`members`: so many are woken by one line at most',
  { modules: { absentees: { members: 0 } } },
  async (tale) => {
    const room = newRoom()
    const { crone, phone, service } = await scene(tale, room, { [lines]: '1' })
    await phone.close()
    await speak(crone, room, 'one')
    await service.receivesNothing()
  },
)

story('a room that goes with its last occupant wakes no members', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  await configure(crone, room, { [lines]: '1' })
  assert.match(text(crone.drain()[0]), /not-acceptable/)
  await configure(crone, room, { [lines]: '1', ...persistent })
  assert.match(text(crone.drain().find(({ name }) => name === 'iq')), /type="result"/)
})

story(
  'XEP-0452 §3.2: a line is forwarded to a member who is mentioned and not there, and waits',
  async (tale) => {
    const room = newRoom()
    const { crone, phone } = await scene(tale, room, { [forwardMentions]: '1' })
    await crone.send`<iq type='get' id='d' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    assert.match(text(await crone.hears('d')), new RegExp(`var="${MENTIONS}"`))

    await speak(crone, room, 'hag, come', mention(`xmpp:${hag}`))
    const inner = `<message xmlns='jabber:client' type='groupchat' id='hag, come' to='${room}' from='${room}/firstwitch'><body>hag, come</body><reference xmlns='${REFERENCE}' type='mention' begin='0' end='3' uri='xmpp:${hag}'/><stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='{any}'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{any}'/></message>`
    phone.receives`<message from='${room}' to='${hag}' id='{any}'><mentions xmlns='${MENTIONS}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{any}'/>${inner}</forwarded></mentions><stanza-id xmlns='urn:xmpp:sid:0' by='${hag}' id='{any}'/></message>`

    await phone.close()
    await speak(crone, room, 'by name', mention(`xmpp:${room}/thirdwitch`))
    await speak(crone, room, 'not her', mention(`xmpp:${hecateBare}`))
    const back = await tale.connect(crypt)
    await back.send`<presence/>`
    const waited = back.drain().filter((stanza) => stanza.hasChild('mentions', MENTIONS))
    assert.equal(waited.length, 1)
    assert.match(text(waited[0]), /by name/)
  },
)

story('XEP-0452 §1, §2: who is there, who is no member, and what is no mention', async (tale) => {
  const room = newRoom()
  const { crone, phone } = await scene(tale, room, { [forwardMentions]: '1' })
  const hecate = await tale.online(broom)
  await speak(crone, room, 'no member', mention(`xmpp:${hecateBare}`))
  await hecate.receivesNothing()
  const link = `<reference xmlns='${REFERENCE}' type='data' uri='xmpp:${hag}'/>`
  await speak(crone, room, 'no mention', link)
  for (const uri of [`mailto:${hag}`, 'xmpp:a@b@c', 'xmpp:%E0%A4%A', 'xmpp:?join', ''])
    await speak(crone, room, 'no address', mention(uri))
  await phone.receivesNothing()
  await join(phone, room, 'thirdwitch')
  phone.drain()
  await speak(crone, room, 'there', mention(`xmpp:${hag}`))
  assert.deepEqual(
    phone.drain().map(({ type }) => type),
    ['groupchat'],
  )
  await configure(crone, room, { [forwardMentions]: '0' })
  await phone.send`<presence type='unavailable' to='${room}/thirdwitch'/>`
  phone.drain()
  await speak(crone, room, 'not forwarded', mention(`xmpp:${hag}`))
  await phone.receivesNothing()
  await hecate.send`<iq type='set' id='c' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`
  hecate.receives`${refused(hecate, room, 'c', 'forbidden', 'auth')}`
})

story(
  'XEP-0452, XEP-0357 §7: a mention wakes, once, and tells who it was',
  { modules: { push: { sender: true, body: true } } },
  async (tale) => {
    const room = newRoom()
    const { crone, phone, service } = await scene(tale, room, {
      [forwardMentions]: '1',
      [lines]: '1',
    })
    await phone.close()
    await speak(crone, room, 'hag, come', mention(`xmpp:${hag}`))
    const [told, ...others] = service.drain().map(text)
    assert(told && others.length === 0)
    assert.match(told, /message-count.*<value>1</)
    assert.match(told, new RegExp(`last-message-sender.*<value>${room}/firstwitch<`))
    assert.match(told, /last-message-body.*<value>hag, come</)
  },
)

story(
  'XEP-0452 §4: what another forwards in the name of a room wakes nobody',
  { memoryOnly },
  async (tale) => {
    const room = newRoom()
    const { phone, service } = await scene(tale, room, {})
    const hecate = await tale.online(broom)
    await phone.close()
    const forged = `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='groupchat' from='${room}/firstwitch'><body>x</body></message></forwarded>`
    await hecate.send`<message to='${hag}'><mentions xmlns='${MENTIONS}'>${forged}</mentions></message>`
    await hecate.send`<message to='${hag}'><absent xmlns='urn:tactus:room:absent'>${forged}</absent><no-store xmlns='urn:xmpp:hints'/></message>`
    await service.receivesNothing()
  },
)
