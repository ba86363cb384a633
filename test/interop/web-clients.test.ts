import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { clusterServices, hasClients, TestServer } from '@tactus/testkit'
import { Agent } from './agent.ts'
import { Browser, ConverseSite, converseDist, type RoomPage } from './converse.ts'

const domain = 'montague.example'
const password = 'wherefore'
const jid = (name: string): string => `${name}@${domain}`

/** The addresses of a server’s web side; on a cluster, one is at another connection manager than the other. */
interface Web {
  readonly server: TestServer
  readonly bosh: string
  readonly webSocket: string
}

function webOf(server: TestServer): Web {
  const at = (door: number): string => `127.0.0.1:${server.port('http', door)}`
  return { server, bosh: `http://${at(0)}/http-bind`, webSocket: `ws://${at(1)}/xmpp-websocket` }
}

/** Accounts of these names, and a room of the first. */
async function prepare({ server }: Web, room: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) await server.addUser(jid(name), password)
  await server.command('room create', { jid: room, owner: jid(names[0] ?? '') })
}

async function stanzaClients(web: Web): Promise<void> {
  const room = `balcony@conference.${domain}`
  await prepare(web, room, 'juliet', 'romeo')
  await using juliet = Agent.stanza(web.bosh, jid('juliet'), password)
  await using romeo = Agent.stanza(web.webSocket, jid('romeo'), password)
  await juliet.expect('online')
  await romeo.expect('online')
  juliet.tell({ do: 'say', to: jid('romeo'), body: 'O Romeo, Romeo!' })
  assert.equal((await romeo.expect('message')).body, 'O Romeo, Romeo!')
  romeo.tell({ do: 'say', to: jid('juliet'), body: 'Shall I hear more?' })
  assert.equal((await juliet.expect('message')).body, 'Shall I hear more?')

  for (const client of [juliet, romeo]) {
    client.tell({ do: 'join', room, nick: client === juliet ? 'juliet' : 'romeo' })
    await client.expect('joined')
  }
  juliet.tell({ do: 'sayInRoom', room, body: 'Deny thy father' })
  for (const client of [juliet, romeo])
    await client.expect('message', ({ body }) => body === 'Deny thy father')

  juliet.tell({ do: 'archive', of: jid('juliet') })
  const own = await juliet.expect('archive')
  assert.deepEqual(own.bodies, ['O Romeo, Romeo!', 'Shall I hear more?'])
  juliet.tell({ do: 'archive', of: room })
  assert.deepEqual((await juliet.expect('archive')).bodies, ['Deny thy father'])
  await juliet.close()
  await romeo.close()
}

/** Each page begins with nothing of its own: what it shows of before came out of the archive. */
async function converse(web: Web, dist: string): Promise<void> {
  const room = `kitchen@conference.${domain}`
  await prepare(web, room, 'nurse')
  await using site = await ConverseSite.start(dist)
  await using browser = await Browser.start()
  const said: string[] = []
  const open = (resource: string, service: string): Promise<RoomPage> =>
    // COMPAT(Converse.js 14): without a resource it makes up another one when it resumes a session, and speaks in its name.
    browser.open(site.url({ jid: `${jid('nurse')}/${resource}`, password, room, service }))
  const sayOn = async (page: RoomPage, text: string): Promise<void> => {
    await page.say(text)
    said.push(text)
    assert.deepEqual(await page.messages(said.length), said)
  }
  for (const [resource, service] of [
    ['bosh', web.bosh],
    ['websocket', web.webSocket],
  ] as const) {
    await using page = await open(resource, service)
    assert.deepEqual(await page.messages(said.length), said)
    await sayOn(page, `over ${resource}`)
    await page.reload()
    assert.deepEqual(await page.messages(said.length), said)
    await sayOn(page, `still over ${resource}`)
    assert.equal(page.binds, 1, 'the page that was loaded again went on with its session')
  }
  await using reader = await open('reader', web.bosh)
  assert.deepEqual(await reader.messages(said.length), said)
}

async function tryAll(context: TestContext, server: TestServer): Promise<void> {
  const web = webOf(server)
  await context.test('stanza: chat, a room, and what the archives have of it', () =>
    stanzaClients(web),
  )
  // Only where somebody names its folder: it is no dependency, because it is larger than all of them.
  const dist = converseDist
  if (!dist) return
  await context.test('Converse.js: says something in a room, and finds the archive', async (t) => {
    if (hasClients(t, 'chromium')) await converse(web, dist)
  })
}

test('over BOSH and over WebSocket on a standalone server', async (context) => {
  await using server = await TestServer.standalone()
  await tryAll(context, server)
})

test('over BOSH at one connection manager, over WebSocket at another', async (context) => {
  const services = await clusterServices(context)
  if (!services) return
  await using server = await TestServer.cluster(services)
  await tryAll(context, server)
})
