import assert from 'node:assert/strict'
import { type Client, type Story, story } from '@tactus/testkit'
import {
  absent,
  broom,
  cauldron,
  change,
  configure,
  crypt,
  error,
  gathered,
  join,
  NS_OWNER,
  NS_USER,
  newRoom,
  text,
} from './muc/scene.ts'

const ns = 'urn:xmpp:muc:affiliations:0'
const [crone, hecate, hag] = [
  'crone1@montague.example',
  'hecate@capulet.example',
  'hag66@capulet.example',
]
const wicca = 'wiccarocks@montague.example'
const open = { 'muc#roomconfig_whois': 'anyone', 'muc#roomconfig_persistentroom': '1' }

/** Items as `affiliation jid`, and what they lead from and to. */
interface Lists {
  readonly since: string | undefined
  readonly until: string
  readonly items: readonly string[]
}

/** What a stanza says of the lists, if it does. */
function listsIn(stanza: string): Lists | undefined {
  const version = /<mav xmlns="urn:xmpp:muc:affiliations:0"([^>]*)\/>/.exec(stanza)?.[1]
  if (version === undefined) return undefined
  const items = Array.from(stanza.matchAll(/<item ([^>]*)>/g), ([, attrs = '']) =>
    ['affiliation', 'jid'].map((name) => attribute(attrs, name)).join(' '),
  )
  return { since: attribute(version, 'since'), until: attribute(version, 'until') ?? '', items }
}
const attribute = (attrs: string, name: string) =>
  new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attrs)?.[1]

/** Comes in with what it knows; the lists it was told before the first presence, and the version that stands then. */
async function enter(
  client: Client,
  room: string,
  nick: string,
  since?: string,
): Promise<{ readonly lists: readonly Lists[]; readonly until: string | undefined }> {
  client.drain()
  await join(client, room, nick, `<mav xmlns='${ns}'${since ? ` since='${since}'` : ''}/>`)
  const heard = client.drain().map(text)
  const first = heard.findIndex((stanza) => stanza.startsWith('<presence'))
  const own = heard.find((stanza) => stanza.includes('<status code="110"/>'))
  assert(own, heard.join('\n'))
  const lists = heard.slice(0, first).map((stanza) => listsIn(stanza) ?? assert.fail(stanza))
  return { lists, until: listsIn(own)?.until }
}

async function leave(client: Client, room: string, nick: string): Promise<void> {
  await client.send`<presence type='unavailable' to='${room}/${nick}'/>`
  client.drain()
}

/** A room whose addresses all may see, and its owner in it. */
async function cave(tale: Story, room: string, fields = {}): Promise<Client> {
  const [owner] = await gathered(tale, room, { firstwitch: cauldron }, { ...open, ...fields })
  return owner ?? assert.fail()
}

const affiliate = (jid: string, affiliation: string) =>
  `<item jid='${jid}' affiliation='${affiliation}'/>`

story('XEP-0463 §4: rooms say that they have versions of their lists', async (tale) => {
  const room = newRoom()
  const owner = await cave(tale, room)
  await owner.send`<iq type='get' id='d' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  assert.match(text(owner.drain()[0]), /<feature var="urn:xmpp:muc:affiliations:0"\/>/)
})

story(
  'XEP-0463 §5.1, §5.2.1: who asks gets all lists before any presence, and the version with its own',
  async (tale) => {
    const room = newRoom()
    const owner = await cave(tale, room)
    await change(owner, room, affiliate(wicca, 'member'), affiliate(hag, 'outcast'))
    owner.drain()
    const witch = await tale.online(broom)

    const { lists, until } = await enter(witch, room, 'secondwitch')

    // §5.2.3: the banned are for admins to know.
    assert.deepEqual(lists, [
      { since: undefined, until, items: [`owner ${crone}`, `member ${wicca}`] },
    ])
    // §5.1: what one asks is nobody else's business.
    assert.doesNotMatch(owner.drain().map(text).join(), /mav/)
    assert.deepEqual((await enter(owner, room, 'firstwitch')).lists, [
      { since: undefined, until, items: [`owner ${crone}`, `member ${wicca}`, `outcast ${hag}`] },
    ])
  },
)

story(
  'XEP-0463 §5.2.1: who knows a version gets what changed since, removals included',
  async (tale) => {
    const room = newRoom()
    const owner = await cave(tale, room)
    await change(owner, room, affiliate(hag, 'member'))
    const witch = await tale.online(broom)
    const first = await enter(witch, room, 'secondwitch')
    await leave(witch, room, 'secondwitch')
    // Nothing changed, so nothing is told but the version.
    assert.deepEqual(await enter(witch, room, 'secondwitch', first.until), {
      lists: [],
      until: first.until,
    })
    await leave(witch, room, 'secondwitch')

    const secret = 'nobody@capulet.example'
    await change(owner, room, affiliate(hag, 'none'), affiliate(wicca, 'member'))
    await change(owner, room, affiliate(wicca, 'admin'), affiliate(secret, 'outcast'))
    const second = await enter(witch, room, 'secondwitch', first.until)

    assert.notEqual(second.until, first.until)
    const items = [`none ${hag}`, `admin ${wicca}`]
    assert.deepEqual(second.lists, [{ since: first.until, until: second.until, items }])
  },
)

story('XEP-0463 §5.2.2: each change leads from one version to the next', async (tale) => {
  const room = newRoom()
  const owner = await cave(tale, room)
  const [witch, third] = [await tale.online(broom), await tale.online(crypt)]
  const { until: start } = await enter(witch, room, 'secondwitch')
  await join(third, room, 'thirdwitch')
  for (const client of [owner, witch, third]) client.drain()

  // Of somebody who is not there: a message.
  await change(owner, room, affiliate(wicca, 'member'))
  const message = witch.receives`<message id='{any}' from='${room}' to='${witch.jid}'><x xmlns='${NS_USER}'><mav xmlns='${ns}' since='${start}' until='{any}'/><item affiliation='member' role='none' jid='${wicca}'/></x><no-store xmlns='urn:xmpp:hints'/><stanza-id xmlns='urn:xmpp:sid:0' by='${hecate}' id='{any}'/></message>`
  const second = listsIn(text(message))?.until
  assert.notEqual(second, start)
  // Who never asked is told of no versions.
  third.receives`${absent(third, room, `affiliation='member' jid='${wicca}'`)}`

  // Of somebody who is: a presence.
  await change(owner, room, affiliate(hag, 'member'))
  const told = listsIn(text(witch.drain()[0]))
  assert.deepEqual(told?.since, second)
  assert.deepEqual(told?.items, [`member ${crypt}`])
  assert.doesNotMatch(third.drain().map(text).join(), /mav/)

  // Of oneself.
  await change(owner, room, affiliate(hecate, 'admin'))
  const own = text(witch.drain()[0])
  assert.match(own, /<status code="110"\/>/)
  assert.equal(listsIn(own)?.since, told?.until)
  // What changes nothing in the lists has the version that stands.
  await witch.send`<presence to='${room}/secondwitch'><show>away</show></presence>`
  const away = listsIn(text(witch.drain()[0]))
  assert.deepEqual([away?.since, away?.until], [undefined, listsIn(own)?.until])
  // A nickname, and so a reason, is in no list.
  await change(owner, room, `<item jid='${wicca}' affiliation='member' nick='fourthwitch'/>`)
  await witch.receivesNothing()
  assert.equal((await enter(witch, room, 'secondwitch', away?.until)).lists.length, 0)
})

story(
  'XEP-0463 §5.2.2: a change is told also of those whose presence is not shown',
  async (tale) => {
    const room = newRoom()
    const fields = { 'muc#roomconfig_presencebroadcast': ['moderator'] }
    const owner = await cave(tale, room, fields)
    const { until: start } = await enter(owner, room, 'firstwitch')
    const witch = await tale.online(broom)
    await join(witch, room, 'secondwitch')
    owner.drain()

    await change(owner, room, affiliate(hecate, 'member'))

    const told = listsIn(text(owner.drain()[0]))
    assert.equal(told?.since, start)
    assert.deepEqual(told?.items, [`member ${hecate}`])
    // §7.14 of XEP-0045: who is put out is seen by nobody either.
    await change(owner, room, affiliate(hecate, 'outcast'))
    const last = listsIn(text(owner.drain()[0]))
    assert.equal(last?.since, told?.until)
    assert.deepEqual(last?.items, [`outcast ${hecate}`])
  },
)

story(
  'XEP-0463 §5.2.1: of a version that the room does not know, all is told',
  { modules: { muc: { affiliationChanges: 3 } } },
  async (tale) => {
    const room = newRoom()
    const owner = await cave(tale, room)
    const { until: old = '' } = await enter(owner, room, 'firstwitch')
    const all = [`owner ${crone}`, `member ${wicca}`]
    await change(owner, room, affiliate(hag, 'member'), affiliate(wicca, 'member'))
    await change(owner, room, affiliate(hag, 'none'))
    // Three changes are remembered, so the version before them is known.
    const { lists } = await enter(owner, room, 'firstwitch', old)
    assert.deepEqual(lists[0]?.items, [`member ${wicca}`, `none ${hag}`])

    await change(owner, room, affiliate(hecate, 'member'), affiliate(hecate, 'none'))
    for (const since of [old, `${old}x`, '2.AAAAAAAAAAAA', 'zzzzzzzz.AAAAAAAAAAAA', '&lt;', ' ']) {
      const [told, ...more] = (await enter(owner, room, 'firstwitch', since)).lists
      assert.deepEqual([told?.since, told?.items, more], [undefined, all, []], since)
    }
  },
)

story(
  'XEP-0463 §5.2.3, §6: who may not read the lists is refused, comes in, and hears of no version',
  async (tale) => {
    const room = newRoom()
    const owner = await cave(tale, room, { 'muc#roomconfig_whois': 'moderators' })
    const witch = await tale.online(broom)

    await witch.send`<presence id='j' to='${room}/secondwitch'><x xmlns='http://jabber.org/protocol/muc'><mav xmlns='${ns}'/></x></presence>`

    witch.receives`<message type='error' id='j' from='${room}' to='${witch.jid}'>${error('forbidden', 'auth', room)}</message>`
    assert.match(witch.drain().map(text).join(), /<status code="110"\/>/)
    owner.drain()
    await change(owner, room, affiliate(wicca, 'member'), affiliate(hecate, 'member'))
    assert.doesNotMatch(witch.drain().map(text).join(), /mav/)
    // From when it may, it is told.
    await change(owner, room, affiliate(hecate, 'admin'))
    const own = listsIn(text(witch.drain()[0]))
    assert(own?.since)
    assert.equal((await enter(owner, room, 'firstwitch')).until, own.until)
  },
)

story('XEP-0463 §5.2.1: a long list comes in messages that join', async (tale) => {
  const room = newRoom()
  const owner = await cave(tale, room)
  const { until: old } = await enter(owner, room, 'firstwitch')
  const many = (from: number) =>
    Array.from({ length: 200 }, (_, index) => affiliate(`w${from + index}@x.example`, 'member'))
  await change(owner, room, ...many(0))
  await change(owner, room, ...many(200))
  owner.drain()

  for (const since of [undefined, old]) {
    const { lists, until } = await enter(owner, room, 'firstwitch', since)
    assert.deepEqual(
      lists.map(({ items }) => items.length),
      since === undefined ? [200, 200, 1] : [200, 200],
    )
    assert.equal(lists[0]?.since, since)
    assert.equal(lists[1]?.since, lists[0]?.until)
    assert.equal(lists.at(-1)?.until, until)
    // Who heard no more than the first part starts again.
    const [again] = (await enter(owner, room, 'firstwitch', lists[0]?.until)).lists
    assert.equal(again?.since, undefined)
  }
})

story(
  'a version is known when all that is not in tables is lost, and not in the next room of that name',
  { memoryOnly: 'it loses the bus' },
  async (tale) => {
    const room = newRoom()
    const owner = await cave(tale, room)
    await change(owner, room, affiliate(hag, 'member'), affiliate(wicca, 'member'))
    const { until } = await enter(owner, room, 'firstwitch')

    await tale.loseBus()

    const back = await tale.online(cauldron)
    assert.deepEqual(await enter(back, room, 'firstwitch', until), { lists: [], until })
    await change(back, room, affiliate(hag, 'none'))
    await back.send`<iq type='set' id='e' to='${room}'><query xmlns='${NS_OWNER}'><destroy/></query></iq>`
    back.drain()
    await join(back, room, 'firstwitch')
    await configure(back, room, open)
    await change(back, room, affiliate(hag, 'member'), affiliate(wicca, 'member'))
    back.drain()
    const { lists } = await enter(back, room, 'firstwitch', until)
    assert.equal(lists[0]?.since, undefined)
    assert.equal(lists[0]?.items.length, 3)
  },
)

story('an account that is deleted leaves the lists in a version of its own', async (tale) => {
  const room = newRoom()
  const owner = await cave(tale, room)
  const name = `w${process.pid}@montague.example`
  await tale.online(`${name}/broom`)
  await change(owner, room, affiliate(name, 'member'))
  const { until } = await enter(owner, room, 'firstwitch')
  owner.drain()

  await tale.command('user delete', { jid: name })
  await owner.arrived(1)

  const [told] = owner.drain().map((stanza) => listsIn(text(stanza)))
  assert.deepEqual([told?.since, told?.items], [until, [`none ${name}`]])
})
