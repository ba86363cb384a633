import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import {
  broom,
  cauldron,
  codes,
  configure,
  gathered,
  join,
  NS_USER,
  newRoom,
  presence,
  text,
} from './muc/scene.ts'

interface Shown {
  readonly options: Readonly<Record<string, readonly string[]>>
  readonly affiliations: readonly unknown[]
  readonly occupants: readonly unknown[]
}
const gone = "type='unavailable'"
const account = 'crone1@montague.example'

story('an operator makes a room, changes it, and ends it', async (tale) => {
  const room = newRoom()
  const show = async () => (await tale.command('room show', { jid: room })) as Shown
  await tale.command('room create', { jid: room, owner: account })
  await assert.rejects(tale.command('room create', { jid: room, owner: account }), /already/)
  const crone = await tale.online(cauldron)
  const hecate = await tale.online(broom)
  await join(hecate, room, 'secondwitch')
  // Nobody waits for its owner to configure it.
  assert.match(text(hecate.drain()[0]), /affiliation="none" role="participant"/)

  const option = 'muc#roomconfig_roomname'
  await tale.command('room set', { jid: room, option, value: 'A, Dark Cave' })
  hecate.receives`<message type='groupchat' id='{any}' from='${room}' to='${hecate.jid}'><x xmlns='${NS_USER}'>${codes(104)}</x></message>`
  await tale.command('room set', {
    jid: room,
    option: 'muc#roomconfig_getmemberlist',
    value: 'moderator,visitor',
  })
  const refusals = { [option]: 'x'.repeat(300), 'muc#roomconfig_whois': 'nobody', nonsense: '1' }
  for (const [name, value] of Object.entries(refusals))
    await assert.rejects(
      tale.command('room set', { jid: room, option: name, value }),
      /invalid|option/,
    )
  await tale.command('room affiliation', {
    jid: room,
    account: hecate.account,
    affiliation: 'member',
  })
  const { options, affiliations, occupants } = await show()
  assert.deepEqual(options[option], ['A, Dark Cave'])
  assert.deepEqual(options['muc#roomconfig_getmemberlist'], ['moderator', 'visitor'])
  assert.deepEqual(affiliations, [
    { jid: account, affiliation: 'owner' },
    { jid: hecate.account, affiliation: 'member' },
  ])
  assert.deepEqual(occupants, [
    { nick: 'secondwitch', jid: hecate.account, role: 'participant', resources: 1 },
  ])
  // XEP-0045 §10.5 holds for operators, too.
  await assert.rejects(
    tale.command('room affiliation', { jid: room, account, affiliation: 'none' }),
    /needs an owner/,
  )

  hecate.drain()
  await tale.command('room kick', { jid: room, nick: 'secondwitch', reason: 'Bats' })
  hecate.receives`${presence(room, 'secondwitch', hecate, `<x xmlns='${NS_USER}'><item affiliation='member' role='none' jid='${hecate.jid}'><reason>Bats</reason></item>${codes(110, 307)}</x>`, gone)}`
  await assert.rejects(tale.command('room kick', { jid: room, nick: 'secondwitch' }), /nobody/)

  await join(crone, room, 'firstwitch')
  crone.drain()
  await tale.command('room destroy', { jid: room, reason: 'Macbeth doth come.' })
  crone.receives`<presence type='unavailable' from='${room}/firstwitch' to='${crone.jid}'><x xmlns='${NS_USER}'><item affiliation='none' role='none'/><destroy><reason>Macbeth doth come.</reason></destroy></x></presence>`
  await assert.rejects(show(), /no room/)
})

story('an operator’s list has hidden rooms, too, in pages', async (tale) => {
  const [room, hidden] = [newRoom(), newRoom()].toSorted()
  assert(room !== undefined && hidden !== undefined)
  const [crone] = await gathered(tale, room, { firstwitch: cauldron })
  assert(crone)
  await join(crone, hidden, 'firstwitch')
  await configure(crone, hidden, { 'muc#roomconfig_publicroom': '0' })
  const service = 'conference.montague.example'
  const page = async (more: object) =>
    (await tale.command('room list', { service, ...more })) as {
      readonly rooms: readonly { readonly jid: string; readonly listed: boolean }[]
      readonly next?: string
    }
  const { rooms } = await page({ limit: 1000 })
  assert.deepEqual(
    rooms.filter(({ jid }) => jid === room || jid === hidden).map(({ listed }) => listed),
    [true, false],
  )
  const next = await page({ after: room, limit: 1 })
  assert.equal(next.rooms.length, 1)
  assert.deepEqual((await page({ service: 'conference.capulet.example' })).rooms, [])
})

story(
  'the administrator of a host runs them about rooms of the host, and of no other',
  async (tale) => {
    const room = newRoom()
    await gathered(tale, room, { firstwitch: cauldron })
    const nurse = await tale.online('nurse@montague.example/keys')
    await tale.command('user role', { jid: nurse.account, role: 'admin' })
    const run = async (id: string, host: string, jid: string) => {
      await nurse.send`<iq type='set' id='${id}' to='${host}'><command xmlns='http://jabber.org/protocol/commands' node='tactus#room-kick' action='execute'/></iq>`
      const begun = await nurse.hears(id)
      const session = begun.getChild('command')?.attrs.sessionid
      const submit = `<x xmlns='jabber:x:data' type='submit'><field var='jid'><value>${jid}</value></field><field var='nick'><value>nobody</value></field></x>`
      await nurse.send`<iq type='set' id='${id}s' to='${host}'><command xmlns='http://jabber.org/protocol/commands' node='tactus#room-kick' sessionid='${session}' action='complete'>${submit}</command></iq>`
      return text(await nurse.hears(`${id}s`))
    }
    assert.match(await run('1', 'montague.example', room), /nobody is called nobody/)
    assert.match(await run('2', 'montague.example', 'x@conference.capulet.example'), /<forbidden/)
  },
)
