import assert from 'node:assert/strict'
import { type Client, type Story, story } from '@tactus/testkit'
import {
  broom,
  cauldron,
  change,
  configure,
  crypt,
  join,
  NS_OWNER,
  newRoom,
  service,
  text,
} from './muc/scene.ts'

const ns = 'urn:xmpp:rai:0'
const [hecate, hag] = ['hecate@capulet.example', 'hag66@capulet.example']
const persistent = { 'muc#roomconfig_persistentroom': '1' }
const gone = `<presence type='unavailable' to='${service}'/>`

/** Rooms in which something happened, by name: whoever is subscribed may have heard of others, too. */
const told = (client: Client, ...rooms: readonly string[]) =>
  client
    .drain()
    .flatMap((stanza) => Array.from(text(stanza).matchAll(/<activity>([^<]*)</g), ([, jid]) => jid))
    .filter((jid) => rooms.length === 0 || rooms.includes(jid ?? ''))
    .toSorted()

async function subscribe(tale: Story, client: Client): Promise<void> {
  await client.send`<presence to='${service}'><rai xmlns='${ns}'/></presence>`
  await tale.settle()
}
const say = (client: Client, room: string, inner = '<body>Double, double</body>') =>
  client.send`<message type='groupchat' to='${room}'>${inner}</message>`
const leave = (client: Client, room: string, nick: string) =>
  client.send`<presence type='unavailable' to='${room}/${nick}'/>`

/** The owner of all rooms here. */
const firstwitch = (tale: Story) => tale.online(cauldron)

/** A room with its owner in it, and of which some are members. */
async function cave(
  owner: Client,
  members: readonly string[],
  fields: Readonly<Record<string, string>> = {},
): Promise<string> {
  const room = newRoom()
  await join(owner, room, 'firstwitch')
  await configure(owner, room, { ...persistent, ...fields })
  const items = members.map((jid) => `<item jid='${jid}' affiliation='member'/>`)
  if (items.length > 0) await change(owner, room, ...items)
  owner.drain()
  return room
}

story(
  'XEP-0437 §3.1, §4: a member that is not there is told once that something was said',
  async (tale) => {
    const owner = await firstwitch(tale)
    const room = await cave(owner, [hecate])
    const witch = await tale.online(broom)
    await subscribe(tale, witch)
    witch.drain()

    await say(owner, room, "<active xmlns='http://jabber.org/protocol/chatstates'/>")
    await witch.receivesNothing()
    await say(owner, room)
    // However late the room heard of her.
    await witch.arrived(1)
    witch.receives`<message id='{any}' from='${service}' to='${witch.jid}'><rai xmlns='${ns}'><activity>${room}</activity></rai><no-store xmlns='urn:xmpp:hints'/><stanza-id xmlns='urn:xmpp:sid:0' by='${hecate}' id='{any}'/></message>`
    await say(owner, room)
    await witch.receivesNothing()

    // Who was there since is told again, and who is there hears for itself.
    await join(witch, room, 'secondwitch')
    await say(owner, room)
    assert.deepEqual(told(witch, room), [])
    await leave(witch, room, 'secondwitch')
    await say(owner, room)
    assert.deepEqual(told(witch, room), [room])
    await say(owner, room)
    await witch.receivesNothing()
  },
)

story('XEP-0437 §4: who subscribes hears what happened since it was there last', async (tale) => {
  const owner = await firstwitch(tale)
  const a = await cave(owner, [hecate])
  const b = await cave(owner, [hecate])
  const c = await cave(owner, [hecate])
  const witch = await tale.online(broom)
  await say(owner, a)
  await say(owner, b)
  for (const room of [b, c]) {
    await join(witch, room, 'secondwitch')
    await leave(witch, room, 'secondwitch')
  }
  // Nothing is told of the moment itself.
  await new Promise((resolve) => setTimeout(resolve, 5))
  await say(owner, c)
  witch.drain()

  await subscribe(tale, witch)

  await witch.arrived(2)
  assert.deepEqual(told(witch, a, b, c), [a, c].toSorted())
  await say(owner, a)
  await say(owner, b)
  await say(owner, c)
  await witch.arrived(1)
  assert.deepEqual(told(witch, a, b, c), [b])
})

story('XEP-0437 §3.2: who is gone, or says so, is told nothing more', async (tale) => {
  const owner = await firstwitch(tale)
  const room = await cave(owner, [hecate, hag])
  const [witch, third] = [await tale.online(broom), await tale.online(crypt)]
  await subscribe(tale, witch)
  await subscribe(tale, third)
  await witch.send`${gone}`
  await third.close()
  const back = await tale.online(crypt)
  await tale.settle()
  for (const client of [witch, back]) client.drain()

  await say(owner, room)

  assert.deepEqual([told(witch, room), told(back, room)], [[], []])
  // A new subscription begins anew.
  await subscribe(tale, witch)
  await witch.arrived(1)
  assert.deepEqual(told(witch, room), [room])
})

story('XEP-0437 §4: nobody is told of a room that it may not come into', async (tale) => {
  const secret = {
    'muc#roomconfig_passwordprotectedroom': '1',
    'muc#roomconfig_roomsecret': 'cauldronburn',
  }
  const owner = await firstwitch(tale)
  const locked = await cave(owner, [hecate], secret)
  const open = await cave(owner, [])
  const left = await cave(owner, [hecate])
  const witch = await tale.online(broom)
  await say(owner, locked)
  await subscribe(tale, witch)
  await change(owner, left, `<item jid='${hecate}' affiliation='none'/>`)
  const rooms = [locked, open, left]
  for (const room of rooms) await say(owner, room)
  assert.deepEqual(told(witch, ...rooms), [])

  await configure(owner, locked, { 'muc#roomconfig_passwordprotectedroom': '0' })
  await say(owner, locked)
  await witch.arrived(1)
  assert.deepEqual(told(witch, ...rooms), [locked])
})

story('nobody but the service has somebody watched', async (tale) => {
  const owner = await firstwitch(tale)
  const room = await cave(owner, [hecate, hag])
  const [witch, third] = [await tale.online(broom), await tale.online(crypt)]
  await third.send`<message type='headline' id='w' to='${room}'><watch xmlns='urn:tactus:muc:watch' jid='${witch.jid}'/></message>`
  assert.match(text(third.drain()[0]), /type="error"/)
  await say(owner, room)
  await witch.receivesNothing()
})

story(
  'subscriptions are bounded, and so are the rooms of one',
  { modules: { muc: { activitySubscribers: 1, activityRooms: 2 } } },
  async (tale) => {
    const owner = await firstwitch(tale)
    const rooms: string[] = []
    for (let count = 0; count < 3; count += 1) rooms.push(await cave(owner, [hecate]))
    const witch = await tale.online(broom)
    await subscribe(tale, witch)
    // Presence that is not the first changes nothing.
    await subscribe(tale, witch)
    for (const room of rooms) await say(owner, room)
    assert.equal(told(witch).length, 2)
    const third = await tale.online(crypt)
    await subscribe(tale, third)
    assert.match(text(third.drain()[0]), /type="error".*<resource-constraint/)
  },
)

story(
  'a room that is gone knows nothing of who was told, or was there',
  { modules: { muc: { activityRooms: 2 } } },
  async (tale) => {
    const owner = await firstwitch(tale)
    const room = await cave(owner, [hecate])
    const witch = await tale.online(broom)
    await subscribe(tale, witch)
    await say(owner, room)
    await join(witch, room, 'secondwitch')
    await leave(witch, room, 'secondwitch')
    await owner.send`<iq type='set' id='e' to='${room}'><query xmlns='${NS_OWNER}'><destroy/></query></iq>`
    witch.drain()
    await join(owner, room, 'firstwitch')
    await configure(owner, room, persistent)
    await change(owner, room, `<item jid='${hecate}' affiliation='member'/>`)
    await say(owner, room)
    assert.deepEqual(told(witch), [])
    await witch.send`${gone}`
    await subscribe(tale, witch)
    assert.deepEqual(told(witch), [room])
  },
)
