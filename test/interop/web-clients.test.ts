import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasClients, TestServer } from '@tactus/testkit'
import { Agent } from './agent.ts'
import { Browser, ConverseSite, converseDist } from './converse.ts'

const domain = 'montague.example'
const password = 'wherefore'
const room = `balcony@conference.${domain}`

/** A server and the addresses of its web side. */
interface Web extends AsyncDisposable {
  readonly server: TestServer
  readonly bosh: string
  readonly webSocket: string
}

async function start(...names: readonly string[]): Promise<Web> {
  const server = await TestServer.standalone()
  for (const name of names) await server.addUser(`${name}@${domain}`, password)
  await server.command('room create', { jid: room, owner: `juliet@${domain}` })
  const at = `127.0.0.1:${server.port('http', 0)}`
  return {
    server,
    bosh: `http://${at}/http-bind`,
    webSocket: `ws://${at}/xmpp-websocket`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

test('stanza over BOSH and over WebSocket: chat, a room, and what the archives have of it', async () => {
  await using web = await start('juliet', 'romeo')
  await using juliet = Agent.stanza(web.bosh, `juliet@${domain}`, password)
  await using romeo = Agent.stanza(web.webSocket, `romeo@${domain}`, password)
  await juliet.expect('online')
  await romeo.expect('online')
  juliet.tell({ do: 'say', to: `romeo@${domain}`, body: 'O Romeo, Romeo!' })
  assert.equal((await romeo.expect('message')).body, 'O Romeo, Romeo!')
  romeo.tell({ do: 'say', to: `juliet@${domain}`, body: 'Shall I hear more?' })
  assert.equal((await juliet.expect('message')).body, 'Shall I hear more?')

  for (const client of [juliet, romeo]) {
    client.tell({ do: 'join', room, nick: client === juliet ? 'juliet' : 'romeo' })
    await client.expect('joined')
  }
  juliet.tell({ do: 'sayInRoom', room, body: 'Deny thy father' })
  for (const client of [juliet, romeo])
    await client.expect('message', ({ body }) => body === 'Deny thy father')

  juliet.tell({ do: 'archive', of: `juliet@${domain}` })
  const own = await juliet.expect('archive')
  assert.deepEqual(own.bodies, ['O Romeo, Romeo!', 'Shall I hear more?'])
  juliet.tell({ do: 'archive', of: room })
  assert.deepEqual((await juliet.expect('archive')).bodies, ['Deny thy father'])
  await juliet.close()
  await romeo.close()
})

// Only where somebody names its folder: it is no dependency, because it is larger than all of them.
const dist = converseDist
if (dist)
  test('Converse.js over BOSH and over WebSocket: joins a room, says something, and finds the archive where it has nothing of its own', async (context) => {
    if (!hasClients(context, 'chromium')) return
    await using web = await start('juliet')
    await using site = await ConverseSite.start(dist)
    await using browser = await Browser.start()
    const login = { jid: `juliet@${domain}`, password, room }
    const said: string[] = []
    for (const service of [web.bosh, web.webSocket]) {
      // Each begins with nothing: what it shows of before came out of the archive.
      await using page = await browser.open(site.url({ ...login, service }))
      assert.deepEqual(await page.messages(said.length), said)
      const text = `over ${service.split(':')[0]}`
      await page.say(text)
      said.push(text)
      assert.deepEqual(await page.messages(said.length), said)
      await page.reload()
      assert.deepEqual(await page.messages(said.length), said)
    }
  })
