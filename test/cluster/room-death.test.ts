import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { entityOf, partitionOf } from '@tactus/cluster'
import { canOwnServices } from '@tactus/testkit'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import { ManagedClient } from '../chaos/managed-client.ts'
import { World } from '../chaos/world.ts'
import { eventually } from './under-load.ts'

const room = 'characters@conference.montague.example'
const occupants = Number(process.env.ROOM_OCCUPANTS ?? 20)
const kills = Number(process.env.ROOM_KILLS ?? 3)
/** Milliseconds between two lines: what all hear together is the same, however many they are. */
const pace = Math.max(25, occupants / 2)
const accounts = Array.from({ length: occupants }, (_, index) => `witch${index}@montague.example`)
const partitions = 64
const NS_ARCHIVE = 'urn:xmpp:mam:2'
const NS_RSM = 'http://jabber.org/protocol/rsm'
const message = (attrs: Readonly<Record<string, string>>, ...children: ReturnType<typeof xml>[]) =>
  xml('message', { xmlns: 'jabber:client', ...attrs }, ...children)

/** An occupant that writes down what it hears. */
class Witch {
  readonly client: ManagedClient
  /** Ids of the lines of the room, as they came. */
  readonly heard: string[] = []
  readonly troubles: string[] = []
  /** The same as the room's archive has them, and what ended the last page of it. */
  readonly archived: string[] = []
  pageEnd: XmlElement | undefined
  isIn = false
  said = 0

  constructor(world: World, jid: string, accepted: (id: string) => void) {
    let attempt = accounts.indexOf(entityOf(jid))
    const trouble = (what: string) => this.troubles.push(what)
    this.client = new ManagedClient({
      jid,
      password: world.password,
      patience: 60_000,
      port: () => {
        attempt += 1
        return world.ports[attempt % world.ports.length] ?? 1
      },
      events: {
        accepted,
        unknown: (id) => trouble(`unknown ${id}`),
        received: (stanza) => this.#received(stanza, trouble),
        resumed: () => {},
        rebound: () => trouble('rebound'),
        ended: (reason) => trouble(`ended ${reason}`),
        violated: trouble,
      },
    })
  }

  join(nick: string): void {
    const attrs = { xmlns: 'jabber:client', to: `${room}/${nick}` }
    this.client.send(xml('presence', attrs, xml('x', { xmlns: 'http://jabber.org/protocol/muc' })))
  }

  speak(): string | undefined {
    if (!this.client.mayTalk) return undefined
    this.said += 1
    const id = `${this.client.jid} ${this.said}`
    this.client.send(message({ to: room, type: 'groupchat', id }, xml('body', null, 'Double.')), id)
    return id
  }

  /** Reads all that the room's archive has (XEP-0313 §4.3). */
  async readArchive(): Promise<void> {
    let last = ''
    for (;;) {
      const page = await this.#page(last)
      last = page.getChild('set', NS_RSM)?.getChildText('last') ?? ''
      if (page.attrs.complete === 'true') return
    }
  }

  async #page(after: string): Promise<XmlElement> {
    this.pageEnd = undefined
    const place = after === '' ? [] : [xml('after', null, after)]
    const set = xml('set', { xmlns: NS_RSM }, xml('max', null, '200'), ...place)
    const attrs = { xmlns: 'jabber:client', type: 'set', to: room, id: `page ${after}` }
    this.client.send(xml('iq', attrs, xml('query', { xmlns: NS_ARCHIVE }, set)))
    await eventually(() => this.pageEnd !== undefined, 20_000, 'the archive does not answer')
    return this.pageEnd ?? xml('fin')
  }

  #received(stanza: Stanza, trouble: (what: string) => void): void {
    const isOfRoom = stanza.from?.startsWith(room) === true
    if (stanza.type === 'error') trouble(`error ${stanza}`)
    else if (!isOfRoom) return
    else if (stanza.hasChild('fin', NS_ARCHIVE)) this.pageEnd = stanza.child('fin', NS_ARCHIVE)
    else if (stanza.hasChild('result', NS_ARCHIVE)) {
      const forwarded = stanza.child('result', NS_ARCHIVE)?.getChild('forwarded')
      this.archived.push(forwarded?.getChild('message')?.attrs.id ?? '')
    } else if (stanza.name === 'presence' && stanza.type === 'unavailable')
      trouble(`gone ${stanza}`)
    else if (stanza.hasChild('subject', stanza.ns)) this.isIn = true
    else if (stanza.hasChild('body', stanza.ns)) this.heard.push(stanza.id ?? '')
  }
}

test(`design §2: the owner of a room with ${occupants} who talk is killed ${kills} times, and none of them sees it`, {
  timeout: 60_000 + kills * 60_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using world = await World.start({ routers: 1, settings: { limits: { rates: 'off' } } })
  const processes = new Map<string, (typeof world.server.routers)[number]>()
  const noteNew = async (): Promise<void> => {
    const known = new Set(processes.keys())
    await eventually(
      async () => (await world.routers()).some((id) => !known.has(id)),
      20_000,
      'no new router',
    )
    const id = (await world.routers()).find((one) => !known.has(one))
    const process = world.server.routers.at(-1)
    if (id !== undefined && process) processes.set(id, process)
  }
  await noteNew()
  await world.server.startRouter()
  await noteNew()
  await world.addUsers(accounts)

  const accepted = new Set<string>()
  const sent: string[] = []
  const witches = accounts.map((jid) => new Witch(world, `${jid}/cave`, (id) => accepted.add(id)))
  await using _ = {
    async [Symbol.asyncDispose]() {
      await Promise.all(witches.map(({ client }) => client.stop()))
    },
  }
  const [first] = witches
  assert(first)
  for (let at = 0; at < witches.length; at += 20)
    await Promise.all(witches.slice(at, at + 20).map(({ client }) => client.start()))
  first.join('nick0')
  const open = xml('x', { xmlns: 'jabber:x:data', type: 'submit' })
  const query = xml('query', { xmlns: 'http://jabber.org/protocol/muc#owner' }, open)
  first.client.send(xml('iq', { xmlns: 'jabber:client', type: 'set', id: 'o', to: room }, query))
  await eventually(() => first.isIn, 20_000, 'the room is not made')
  for (const [index, witch] of witches.entries()) if (witch !== first) witch.join(`nick${index}`)
  await eventually(() => witches.every(({ isIn }) => isIn), 60_000, 'not all came in')

  let turn = 0
  const talk = setInterval(() => {
    turn += 1
    const id = witches[turn % witches.length]?.speak()
    if (id !== undefined) sent.push(id)
  }, pace)
  const flows = async (): Promise<void> => {
    const mark = sent.length
    const isPast = (): boolean =>
      sent.length > mark + 40 && first.heard.includes(sent[mark + 20] ?? '')
    await eventually(isPast, 60_000, 'nobody hears anybody')
  }
  try {
    await flows()
    for (let kill = 0; kill < kills; kill += 1) {
      const owner = await world.ownerOf(partitionOf(room, partitions))
      const victim = processes.get(owner ?? '')
      assert(victim, `nobody knows the process of ${owner}`)
      await victim.kill()
      world.server.forget(victim)
      await eventually(
        async () => (await world.ownerOf(partitionOf(room, partitions))) !== owner,
        30_000,
        'nobody takes the room over',
      )
      await flows()
      await world.server.startRouter()
      await noteNew()
    }
  } finally {
    clearInterval(talk)
  }
  const isDone = (): boolean =>
    witches.every(({ client, heard }) => client.unacked === 0 && heard.length >= sent.length)
  await eventually(isDone, 60_000, 'something is missing').catch(() => {})
  // What is doubled comes late.
  await pause(1_000)

  context.diagnostic(`${sent.length} lines to ${witches.length} occupants`)
  assert.equal(accepted.size, new Set(sent).size, 'all that was said was accepted')
  assert.equal(first.heard.length, new Set(first.heard).size, 'nothing is doubled')
  assert.deepEqual([...first.heard].sort(), [...sent].sort(), 'nothing is lost')
  await first.readArchive()
  assert.deepEqual(first.archived, first.heard, 'the archive has the same, in the same order')
  for (const { client, heard, troubles } of witches) {
    assert.deepEqual(heard, first.heard, `${client.jid} sees the same order`)
    assert.deepEqual(troubles, [], `${client.jid} noticed something`)
  }
})
