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
  newRoom,
  result,
  text,
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
