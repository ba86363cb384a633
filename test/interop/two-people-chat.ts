import assert from 'node:assert/strict'
import { Agent, type Told } from './agent.ts'

interface Address {
  readonly host: string
  readonly port: number
}

/** A running server with the accounts romeo and juliet. */
export interface Server {
  readonly domain: string
  readonly password: string
  /** What juliet uses: `xmpp://…` with STARTTLS, or `wss://…`. */
  readonly service: string
  /** The direct TLS listener that romeo uses; on a cluster, of another connection manager. */
  readonly directTls: Address
  /** File of the certificate that the server shows. */
  readonly authority: string
}

/** The scene of “Two people chat”: log in, subscribe, see each other, talk both ways, leave a message for later. */
export async function twoPeopleChat(server: Server): Promise<void> {
  const julietJid = `juliet@${server.domain}`
  const romeoJid = `romeo@${server.domain}`
  const from = (jid: string) => (told: Told) => String(told.sender).startsWith(jid)
  await using juliet = Agent.xmppJs(server.service, julietJid, server.password, server.authority)
  await using romeo = Agent.slixmpp(
    server.directTls,
    romeoJid,
    server.password,
    'tls',
    server.authority,
  )
  await juliet.expect('online')
  await romeo.expect('online')

  await befriend(juliet, julietJid, romeo, romeoJid)
  juliet.tell({ do: 'say', to: romeoJid, body: 'O Romeo, Romeo!' })
  assert.equal((await romeo.expect('message', from(julietJid))).body, 'O Romeo, Romeo!')
  romeo.tell({ do: 'say', to: julietJid, body: 'Shall I hear more?' })
  assert.equal((await juliet.expect('message', from(romeoJid))).body, 'Shall I hear more?')

  await romeo.close()
  await juliet.expect('presence', (told) => from(romeoJid)(told) && told.type === 'unavailable')
  juliet.tell({ do: 'say', to: romeoJid, body: 'Parting is such sweet sorrow' })
  // A round trip on the same stream: the message was processed before it is answered.
  juliet.tell({ do: 'ping', to: server.domain })
  await juliet.expect('pong')

  await using again = Agent.slixmpp(
    server.directTls,
    romeoJid,
    server.password,
    'tls',
    server.authority,
  )
  await again.expect('online')
  const waiting = await again.expect('message', from(julietJid))
  assert.equal(waiting.body, 'Parting is such sweet sorrow')
  assert.equal(waiting.delayed, true, 'XEP-0160: an offline message says when it was sent')
  await juliet.expect('presence', (told) => from(romeoJid)(told) && told.type === 'available')
  assert.deepEqual(again.untaken('message'), [], 'nothing arrives twice')
  await juliet.close()
  await again.close()
}

async function befriend(
  juliet: Agent,
  julietJid: string,
  romeo: Agent,
  romeoJid: string,
): Promise<void> {
  const isFrom = (jid: string, type: string) => (told: Told) =>
    String(told.sender).startsWith(jid) && told.type === type
  juliet.tell({ do: 'presence', to: romeoJid, type: 'subscribe' })
  await romeo.expect('presence', isFrom(julietJid, 'subscribe'))
  romeo.tell({ do: 'presence', to: julietJid, type: 'subscribed' })
  await juliet.expect('presence', isFrom(romeoJid, 'available'))
  romeo.tell({ do: 'presence', to: julietJid, type: 'subscribe' })
  await juliet.expect('presence', isFrom(romeoJid, 'subscribe'))
  juliet.tell({ do: 'presence', to: romeoJid, type: 'subscribed' })
  await romeo.expect('presence', isFrom(julietJid, 'available'))
  juliet.tell({ do: 'roster' })
  assert.deepEqual((await juliet.expect('roster')).items, { [romeoJid]: 'both' })
}
