import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices, XmppClient } from '@tactus/testkit'
import { type Stanza, xml } from '@tactus/xml'
import { World } from '../chaos/world.ts'
import { eventually } from './under-load.ts'

const NS = 'urn:xmpp:sm:3'
const juliet = 'juliet@montague.example/balcony'
/** A thousand requests. */
const rounds = 250
const racers = 4

/** One that asks for a session, and what it hears. */
class Racer {
  readonly heard: Stanza[] = []
  resumed = false
  over = false
  readonly #link: XmppClient

  private constructor(link: XmppClient) {
    this.#link = link
    link.onStanza = (stanza) => {
      if (stanza.ns === NS && stanza.name === 'resumed') this.resumed = true
      else if (stanza.ns === NS && stanza.name === 'failed') this.drop()
      else if (stanza.name === 'message') this.heard.push(stanza)
    }
    link.onEnd = () => {
      this.over = true
    }
  }

  static async connect(world: World, port: number): Promise<Racer> {
    const { password } = world
    return new Racer(
      await XmppClient.authenticate({ host: '127.0.0.1', port, jid: juliet, password }),
    )
  }

  resume(previd: string, h: number): void {
    this.#link.send(xml('resume', { xmlns: NS, previd, h: String(h) }))
  }

  drop(): void {
    this.#link.drop()
  }
}

async function session(world: World): Promise<string> {
  const link = await world.server.login(juliet, world.password, 0)
  link.send(xml('enable', { xmlns: NS, resume: 'true' }))
  const enabled = await link.next(({ name }) => name === 'enabled', 'stream management')
  return enabled.element.attrs.id ?? ''
}

test('C12: many ask for one session through two connection managers, and one has it', async (context) => {
  if (!canOwnServices(context)) return
  await using world = await World.start()
  await world.addUsers(['juliet@montague.example', 'romeo@montague.example'])
  const previd = await session(world)
  const romeo = await world.server.login('romeo@montague.example/orchard', world.password, 1)
  let kept: Racer | undefined
  for (let round = 0; round < rounds; round += 1) {
    const ports = world.ports
    const all = await Promise.all(
      Array.from({ length: racers }, (_, n) => Racer.connect(world, ports[n % ports.length] ?? 0)),
    )
    const id = `round-${round}`
    romeo.send(xml('message', { xmlns: 'jabber:client', to: juliet, id, type: 'chat' }))
    // Messages of earlier rounds are acknowledged by `h`; this one may be on either side of it.
    for (const racer of all) racer.resume(previd, round)
    await eventually(
      () => all.filter(({ over }) => !over).length === 1 && all.every((r) => r.over || r.resumed),
      10_000,
      'there is not one winner',
    )
    if (kept) await eventually(() => kept?.over === true, 5_000, 'the last winner has its stream')
    kept = all.find(({ over }) => !over)
    await eventually(() => kept?.heard.some((each) => each.id === id) === true, 5_000, `no ${id}`)
    assert.deepEqual(
      kept?.heard.map((stanza) => stanza.id),
      [id],
      'what was queued comes once, and nothing that was acknowledged comes again',
    )
  }
  kept?.drop()
  romeo.drop()
})
