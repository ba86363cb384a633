import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterServices, hasClients, SmClient, TestServer, XmppClient } from '@tactus/testkit'
import { Haproxy } from './haproxy.ts'

const jid = 'juliet@montague.example'
const password = 'wherefore'

test('behind haproxy as it is deployed: who is told apart by address, and resumes elsewhere when an instance dies', async (context) => {
  if (!hasClients(context, 'haproxy')) return
  const services = await clusterServices(context)
  if (!services) return
  await using server = await TestServer.cluster(services, { trustedProxies: { tcp: '127.0.0.1' } })
  await server.addUser(jid, password)
  await using haproxy = await Haproxy.start(server)
  const login = async (transport: 'tcp' | 'websocket', localAddress: string): Promise<SmClient> => {
    const port = haproxy.ports[transport === 'tcp' ? 'c2s' : 'http']
    const where = { host: '127.0.0.1', port, transport, localAddress }
    return SmClient.of(await XmppClient.authenticate({ ...where, jid, password }))
  }

  const tcp = await login('tcp', '127.0.0.5')
  await tcp.link.bind('tcp')
  // One at each instance: it is the least busy that gets the next.
  const sessions = [await login('websocket', '127.0.0.6'), await login('websocket', '127.0.0.7')]
  for (const [n, session] of sessions.entries()) {
    await session.link.bind(`web-${n}`)
    await session.enable()
  }
  assert.equal(await addressOf(server, tcp.jid), '127.0.0.5')
  assert.deepEqual(await Promise.all(sessions.map((session) => addressOf(server, session.jid))), [
    '127.0.0.6',
    '127.0.0.7',
  ])

  await server.doors[0]?.process.kill()
  const lost = await Promise.race(sessions.map((session) => session.ended.then(() => session)))
  const again = await login('websocket', '127.0.0.8')
  await again.takeOver(lost)
  assert.equal(await addressOf(server, lost.jid), '127.0.0.8')
})

/** Where the server thinks that a session's client is. */
async function addressOf(server: TestServer, resource: string): Promise<string | undefined> {
  const { sessions } = (await server.command('session list', { jid })) as {
    readonly sessions: readonly {
      readonly jid: string
      readonly info: { readonly address: string }
    }[]
  }
  return sessions.find((session) => session.jid === resource)?.info.address
}
