import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { clusterServices, TestServer, type XmppClient } from '@tactus/testkit'
import { type Stanza, xml } from '@tactus/xml'

const host = 'montague.example'
const password = 'a rose by any other name'
const accounts = Array.from({ length: 24 }, (_, index) => `told${index}@${host}`)

interface List {
  readonly announcements: readonly { readonly sent: number }[]
}

/** Bodies that came from the host, as they come. */
function listen(client: XmppClient): readonly string[] {
  const bodies: string[] = []
  client.onStanza = (stanza: Stanza) => {
    if (stanza.name === 'message' && stanza.from === host)
      bodies.push(stanza.child('body', stanza.ns)?.text() ?? '')
  }
  return bodies
}

test('an announcement goes on where it was when the router dies that sends it round, and nobody has it twice', async (context) => {
  const services = await clusterServices(context)
  if (!services) return
  const modules = { announce: { page: 2, pause: 300 } }
  await using server = await TestServer.cluster(services, { modules, routers: 1 })
  await Promise.all(accounts.map((jid) => server.addUser(jid, password)))
  const heard: (readonly string[])[] = []
  const visit = async (jid: string): Promise<void> => {
    const client = await server.login(`${jid}/x`, password)
    heard.push(listen(client))
    client.send(xml('presence', { xmlns: 'jabber:client' }))
  }
  const there = accounts.filter((_, index) => index % 2 === 0)
  const away = accounts.filter((_, index) => index % 2 === 1)
  await Promise.all(there.map(visit))

  await server.command('announce send', { host, text: 'Peace', to: 'all' })
  const sent = async (): Promise<number | undefined> =>
    ((await server.command('announce list', { host })) as List).announcements[0]?.sent
  let before = await sent()
  while (before === 0) before = await sent()
  assert(before !== undefined && before < accounts.length, `it is under way: ${before}`)
  const [victim] = server.routers
  assert(victim)
  await victim.kill()
  server.forget(victim)
  await server.startRouter()
  while ((await sent()) !== undefined) await pause(100)

  await Promise.all(away.map(visit))
  while (heard.some((bodies) => bodies.length === 0)) await pause(100)
  // Whatever would come a second time is on its way before this one is.
  await server.command('announce send', { host, text: 'Farewell' })
  while (heard.some((bodies) => !bodies.includes('Farewell'))) await pause(100)
  assert.deepEqual(
    heard.map((bodies) => [...bodies]),
    accounts.map(() => ['Peace', 'Farewell']),
  )
})
