import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices, type XmppClient } from '@tactus/testkit'
import { xml } from '@tactus/xml'
import { World } from '../chaos/world.ts'
import { eventually } from './under-load.ts'

const occupants = 60
const partitions = 8
const instances = 2
const room = 'crowd@conference.montague.example'

/** Somebody in the room, who counts what is said there. */
class Occupant {
  isIn = false
  heard = 0
  readonly #client: XmppClient

  constructor(client: XmppClient) {
    this.#client = client
    client.onStanza = (stanza) => {
      if (stanza.name !== 'message' || stanza.type !== 'groupchat') return
      if (stanza.hasChild('body', stanza.ns)) this.heard += 1
      else this.isIn = true
    }
  }

  async join(nickname: string): Promise<void> {
    const x = xml('x', { xmlns: 'http://jabber.org/protocol/muc' })
    this.#client.send(xml('presence', { xmlns: 'jabber:client', to: `${room}/${nickname}` }, x))
    await eventually(() => this.isIn, 60_000, `${nickname} is not in the room`)
  }

  open(): void {
    const x = xml('x', { xmlns: 'jabber:x:data', type: 'submit' })
    const query = xml('query', { xmlns: 'http://jabber.org/protocol/muc#owner' }, x)
    this.#client.send(xml('iq', { xmlns: 'jabber:client', type: 'set', id: 'o', to: room }, query))
  }

  say(text: string): void {
    const body = xml('body', null, text)
    this.#client.send(xml('message', { xmlns: 'jabber:client', type: 'groupchat', to: room }, body))
  }
}

/** Entries that the bus has got, once no more come. */
async function entries({ redis }: World): Promise<number> {
  for (let before = -1; ; ) {
    const now = await redis.appended()
    if (now === before) return now
    before = now
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}

test('design §4: what a line of a room costs the bus does not grow with those who hear it', async (context) => {
  if (!canOwnServices(context)) return
  const settings = { cluster: { partitions }, limits: { rates: 'off' } }
  await using world = await World.start({ cms: instances, routers: instances, settings })
  const accounts = Array.from({ length: occupants }, (_, index) => `c${index}@montague.example`)
  await world.addUsers(accounts)
  const crowd: Occupant[] = []
  for (const [index, jid] of accounts.entries())
    crowd.push(
      new Occupant(await world.server.login(`${jid}/r`, world.password, index % instances)),
    )
  const [first] = crowd
  assert(first)
  await first.join('nick0')
  first.open()
  for (const [index, one] of crowd.entries()) if (one !== first) await one.join(`nick${index}`)

  const before = await entries(world)
  first.say('all hail')
  await eventually(() => crowd.every(({ heard }) => heard === 1), 60_000, 'not all heard it')
  const cost = (await entries(world)) - before

  context.diagnostic(`${cost} entries for a line that ${occupants} hear`)
  // The line itself, one frame a partition, what connection managers are told (in one step of a router or in two),
  // and what they say of each partition's sessions: all is written.
  const most = 1 + partitions + 3 * instances * instances + partitions * instances
  assert(cost <= most, `${cost} entries, at most ${most}`)
})
