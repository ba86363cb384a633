import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { clusterServices, TestServer, type XmppClient } from '@tactus/testkit'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import { eventually } from './under-load.ts'

const NS = 'http://jabber.org/protocol/commands'
const node = 'http://jabber.org/protocol/admin#add-user'
const host = 'montague.example'
const admin = `benvolio@${host}`
const password = 'a rose by any other name'

let count = 0

/** Sends a command; the promise is the `<command/>` or the condition of its answer. */
function say(
  client: XmppClient,
  session?: string,
  fields?: Readonly<Record<string, string>>,
): Promise<XmlElement> {
  count += 1
  const id = `c${count}`
  const form =
    fields &&
    xml(
      'x',
      { xmlns: 'jabber:x:data', type: 'submit' },
      Object.entries(fields).map(([name, value]) =>
        xml('field', { var: name }, xml('value', null, value)),
      ),
    )
  const command = xml('command', { xmlns: NS, node, sessionid: session }, form)
  const answer = new Promise<XmlElement>((resolve) => {
    const before = client.onStanza
    client.onStanza = (stanza: Stanza) => {
      before(stanza)
      if (stanza.name === 'iq' && stanza.id === id) resolve(stanza.element)
    }
  })
  client.send(xml('iq', { xmlns: 'jabber:client', type: 'set', to: host, id }, command))
  return answer
}

const statusOf = (iq: XmlElement): string =>
  iq.getChild('command', NS)?.attrs.status ?? iq.toString()

test('a command outlives the router: its form is completed at the next, and what was running is done once', async (context) => {
  const services = await clusterServices(context)
  if (!services) return
  await using server = await TestServer.cluster(services, { routers: 1, log: { level: 'info' } })
  await server.addUser(admin, password)
  await server.command('user role', { jid: admin, role: 'admin' })
  const client = await server.login(`${admin}/hall`, password)
  const replaceRouter = async (): Promise<void> => {
    const [victim] = server.routers
    assert(victim)
    await victim.kill()
    server.forget(victim)
    await server.startRouter()
  }
  const begin = async (): Promise<string> =>
    (await say(client)).getChild('command', NS)?.attrs.sessionid ?? assert.fail()
  const adding = (name: string) => ({
    accountjid: `${name}@${host}`,
    password,
    'password-verify': password,
  })

  const session = await begin()
  await replaceRouter()
  assert.equal(statusOf(await say(client, session, adding('sampson'))), 'completed')

  // The account is there, or the job is noted, or nothing of it was taken yet: it must come to the same.
  for (const [name, delay] of [
    ['gregory', 0],
    ['abraham', 15],
    ['peter', 40],
  ] as const) {
    const again = await begin()
    const answer = say(client, again, adding(name))
    await pause(delay)
    await replaceRouter()
    assert.equal(statusOf(await answer), 'completed', `${name}: ${await answer}`)
    await server.command('user show', { jid: `${name}@${host}` })
  }

  assert.equal(statusOf(await say(client, await begin(), adding('balthasar'))), 'completed')
  // Who did what is in the log, and never what they said.
  const note = /command_done[^\n]*benvolio@montague\.example\/hall/
  await eventually(() => note.test(server.output), 20_000, 'it is not in the log')
  assert(!server.output.includes(password))
})
