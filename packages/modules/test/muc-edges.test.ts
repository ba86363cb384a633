import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
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
  presence,
  refused,
  result,
  text,
  user,
} from './muc/scene.ts'

const [hecateBare, hagBare] = ['hecate@capulet.example', 'hag66@capulet.example']

story('XEP-0045 §9.1: the last one in a temporary room is banned from outside', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
  assert(crone && hecate)
  await crone.send`<presence to='${room}/firstwitch' type='unavailable'/>`
  for (const client of [crone, hecate]) client.drain()

  await change(crone, room, `<item jid='${hecateBare}' affiliation='outcast'/>`)

  crone.receives`${result(crone, room, 'change')}`
  assert.match(text(hecate.drain()[0]), /code="301"/)
})

story('XEP-0045 §10.2: a form empties a temporary room for members', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(
    tale,
    room,
    { firstwitch: cauldron, secondwitch: broom },
    { 'muc#roomconfig_roomadmins': hecateBare },
  )
  assert(crone && hecate)
  await configure(crone, room, { 'muc#roomconfig_membersonly': '1' })
  await crone.send`<presence to='${room}/firstwitch' type='unavailable'/>`
  for (const client of [crone, hecate]) client.drain()

  await configure(crone, room, { 'muc#roomconfig_roomadmins': [] })

  crone.receives`${result(crone, room, 'configure')}`
  assert.match(text(hecate.drain()[0]), /code="321"/)
})

story(
  'XEP-0045 §7.10, RFC 7622 §3.4: a reserved nickname is prepared as one that comes in',
  async (tale) => {
    const room = newRoom()
    const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
    assert(crone && hecate)
    const hag = await tale.online(crypt)

    await change(
      crone,
      room,
      `<item jid='${hecateBare}' affiliation='member' nick='${'e\u0301toile'}'/>`,
    )
    await join(hag, room, '\u00e9toile')
    assert.match(text(hag.drain()[0]), /<conflict /)

    // Not longer than one that may come in.
    crone.drain()
    await change(
      crone,
      room,
      `<item jid='${hagBare}' affiliation='member' nick='${'x'.repeat(300)}'/>`,
    )
    assert.match(text(crone.drain()[0]), /<not-acceptable /)
  },
)

story('XEP-0045 §7.14: what somebody says in leaving is as short as any presence', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
  assert(crone && hecate)

  await hecate.send`<presence to='${room}/secondwitch' type='unavailable'><status>${'x'.repeat(10_000)}</status></presence>`

  const told = text(crone.drain()[0])
  assert.match(told, /type="unavailable"/)
  assert.doesNotMatch(told, /xxx/)
})

story('XEP-0045 §7.2.5, §7.10: nobody registers past the password', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(
    tale,
    room,
    { firstwitch: cauldron },
    { 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'cauldronburn' },
  )
  assert(crone)
  const hag = await tale.online(crypt)
  const register = `<iq type='set' id='r' to='${room}'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field><field var='muc#register_roomnick'><value>thirdwitch</value></field></x></query></iq>`

  await hag.send`${register}`
  hag.receives`${refused(hag, room, 'r', 'not-allowed', 'cancel')}`
  // Who was let in may.
  await join(hag, room, 'thirdwitch', '<password>cauldronburn</password>')
  hag.drain()
  await hag.send`${register}`
  assert.equal((await hag.hears('r')).attrs.type, 'result')
})

story(
  'V49: requests for voice and invitations are as slow as lines',
  { modules: { muc: { linesPerSecond: 1, linesAtOnce: 2 } }, memoryOnly: 'it lets time pass' },
  async (tale) => {
    const room = newRoom()
    const [crone, hecate] = await gathered(
      tale,
      room,
      { firstwitch: cauldron, secondwitch: broom },
      { 'muc#roomconfig_moderatedroom': '1' },
    )
    assert(crone && hecate)
    await change(crone, room, "<item nick='secondwitch' role='visitor'/>")
    for (const client of [crone, hecate]) client.drain()
    const ask = `<message to='${room}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field><field var='muc#role'><value>participant</value></field></x></message>`

    for (let times = 0; times < 3; times += 1) await hecate.send`${ask}`

    assert.equal(crone.drain().length, 2)
    assert.match(text(hecate.drain()[0]), /<policy-violation /)
    await hecate.send`<message to='${room}'><x xmlns='${NS_USER}'><invite to='${hagBare}'/></x></message>`
    assert.match(text(hecate.drain()[0]), /<policy-violation /)
  },
)

story('XEP-0045 §7.2.8, §7.14: the presence that all see goes with its resource', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  const laptop = await tale.online('hag66@capulet.example/laptop')
  await join(laptop, room, 'thirdwitch')
  await laptop.send`<presence to='${room}/thirdwitch'><show>away</show></presence>`
  assert.match(text(crone.drain()[0]), /away/)

  await laptop.send`<presence to='${room}/thirdwitch' type='unavailable'/>`

  crone.receives`${presence(room, 'thirdwitch', crone, user(`affiliation='none' role='participant' jid='${hag.jid}'`))}`
})

story(
  'XEP-0317 §3.5: who gets the name of an account that is gone wears none of its hats',
  async (tale) => {
    const room = newRoom()
    const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
    assert(crone && hag)
    const run = async (name: string, fields: Readonly<Record<string, string>>) => {
      const values = Object.entries({ FORM_TYPE: 'urn:xmpp:hats:commands', ...fields }).map(
        ([field, value]) => `<field var='${field}'><value>${value}</value></field>`,
      )
      const form = `<x xmlns='jabber:x:data' type='submit'>${values.join('')}</x>`
      await crone.send`<iq type='set' id='h' to='${room}'><command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:hats:commands:${name}'>${name === 'list-assigned' ? '' : form}</command></iq>`
      return text(await crone.hears('h'))
    }
    await change(crone, room, `<item jid='${hagBare}' affiliation='member'/>`)
    await run('create', { 'hats#title': 'Host', 'hats#uri': 'urn:host' })
    await run('assign', { 'hats#jid': hagBare, 'hats#uri': 'urn:host' })
    assert.match(await run('list-assigned', {}), /hag66/)

    await tale.command('user delete', { jid: hagBare })
    await tale.settle()

    assert.doesNotMatch(await run('list-assigned', {}), /hag66/)
  },
)

story('XEP-0045 §4.2, §7.10: nobody gets voice by registering', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(
    tale,
    room,
    { firstwitch: cauldron, secondwitch: broom },
    { 'muc#roomconfig_moderatedroom': '1' },
  )
  assert(crone && hecate)

  await hecate.send`<iq type='set' id='r' to='${room}'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field><field var='muc#register_roomnick'><value>secondwitch</value></field></x></query></iq>`
  hecate.receives`${refused(hecate, room, 'r', 'not-allowed', 'cancel')}`
  await hecate.send`<message to='${room}' type='groupchat'><body>x</body></message>`
  assert.match(text(hecate.drain()[0]), /<forbidden /)
})

for (const [what, fields] of [
  ['for members', { 'muc#roomconfig_membersonly': '1' }],
  [
    'with a password',
    { 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'cauldronburn' },
  ],
] as const)
  story(`XEP-0045 §6.4: disco does not say what a room ${what} talks about`, async (tale) => {
    const room = newRoom()
    const [crone] = await gathered(tale, room, { firstwitch: cauldron })
    assert(crone)
    const hag = await tale.online(crypt)
    const subject = async () => {
      await hag.send`<iq type='get' id='i' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
      return text(await hag.hears('i')).includes('Fire Burn')
    }
    await crone.send`<message to='${room}' type='groupchat'><subject>Fire Burn</subject></message>`
    assert.equal(await subject(), true)
    await configure(crone, room, fields)
    assert.equal(await subject(), false)
  })

story('XEP-0045 §9.1: a reason is kept with the list, and short', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  const ban = (length: number) =>
    change(
      crone,
      room,
      `<item jid='${hagBare}' affiliation='outcast'><reason>${'x'.repeat(length)}</reason></item>`,
    )
  await ban(5_000)
  assert.match(text(await crone.hears('change')), /<policy-violation /)
  await ban(1_000)
  assert.equal((await crone.hears('change')).attrs.type, 'result')
})

story(
  'XEP-0045 §7.2.8, §7.6: a change of nickname brings together no more resources than come in',
  { modules: { muc: { resources: 1 } }, memoryOnly: 'it has a limit of its own' },
  async (tale) => {
    const room = newRoom()
    const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
    assert(crone && hag)
    const laptop = await tale.online('hag66@capulet.example/laptop')
    await join(laptop, room, 'fourthwitch')
    laptop.drain()

    await laptop.send`<presence to='${room}/thirdwitch'/>`
    assert.match(text(laptop.drain()[0]), /<resource-constraint /)
  },
)

story('XEP-0045 §10.1.1: a room that is not configured yet is none to others', async (tale) => {
  const room = newRoom()
  const crone = await tale.online(cauldron)
  const hag = await tale.online(crypt)
  await join(crone, room, 'firstwitch')
  crone.drain()

  await hag.send`<iq type='get' id='i' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  assert.match(text(await hag.hears('i')), /<item-not-found /)
  await hag.send`<iq type='get' id='r' to='${room}'><query xmlns='jabber:iq:register'/></iq>`
  assert.match(text(await hag.hears('r')), /<item-not-found /)
  await crone.send`<iq type='get' id='i' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  assert.equal((await crone.hears('i')).attrs.type, 'result')
})

story('XEP-0045 §7.2.5: who is in and joins again needs no new password', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  await configure(crone, room, {
    'muc#roomconfig_passwordprotectedroom': '1',
    'muc#roomconfig_roomsecret': 'cauldronburn',
  })
  hag.drain()

  await join(hag, room, 'thirdwitch')

  // It would take itself for gone, and still be there for all others.
  const told = hag.drain().map(text)
  assert.match(told[1] ?? '', /<status code="110"/)
})
