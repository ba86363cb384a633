import assert from 'node:assert/strict'
import { type Client, type Story, type StoryOptions, story } from '@tactus/testkit'
import {
  broom,
  cauldron,
  codes,
  configure,
  crypt,
  gathered,
  join,
  NS_OWNER,
  NS_USER,
  newRoom,
  service,
  text,
} from './muc/scene.ts'

const logs: StoryOptions = {
  modules: { 'room-log': { enabled: true, url: 'https://m.example/logs/' } },
}
const open = {
  'muc#roomconfig_persistentroom': '1',
  'muc#roomconfig_enablelogging': '1',
  'muc#roomconfig_roomname': 'A Dark Cave',
}

interface Line {
  readonly id: string
  readonly at: number
  readonly nick: string
  readonly kind: string
  readonly text: string
  readonly corrects: boolean
}
interface Lines {
  readonly room: { readonly name: string; readonly description: string }
  readonly lines: readonly Line[]
  readonly next: string | null
  readonly earlier: string | null
  readonly later: string | null
}
interface Days {
  readonly days: readonly string[]
  readonly next: string | null
}

const daysOf = async (tale: Story, room: string, before?: string) =>
  (await tale.command('room-log days', { room, ...(before && { before }) })) as Days | null
async function linesOf(
  tale: Story,
  room: string,
  given: { readonly day?: string; readonly after?: string; readonly max?: number } = {},
): Promise<Lines> {
  const day = given.day ?? (await daysOf(tale, room))?.days[0]
  assert(day, 'nothing was said')
  const lines = await tale.command('room-log lines', { room, max: 100, ...given, day })
  assert(lines, 'not logged')
  return lines as Lines
}
const said = ({ lines }: Lines) => lines.map(({ nick, text: words }) => `${nick}: ${words}`)

/** A room whose owner wants it logged, and two in it. */
async function coven(tale: Story, room: string, fields = {}): Promise<readonly [Client, Client]> {
  const nicks = { firstwitch: cauldron, secondwitch: broom }
  const [owner, witch] = await gathered(tale, room, nicks, { ...open, ...fields })
  assert(owner && witch)
  return [owner, witch]
}

const say = (client: Client, room: string, inner: string) =>
  client.send`<message type='groupchat' to='${room}' id='m'>${inner}</message>`
const body = (words: string) => `<body>${words}</body>`
/** Under which id the room sent the line that somebody heard last. */
const idOf = (client: Client) =>
  /<stanza-id xmlns="urn:xmpp:sid:0"[^>]* id="([^"]+)"/.exec(text(client.drain().at(-1)))?.[1] ?? ''

story('what is said in an open room can be read, by nicknames alone', logs, async (tale) => {
  const room = newRoom()
  const [owner, witch] = await coven(tale, room)
  await say(witch, room, body('&lt;b&gt; &amp; so on'))
  await say(owner, room, body('/me stirs'))
  await say(owner, room, '<subject>Trouble</subject>')
  await say(owner, room, `${body('Double')}<replace xmlns='urn:xmpp:message-correct:0' id='m'/>`)
  // What is no line: nothing that people read, and nothing that shall be kept.
  await say(owner, room, "<store xmlns='urn:xmpp:hints'/>")
  await say(owner, room, `${body('psst')}<no-store xmlns='urn:xmpp:hints'/>`)

  const found = await linesOf(tale, room)

  assert.deepEqual(
    found.lines.map(({ nick, kind, text: words, corrects }) => [nick, kind, words, corrects]),
    [
      ['secondwitch', 'says', '<b> & so on', false],
      ['firstwitch', 'does', 'stirs', false],
      ['firstwitch', 'subject', 'Trouble', false],
      ['firstwitch', 'says', 'Double', true],
    ],
  )
  assert.deepEqual(found.room, { name: 'A Dark Cave', description: '' })
  assert.deepEqual([found.next, found.earlier, found.later], [null, null, null])
  // SECURITY: V44, nothing of who they are outside.
  assert.doesNotMatch(JSON.stringify(found), /hecate|crone|broom|desktop/)
  assert.deepEqual(await tale.command('room-log rooms', { service, max: 10 }), {
    rooms: [{ jid: room, name: 'A Dark Cave', description: '' }],
    next: null,
  })
  assert.equal((await linesOf(tale, room.toUpperCase())).lines.length, 4)
})

story('XEP-0424 §4, XEP-0425 §4: what was taken back is not shown', logs, async (tale) => {
  const room = newRoom()
  const [owner, witch] = await coven(tale, room)
  await say(witch, room, body('first'))
  const own = idOf(owner)
  await say(witch, room, body('second'))
  const moderated = idOf(owner)
  await say(witch, room, body('third'))
  const retract = (id: string) => `<retract xmlns='urn:xmpp:message-retract:1' id='${id}'/>`
  await say(witch, room, `${retract(own)}${body('/me took something back')}`)
  await owner.send`<iq type='set' id='x' to='${room}'><moderate xmlns='urn:xmpp:message-moderate:1' id='${moderated}'><retract xmlns='urn:xmpp:message-retract:1'/><reason>first</reason></moderate></iq>`
  await tale.settle()
  assert.deepEqual(said(await linesOf(tale, room)), ['secondwitch: third'])
})

for (const [why, fields] of [
  ['the owner does not want it', { 'muc#roomconfig_enablelogging': '0' }],
  ['it is hidden', { 'muc#roomconfig_publicroom': '0' }],
  ['it is for members', { 'muc#roomconfig_membersonly': '1' }],
  [
    'it has a password',
    { 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'x' },
  ],
  ['it goes with its occupants', { 'muc#roomconfig_persistentroom': '0' }],
  ['it has no archive', { 'muc#roomconfig_enablearchiving': '0' }],
  ['its archive is for members', { 'tactus#archive_access': 'members' }],
] as const)
  story(`a room is not shown where ${why}`, logs, async (tale) => {
    const room = newRoom()
    const [owner] = await coven(tale, room)
    await say(owner, room, body('before'))
    assert((await daysOf(tale, room))?.days.length)

    await configure(owner, room, fields)
    await say(owner, room, body('meanwhile'))

    const day = new Date().toISOString().slice(0, 10)
    assert.equal(await daysOf(tale, room), null)
    assert.equal(await tale.command('room-log lines', { room, day, max: 10 }), null)
    assert.equal(await tale.command('room-log rooms', { service, max: 10 }), null)
    // What was said in between was not said to everybody, and is not shown later either.
    await tale.pass(1_000)
    const back = Object.fromEntries(
      Object.entries({ ...open, 'muc#roomconfig_publicroom': '1' }).concat([
        ['muc#roomconfig_membersonly', '0'],
        ['muc#roomconfig_passwordprotectedroom', '0'],
        ['muc#roomconfig_enablearchiving', '1'],
        ['tactus#archive_access', 'entrants'],
      ]),
    )
    await configure(owner, room, back)
    await say(owner, room, body('after'))
    assert.deepEqual(said(await linesOf(tale, room)), ['firstwitch: after'])
  })

story(
  'XEP-0045 §7.2.12, §10.2.1, §16.5.4: who comes in is told, who is in, and who asks',
  logs,
  async (tale) => {
    const room = newRoom()
    const [owner, witch] = await coven(tale, room, { 'muc#roomconfig_enablelogging': '0' })
    const notice = (...numbers: number[]) =>
      `<message type='groupchat' id='{any}' from='${room}' to='${witch.jid}'><x xmlns='${NS_USER}'>${codes(...numbers)}</x></message>`
    const info = async () => {
      await witch.send`<iq type='get' id='i' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
      return text(await witch.hears('i'))
    }
    assert.doesNotMatch(await info(), /roominfo_logs/)
    await configure(owner, room, { 'muc#roomconfig_enablelogging': '1' })
    witch.receives`${notice(104, 170)}`
    assert(
      (await info()).includes(`<value>https://m.example/logs/${encodeURIComponent(room)}</value>`),
    )
    const hag = await tale.online(crypt)
    await join(hag, room, 'thirdwitch')
    assert.match(hag.drain().map(text).join(), /<status code="110"\/><status code="170"\/>/)
    witch.drain()
    await configure(owner, room, { 'muc#roomconfig_publicroom': '0' })
    witch.receives`${notice(104, 171)}`
  },
)

story('days and pages follow each other', logs, async (tale) => {
  const room = newRoom()
  const [owner] = await coven(tale, room)
  for (const words of ['a', 'b', 'c']) await say(owner, room, body(words))
  await tale.pass(86_400_000)
  const back = await tale.online(cauldron)
  await join(back, room, 'firstwitch')
  await say(back, room, body('d'))

  const [second, first, ...more] = (await daysOf(tale, room))?.days ?? []
  assert(second && first)
  assert.deepEqual(more, [])
  assert.deepEqual(await daysOf(tale, room, second).then((list) => list?.days), [first])
  const page = await linesOf(tale, room, { day: first, max: 2 })
  assert.deepEqual(said(page), ['firstwitch: a', 'firstwitch: b'])
  assert.deepEqual([page.earlier, page.later], [null, second])
  const rest = await linesOf(tale, room, { day: first, max: 2, after: page.next ?? '' })
  assert.deepEqual([said(rest), rest.next], [['firstwitch: c'], null])
  assert.equal((await linesOf(tale, room, { day: second })).earlier, first)
  const gone = { room, day: first, max: 2, after: 'x' }
  assert.equal(await tale.command('room-log lines', gone), null)
})

story('days before it was logged are not named', logs, async (tale) => {
  const room = newRoom()
  const [owner] = await coven(tale, room, { 'muc#roomconfig_enablelogging': '0' })
  await say(owner, room, body('before'))
  await tale.pass(86_400_000)
  const back = await tale.online(cauldron)
  await join(back, room, 'firstwitch')
  await configure(back, room, open)
  await say(back, room, body('after'))
  assert.equal((await daysOf(tale, room))?.days.length, 1)
  assert.equal((await linesOf(tale, room)).earlier, null)
})

story('rooms come in pages, and with a room its log goes', logs, async (tale) => {
  const [one, two] = [newRoom(), newRoom()].toSorted()
  assert(one && two)
  const [owner] = await coven(tale, one)
  await join(owner, two, 'firstwitch')
  await configure(owner, two, open)
  const page = (after?: string) =>
    tale.command('room-log rooms', { service, max: 1, ...(after && { after }) }) as Promise<{
      rooms: { jid: string }[]
      next: string | null
    }>
  const first = await page()
  assert.deepEqual([first.rooms.map(({ jid }) => jid), first.next], [[one], one])
  const second = await page(one)
  assert.deepEqual([second.rooms.map(({ jid }) => jid), second.next], [[two], null])
  await owner.send`<iq type='set' id='e' to='${one}'><query xmlns='${NS_OWNER}'><destroy/></query></iq>`
  await tale.settle()
  assert.equal(await daysOf(tale, one), null)
  assert.deepEqual(
    (await page()).rooms.map(({ jid }) => jid),
    [two],
  )
})

story(
  'where the host does not want it, nothing is shown, whatever owners say',
  { memoryOnly: 'a cluster where no host wants it has no such command' },
  async (tale) => {
    const room = newRoom()
    const [owner, witch] = await coven(tale, room)
    await say(owner, room, body('a'))
    assert.equal(await daysOf(tale, room), null)
    await join(witch, room, 'secondwitch')
    assert.doesNotMatch(witch.drain().map(text).join(), /code="170"/)
  },
)
