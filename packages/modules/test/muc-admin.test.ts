import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import type { Stanza } from '@tactus/xml'
import {
  absent,
  broom,
  cauldron,
  change,
  codes,
  crypt,
  error,
  gathered,
  join,
  joinEcho,
  NS_ADMIN,
  NS_USER,
  newRoom,
  presence,
  refused,
  result,
  text,
  user,
} from './muc/scene.ts'

const trio = { firstwitch: cauldron, secondwitch: broom, thirdwitch: crypt }
const [hecateBare, hagBare] = ['hecate@capulet.example', 'hag66@capulet.example']
const gone = "type='unavailable'"

story('XEP-0045 §8.2: a moderator kicks an occupant', async (tale) => {
  const room = newRoom()
  const [crone, hecate, hag] = await gathered(tale, room, trio)
  assert(crone && hecate && hag)

  await change(crone, room, "<item nick='thirdwitch' role='none'><reason>Avaunt!</reason></item>")

  const x = (real: string, own = '', actor = '') =>
    `<x xmlns='${NS_USER}'><item affiliation='none' role='none'${real}><actor nick='firstwitch'${actor}/><reason>Avaunt!</reason></item>${codes(307)}${own}</x>`
  const [real, by] = [` jid='${hag.jid}'`, ` jid='${crone.jid}'`]
  crone.receives`${presence(room, 'thirdwitch', crone, x(real, '', by), gone)}`
  hecate.receives`${presence(room, 'thirdwitch', hecate, x(''), gone)}`
  crone.receives`${result(crone, room, 'change')}`
  assert.match(text(hag.drain()[0]), /code="307"/)
  await hag.send`<message to='${room}' type='groupchat' id='m'><body>x</body></message>`
  hag.receives`<message type='error' id='m' from='${room}' to='${hag.jid}'>${error('not-acceptable', 'modify')}</message>`
})

for (const [what, who, item, condition, type] of [
  [
    '§8.2: nobody kicks the owner',
    'hecate',
    "nick='firstwitch' role='none'",
    'not-allowed',
    'cancel',
  ],
  [
    '§8.4: nobody silences the owner',
    'hecate',
    "nick='firstwitch' role='visitor'",
    'not-allowed',
    'cancel',
  ],
  [
    '§9.7: the owner stays a moderator',
    'crone',
    "nick='firstwitch' role='participant'",
    'not-allowed',
    'cancel',
  ],
  [
    '§8.2: a participant kicks nobody',
    'hag',
    "nick='secondwitch' role='none'",
    'forbidden',
    'auth',
  ],
  [
    '§9.6: a moderator makes no other',
    'hecate',
    "nick='thirdwitch' role='moderator'",
    'not-allowed',
    'cancel',
  ],
  [
    '§9.1: a moderator bans nobody',
    'hecate',
    `jid='${hagBare}' affiliation='outcast'`,
    'forbidden',
    'auth',
  ],
  [
    '§9.1: nobody bans itself',
    'crone',
    "jid='crone1@montague.example' affiliation='outcast'",
    'conflict',
    'cancel',
  ],
  [
    '§10.5: the last owner stays',
    'crone',
    "jid='crone1@montague.example' affiliation='admin'",
    'conflict',
    'cancel',
  ],
  ['a nickname that nobody has', 'crone', "nick='nobody' role='none'", 'item-not-found', 'cancel'],
] as const)
  story(`XEP-0045 ${what}`, async (tale) => {
    const room = newRoom()
    const [crone, hecate, hag] = await gathered(tale, room, trio)
    assert(crone && hecate && hag)
    await change(crone, room, "<item nick='secondwitch' role='moderator'/>")
    const actor = { crone, hecate, hag }[who]
    for (const client of [crone, hecate, hag]) client.drain()

    await change(actor, room, `<item ${item}/>`)

    const [answer] = actor.drain()
    assert.match(text(answer), new RegExp(`type="${type}".*<${condition}`))
    for (const client of [crone, hecate, hag]) await client.receivesNothing()
  })

story('XEP-0045 §8.3, §8.4, §8.5: voice is given, listed, taken', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(
    tale,
    room,
    { firstwitch: cauldron, thirdwitch: crypt },
    { 'muc#roomconfig_moderatedroom': '1' },
  )
  assert(crone && hag)
  const real = ` jid='${hag.jid}'`

  // §7.4: a visitor has no voice.
  await hag.send`<message to='${room}' type='groupchat' id='m'><body>x</body></message>`
  hag.receives`<message type='error' id='m' from='${room}' to='${hag.jid}'>${error('forbidden', 'auth')}</message>`

  await change(
    crone,
    room,
    "<item nick='thirdwitch' role='participant'><reason>A worthy witch indeed!</reason></item>",
  )
  const granted = `<x xmlns='${NS_USER}'><item affiliation='none' role='participant'${real}><reason>A worthy witch indeed!</reason></item></x>`
  crone.receives`${presence(room, 'thirdwitch', crone, granted)}`
  crone.receives`${result(crone, room, 'change')}`
  hag.receives`${presence(room, 'thirdwitch', hag, granted.replace('</x>', `${codes(110)}</x>`))}`
  await hag.send`<message to='${room}' type='groupchat' id='m'><body>x</body></message>`
  for (const client of [crone, hag]) assert.equal(client.drain().length, 1)

  await crone.send`<iq type='get' id='v' to='${room}'><query xmlns='${NS_ADMIN}'><item role='participant'/></query></iq>`
  crone.receives`<iq type='result' id='v' from='${room}' to='${crone.jid}'><query xmlns='${NS_ADMIN}'><item affiliation='none' role='participant' nick='thirdwitch'${real}/></query></iq>`

  await change(crone, room, "<item nick='thirdwitch' role='visitor'/>")
  crone.receives`${presence(room, 'thirdwitch', crone, user(`affiliation='none' role='visitor'${real}`))}`
})

story('XEP-0045 §7.13, §8.6: a visitor asks for voice, a moderator approves', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(
    tale,
    room,
    { firstwitch: cauldron, thirdwitch: crypt },
    { 'muc#roomconfig_moderatedroom': '1' },
  )
  assert(crone && hag)
  const submit = (fields: string) =>
    `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field>${fields}</x>`

  await hag.send`<message to='${room}' id='v'>${submit("<field var='muc#role'><value>participant</value></field>")}</message>`
  const [request] = crone.drain()
  const values = request?.element
    .getChild('x', 'jabber:x:data')
    ?.getChildren('field')
    .map(({ attrs, children: [value] }) => [
      attrs.var,
      typeof value === 'string' ? value : value?.text(),
    ])
  assert.deepEqual(values, [
    ['FORM_TYPE', 'http://jabber.org/protocol/muc#request'],
    ['muc#role', 'participant'],
    ['muc#jid', hag.jid],
    ['muc#roomnick', 'thirdwitch'],
    ['muc#request_allow', '0'],
  ])

  const allow =
    "<field var='muc#role'><value>participant</value></field><field var='muc#roomnick'><value>thirdwitch</value></field><field var='muc#request_allow'><value>true</value></field>"
  // Who asks cannot approve it.
  await hag.send`<message to='${room}' id='w'>${submit(allow)}</message>`
  hag.receives`<message type='error' id='w' from='${room}' to='${hag.jid}'>${error('forbidden', 'auth')}</message>`
  await crone.send`<message to='${room}' id='x'>${submit(allow)}</message>`
  crone.receives`${presence(room, 'thirdwitch', crone, user(`affiliation='none' role='participant' jid='${hag.jid}'`))}`
})

story('XEP-0045 §9.1, §9.2: a ban puts out, keeps out, and is listed', async (tale) => {
  const room = newRoom()
  const [crone, hecate, hag] = await gathered(tale, room, trio)
  assert(crone && hecate && hag)

  await change(
    crone,
    room,
    `<item affiliation='outcast' jid='${hagBare}'><reason>Treason</reason></item>`,
  )

  const item = `<item affiliation='outcast' role='none'><actor nick='firstwitch'/><reason>Treason</reason></item>`
  hecate.receives`${presence(room, 'thirdwitch', hecate, `<x xmlns='${NS_USER}'>${item}${codes(301)}</x>`, gone)}`
  assert.match(text(hag.drain()[0]), /code="110".*code="301"/)
  crone.drain()
  await join(hag, room, 'other')
  hag.receives`<presence type='error' from='${room}/other' to='${hag.jid}'>${joinEcho}${error('forbidden', 'auth', room)}</presence>`

  const list = `<query xmlns='${NS_ADMIN}'><item affiliation='outcast'/></query>`
  await crone.send`<iq type='get' id='b' to='${room}'>${list}</iq>`
  crone.receives`<iq type='result' id='b' from='${room}' to='${crone.jid}'><query xmlns='${NS_ADMIN}'><item affiliation='outcast' jid='${hagBare}'><reason>Treason</reason></item></query></iq>`
  // V44: that is nobody else's business.
  await hecate.send`<iq type='get' id='b' to='${room}'>${list}</iq>`
  hecate.receives`${refused(hecate, room, 'b', 'forbidden', 'auth')}`

  await change(crone, room, `<item affiliation='none' jid='${hagBare}'/>`)
  await join(hag, room, 'other')
  assert.match(text(hag.drain().at(-1)), /<subject/)
})

story('XEP-0045 §9.3, §9.4: members of a room that is for them', async (tale) => {
  const room = newRoom()
  const [crone] = await gathered(
    tale,
    room,
    { firstwitch: cauldron },
    { 'muc#roomconfig_membersonly': '1' },
  )
  assert(crone)
  const hag = await tale.online(crypt)
  await change(crone, room, `<item affiliation='member' jid='${hagBare}'/>`)
  crone.receives`${absent(crone, room, `affiliation='member' jid='${hagBare}'`)}`
  crone.receives`${result(crone, room, 'change')}`
  // §9.5: she is told, and by nobody whose address she may not know.
  hag.receives`<message id='{any}' from='${room}' to='${hagBare}'><x xmlns='${NS_USER}'><invite from='${room}'/></x><x xmlns='jabber:x:conference' jid='${room}'/><stanza-id xmlns='urn:xmpp:sid:0' by='${hagBare}' id='{any}'/></message>`
  await join(hag, room, 'thirdwitch')
  crone.receives`${presence(room, 'thirdwitch', crone, user(`affiliation='member' role='participant' jid='${hag.jid}'`))}`
  hag.drain()

  await change(crone, room, `<item affiliation='none' jid='${hagBare}'/>`)
  const item = (actor: string) =>
    `<x xmlns='${NS_USER}'><item affiliation='none' role='none' jid='${hag.jid}'><actor nick='firstwitch' jid='${actor}'/></item>${codes(321)}`
  crone.receives`${presence(room, 'thirdwitch', crone, `${item('crone1@montague.example')}</x>`, gone)}`
  assert.match(text(hag.drain()[0]), /code="321"/)
})

story('XEP-0045 §9.6 to §9.8, §10.3 to §10.8: moderators, admins and owners', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
  assert(crone && hecate)
  for (const [item, shown] of [
    ["nick='secondwitch' role='moderator'", "affiliation='none' role='moderator'"],
    ["nick='secondwitch' role='participant'", "affiliation='none' role='participant'"],
    [`jid='${hecateBare}' affiliation='member'`, "affiliation='member' role='participant'"],
    [`jid='${hecateBare}' affiliation='admin'`, "affiliation='admin' role='moderator'"],
    [`jid='${hecateBare}' affiliation='owner'`, "affiliation='owner' role='moderator'"],
    [`jid='${hecateBare}' affiliation='none'`, "affiliation='none' role='participant'"],
  ] as const) {
    await change(crone, room, `<item ${item}/>`)
    const [told, answer]: readonly Stanza[] = crone.drain()
    assert.match(text(told), new RegExp(`from="${room}/secondwitch"`))
    const found: Readonly<Record<string, string>> | undefined = told?.element
      .getChild('x', NS_USER)
      ?.getChild('item')?.attrs
    assert.equal(`affiliation='${found?.affiliation}' role='${found?.role}'`, shown)
    assert.equal(answer?.type, 'result')
    if (shown.startsWith("affiliation='admin'") || shown.startsWith("affiliation='owner'")) {
      const name = found?.affiliation
      await hecate.send`<iq type='get' id='l' to='${room}'><query xmlns='${NS_ADMIN}'><item affiliation='${name}'/></query></iq>`
      assert.match(
        text(hecate.drain().at(-1)),
        new RegExp(`affiliation="${name}" jid="${hecateBare}"`),
      )
    }
  }
})
