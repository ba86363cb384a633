import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  absent,
  broom,
  cauldron,
  change,
  codes,
  configure,
  crypt,
  gathered,
  NS_ADMIN,
  NS_USER,
  newRoom,
  presence,
  refused,
  result,
  text,
} from './scene.ts'

const trio = { firstwitch: cauldron, secondwitch: broom, thirdwitch: crypt }
const pair = { firstwitch: cauldron, secondwitch: broom }
const [croneBare, hecateBare, hagBare] = [
  'crone1@montague.example',
  'hecate@capulet.example',
  'hag66@capulet.example',
]
const wicca = 'wiccarocks@montague.example'
const reason = '<reason>A worthy witch indeed!</reason>'

/** The `<item/>` of a presence or message, and the codes with it. */
const told = (item: string, more = '', ...numbers: readonly number[]) =>
  `<x xmlns='${NS_USER}'><item ${item}>${more}</item>${codes(...numbers)}</x>`
const actor = (account?: string) =>
  `<actor nick='firstwitch'${account === undefined ? '' : ` jid='${account}'`}/>`

/** Asks for a list; the items as they stand. */
async function listOf(client: Client, room: string, item: string): Promise<readonly string[]> {
  await client.send`<iq type='get' id='list' to='${room}'><query xmlns='${NS_ADMIN}'><item ${item}/></query></iq>`
  const answer = await client.hears('list')
  const items = answer.getChild('query', NS_ADMIN)?.getChildren('item') ?? []
  assert.equal(answer.attrs.type, 'result', text(answer))
  return items.map(({ attrs: { affiliation, role, nick, jid } }) =>
    [affiliation, role, nick, jid].filter((each) => each !== undefined).join(' '),
  )
}

story('XEP-0045 §8.4: voice is taken, with a reason', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair)
  assert(crone && hecate)
  const why = '<reason>Not so worthy after all!</reason>'
  await change(crone, room, `<item nick='secondwitch' role='visitor'>${why}</item>`)
  const item = `affiliation='none' role='visitor' jid='${hecate.jid}'`
  crone.receives`${presence(room, 'secondwitch', crone, told(item, why))}`
  crone.receives`${result(crone, room, 'change')}`
  hecate.receives`${presence(room, 'secondwitch', hecate, told(item, why, 110))}`
})

story('XEP-0045 §8.5: several roles are changed at once, or none', async (tale) => {
  const room = newRoom()
  const [crone, hecate, hag] = await gathered(tale, room, trio)
  assert(crone && hecate && hag)
  await change(
    crone,
    room,
    "<item nick='secondwitch' role='visitor'/>",
    `<item nick='thirdwitch' role='moderator'>${reason}</item>`,
  )
  hag.receives`${presence(room, 'secondwitch', hag, told("affiliation='none' role='visitor'"))}`
  hag.receives`${presence(room, 'thirdwitch', hag, told(`affiliation='none' role='moderator' jid='${hag.jid}'`, reason, 110))}`
  for (const client of [crone, hecate, hag]) client.drain()

  // Example 107: who is above is not silenced, and nothing of the rest is done.
  await change(
    hag,
    room,
    "<item nick='secondwitch' role='participant'/>",
    "<item nick='firstwitch' role='visitor'/>",
  )
  hag.receives`${refused(hag, room, 'change', 'not-allowed', 'cancel')}`
  for (const client of [crone, hecate, hag]) await client.receivesNothing()
  assert.deepEqual(await listOf(crone, room, "role='visitor'"), [
    `none visitor secondwitch ${hecate.jid}`,
  ])
})

story('XEP-0045 §9.1: an admin bans no owner, and no other admin', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair)
  assert(crone && hecate)
  await change(
    crone,
    room,
    `<item affiliation='admin' jid='${hecateBare}'/>`,
    `<item affiliation='admin' jid='${wicca}'/>`,
  )
  hecate.drain()
  for (const account of [croneBare, wicca]) {
    await change(hecate, room, `<item affiliation='outcast' jid='${account}'/>`)
    hecate.receives`${refused(hecate, room, 'change', 'not-allowed', 'cancel')}`
  }
})

story('XEP-0045 §9.2: the ban list is changed', async (tale) => {
  const room = newRoom()
  const [crone, , hag] = await gathered(tale, room, trio)
  assert(crone && hag)
  await change(crone, room, `<item affiliation='outcast' jid='${wicca}'/>`)
  crone.receives`${absent(crone, room, `affiliation='outcast' jid='${wicca}'`)}`
  crone.drain()
  await change(
    crone,
    room,
    `<item affiliation='none' jid='${wicca}'/>`,
    `<item affiliation='outcast' jid='${hagBare}'><reason>Treason</reason></item>`,
  )
  const out = `affiliation='outcast' role='none' jid='${hag.jid}'`
  hag.receives`${presence(room, 'thirdwitch', hag, told(out, `${actor()}<reason>Treason</reason>`, 110, 301), "type='unavailable'")}`
  assert.deepEqual(await listOf(crone, room, "affiliation='outcast'"), [`outcast ${hagBare}`])
})

story('XEP-0045 §9.3, §9.4: membership is given and taken in an open room', async (tale) => {
  const room = newRoom()
  const [crone, hecate, hag] = await gathered(tale, room, trio)
  assert(crone && hecate && hag)
  for (const affiliation of ['member', 'none']) {
    await change(
      crone,
      room,
      `<item affiliation='${affiliation}' jid='${hagBare}'>${reason}</item>`,
    )
    const item = `affiliation='${affiliation}' role='participant'`
    const seen = `${item} jid='${hag.jid}'`
    crone.receives`${presence(room, 'thirdwitch', crone, told(seen, actor(croneBare) + reason))}`
    crone.receives`${result(crone, room, 'change')}`
    hecate.receives`${presence(room, 'thirdwitch', hecate, told(item, actor() + reason))}`
    hag.receives`${presence(room, 'thirdwitch', hag, told(seen, actor() + reason, 110))}`
  }
})

story('XEP-0045 §9.5: the member list is read and changed', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair)
  assert(crone && hecate)
  await change(crone, room, `<item affiliation='member' jid='${hagBare}' nick='thirdwitch'/>`)
  crone.drain()
  assert.deepEqual(await listOf(crone, room, "affiliation='member'"), [
    `member thirdwitch ${hagBare}`,
  ])
  await change(
    crone,
    room,
    `<item affiliation='none' jid='${hagBare}'/>`,
    `<item affiliation='member' jid='${hecateBare}'/>`,
  )
  crone.receives`${absent(crone, room, `affiliation='none' jid='${hagBare}'`)}`
  crone.receives`${presence(room, 'secondwitch', crone, told(`affiliation='member' role='participant' jid='${hecate.jid}'`, actor(croneBare)))}`
  crone.receives`${result(crone, room, 'change')}`
  assert.deepEqual(await listOf(crone, room, "affiliation='member'"), [`member ${hecateBare}`])
  // V44: addresses of members are not for everybody in a semi-anonymous room.
  hecate.drain()
  await hecate.send`<iq type='get' id='l' to='${room}'><query xmlns='${NS_ADMIN}'><item affiliation='member'/></query></iq>`
  hecate.receives`${refused(hecate, room, 'l', 'forbidden', 'auth')}`
  await change(hecate, room, `<item affiliation='none' jid='${hagBare}'/>`)
  hecate.receives`${refused(hecate, room, 'change', 'forbidden', 'auth')}`
})

story('XEP-0045 §9.6, §9.7: moderation is given and taken, with a reason', async (tale) => {
  const room = newRoom()
  const [crone, hecate, hag] = await gathered(tale, room, trio)
  assert(crone && hecate && hag)
  for (const role of ['moderator', 'participant']) {
    await change(crone, room, `<item nick='thirdwitch' role='${role}'>${reason}</item>`)
    const item = `affiliation='none' role='${role}'`
    crone.receives`${presence(room, 'thirdwitch', crone, told(`${item} jid='${hag.jid}'`, reason))}`
    crone.receives`${result(crone, room, 'change')}`
    hecate.receives`${presence(room, 'thirdwitch', hecate, told(item, reason))}`
    hag.receives`${presence(room, 'thirdwitch', hag, told(`${item} jid='${hag.jid}'`, reason, 110))}`
  }
})

story('XEP-0045 §9.8: the moderator list is read and changed', async (tale) => {
  const room = newRoom()
  const [crone, hecate, hag] = await gathered(tale, room, trio)
  assert(crone && hecate && hag)
  await change(crone, room, `<item affiliation='admin' jid='${hecateBare}'/>`)
  await change(hecate, room, "<item nick='thirdwitch' role='moderator'/>")
  for (const client of [crone, hecate, hag]) client.drain()
  assert.deepEqual((await listOf(hecate, room, "role='moderator'")).toSorted(), [
    `admin moderator secondwitch ${hecate.jid}`,
    `none moderator thirdwitch ${hag.jid}`,
    `owner moderator firstwitch ${crone.jid}`,
  ])
  // Example 150: nobody takes it from an owner or an admin.
  for (const nick of ['firstwitch', 'secondwitch']) {
    await change(hecate, room, `<item nick='${nick}' role='participant'/>`)
    hecate.receives`${refused(hecate, room, 'change', 'not-allowed', 'cancel')}`
  }
  await change(hecate, room, "<item nick='thirdwitch' role='participant'/>")
  assert.deepEqual(
    (await listOf(crone, room, "role='participant'")).map((item) => item.split(' ')[2]),
    ['thirdwitch'],
  )
})

story('XEP-0045 §10.2: the form makes admins and owners, and takes it from them', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, pair)
  assert(crone && hecate)
  const seen = (affiliation: string, role: string) =>
    presence(
      room,
      'secondwitch',
      crone,
      told(`affiliation='${affiliation}' role='${role}' jid='${hecate.jid}'`, actor(croneBare)),
    )
  await configure(crone, room, { 'muc#roomconfig_roomadmins': [hecateBare, wicca] })
  crone.receivesInAnyOrder`${seen('admin', 'moderator')}${absent(crone, room, `affiliation='admin' jid='${wicca}'`)}${result(crone, room, 'configure')}`
  await configure(crone, room, {
    'muc#roomconfig_roomadmins': [],
    'muc#roomconfig_roomowners': [croneBare, hecateBare],
  })
  crone.receivesInAnyOrder`${seen('owner', 'moderator')}${absent(crone, room, `affiliation='none' jid='${wicca}'`)}${result(crone, room, 'configure')}`
  await configure(crone, room, { 'muc#roomconfig_roomowners': [croneBare] })
  crone.receivesInAnyOrder`${seen('none', 'participant')}${result(crone, room, 'configure')}`
})

for (const [what, affiliation] of [
  ['§10.3 to §10.5: owners', 'owner'],
  ['§10.6 to §10.8: admins', 'admin'],
] as const)
  story(`XEP-0045 ${what} are made, listed and unmade by owners only`, async (tale) => {
    const room = newRoom()
    const [crone, hecate, hag] = await gathered(tale, room, trio)
    assert(crone && hecate && hag)
    const give = (jid: string, given: string) =>
      `<item affiliation='${given}' jid='${jid}'>${reason}</item>`

    await change(crone, room, give(hecateBare, affiliation))
    const now = (role: string, given = affiliation as string) =>
      `affiliation='${given}' role='${role}'`
    crone.receives`${presence(room, 'secondwitch', crone, told(`${now('moderator')} jid='${hecate.jid}'`, actor(croneBare) + reason))}`
    crone.receives`${result(crone, room, 'change')}`
    hag.receives`${presence(room, 'secondwitch', hag, told(now('moderator'), actor() + reason))}`
    hecate.drain()

    // Examples 176 and 190: of somebody who is not in, a message tells those who may know.
    await change(crone, room, give(wicca, affiliation))
    const news = `<message id='{any}' from='${room}' to='${hecate.jid}'>${told(`affiliation='${affiliation}' jid='${wicca}' role='none'`, reason)}<no-store xmlns='urn:xmpp:hints'/><stanza-id xmlns='urn:xmpp:sid:0' by='${hecateBare}' id='{any}'/></message>`
    hecate.receives`${news}`
    await hag.receivesNothing()
    const owners = affiliation === 'owner' ? [`owner ${croneBare}`] : []
    assert.deepEqual(
      (await listOf(crone, room, `affiliation='${affiliation}'`)).toSorted(),
      [...owners, `${affiliation} ${hecateBare}`, `${affiliation} ${wicca}`].toSorted(),
    )

    // Examples 184 and 199: nobody else reads or changes it; an admin changes neither list.
    hag.drain()
    await hag.send`<iq type='get' id='l' to='${room}'><query xmlns='${NS_ADMIN}'><item affiliation='${affiliation}'/></query></iq>`
    hag.receives`${refused(hag, room, 'l', 'forbidden', 'auth')}`
    await change(crone, room, give(hecateBare, 'admin'))
    hecate.drain()
    for (const item of [give(wicca, 'none'), give(hagBare, affiliation)]) {
      await change(hecate, room, item)
      hecate.receives`${refused(hecate, room, 'change', 'forbidden', 'auth')}`
    }

    await change(crone, room, give(hecateBare, 'none'), give(wicca, 'none'))
    hag.drain()
    assert.deepEqual(await listOf(crone, room, `affiliation='${affiliation}'`), owners)
  })
