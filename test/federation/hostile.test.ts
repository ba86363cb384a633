import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { header, Peer } from './peer.ts'
import { Realm } from './realm.ts'

const ours = 'verona.lit'
const theirs = 'mantua.lit'
const limit = { timeout: 60_000 }

/** A server of a domain that confirms every key, as its own would. */
async function confirming(realm: Realm, domain: string): Promise<Disposable> {
  const server = createServer((socket) => {
    const peer = new Peer(socket)
    void (async () => {
      await peer.hears('<stream:stream')
      peer.say(
        `${header(ours, domain).replace("version='1.0' xmlns", "id='x' version='1.0' xmlns")}<stream:features/>`,
      )
      const id = /id='([^']+)'/.exec(await peer.hears('</db:verify>'))?.[1]
      peer.say(`<db:verify from='${domain}' to='${ours}' id='${id}' type='valid'/>`)
    })().catch(() => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  realm.names.locate(domain, (server.address() as AddressInfo).port)
  return { [Symbol.dispose]: () => void server.close() }
}

const open = async (realm: Realm, from = theirs, to = ours): Promise<Peer> => {
  const peer = await Peer.to(realm.server(ours).port('s2s'))
  peer.say(header(to, from))
  return peer
}

/** A peer that proved by dialback that it is `theirs`. */
async function proved(realm: Realm): Promise<Peer> {
  const peer = await open(realm)
  await peer.hears('</stream:features>')
  peer.say(`<db:result from='${theirs}' to='${ours}'>any key</db:result>`)
  await peer.hears("type='valid'")
  return peer
}

test(
  'V36: a stanza is of a pair of domains that its stream has proved, or the stream ends',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: ours, federation: { dialback: ['*'] } })
    using _server = await confirming(realm, theirs)
    const juliet = await realm.login(`juliet@${ours}/balcony`)
    const message = (from: string, to = juliet.jid): string =>
      `<message from='${from}' to='${to}' type='chat'><body>from ${from}</body></message>`

    const stranger = await open(realm)
    stranger.say(message(`romeo@${theirs}`))
    await stranger.hears('<not-authorized')

    const peer = await proved(realm)
    peer.say(message(`romeo@${theirs}`))
    await juliet.hears(`from romeo@${theirs}`)
    peer.say(message('romeo@padua.lit'))
    await peer.hears('<invalid-from')

    const local = await proved(realm)
    local.say(message(`nurse@${ours}`))
    await local.hears('<invalid-from')

    const away = await proved(realm)
    away.say(message(`romeo@${theirs}`, 'x@padua.lit'))
    await away.hears('<improper-addressing')

    const nameless = await proved(realm)
    nameless.say(`<message to='${juliet.jid}'><body>x</body></message>`)
    await nameless.hears('<improper-addressing')
    assert.deepEqual(juliet.unheard, [])
  },
)

test('V33: nobody is believed for an answer that was not asked for', limit, async () => {
  await using realm = await Realm.of({ domain: ours, federation: { dialback: ['*'] } })
  for (const answer of ['result', 'verify']) {
    const peer = await open(realm)
    await peer.hears('</stream:features>')
    peer.say(`<db:${answer} from='${theirs}' to='${ours}' id='x' type='valid'/>`)
    await peer.hears('<policy-violation')
  }
})

test(
  'XEP-0220 §2.2.2, §2.4.2: keys that are not ours, and domains that nobody serves',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: ours, federation: { dialback: ['*'] } })
    const peer = await open(realm)
    await peer.hears('</stream:features>')

    peer.say(`<db:verify from='${theirs}' to='${ours}' id='s1'>0123456789abcdef</db:verify>`)
    await peer.hears(`<db:verify from='${ours}' to='${theirs}' id='s1' type='invalid'/>`)
    peer.say(`<db:verify from='${theirs}' to='padua.lit' id='s1'>0123</db:verify>`)
    await peer.hears('<item-not-found')
    peer.say(`<db:result from='${theirs}' to='padua.lit'>key</db:result>`)
    await peer.hears('<item-not-found')
    // Nobody can be asked: the stream stays, for other pairs.
    peer.say(`<db:result from='nowhere.lit' to='${ours}'>key</db:result>`)
    await peer.hears('<remote-server-not-found')
    peer.drop()

    const lost = await open(realm, theirs, 'padua.lit')
    await lost.hears('<host-unknown')
  },
)

test(
  'a domain that goes too far on streams that it proved is banned, unless it is trusted',
  limit,
  async () => {
    await using realm = await Realm.of({
      domain: ours,
      federation: { dialback: ['*'] },
      s2s: { gate: { hits: 2 } },
    })
    using _server = await confirming(realm, theirs)
    const server = realm.server(ours)
    const misbehave = async (): Promise<void> => {
      const peer = await proved(realm)
      peer.say(`<message from='x@padua.lit' to='juliet@${ours}'><body>x</body></message>`)
      await peer.hears('<invalid-from')
    }
    // Whoever only says that it is of a domain harms nobody there.
    for (let time = 0; time < 3; time += 1) {
      const liar = await open(realm, 'padua.lit')
      liar.say(`<message from='x@padua.lit' to='juliet@${ours}'><body>x</body></message>`)
      await liar.hears('<not-authorized')
    }
    await misbehave()
    await misbehave()
    const refused = async (): Promise<boolean> => {
      const peer = await open(realm)
      await peer.hears('</stream:features>')
      peer.say(`<db:result from='${theirs}' to='${ours}'>any key</db:result>`)
      const answer = await peer.hears(" type='")
      peer.drop()
      return !answer.includes("type='valid'")
    }
    const blocked = async (): Promise<string> =>
      JSON.stringify(await server.command('s2s blocked', {}))
    while (!(await blocked()).includes('invalid-from')) await new Promise(setImmediate)
    assert.match(await blocked(), /"domain":"mantua.lit","kind":"blocked"/)
    assert.doesNotMatch(await blocked(), /padua/)
    while (!(await refused())) await new Promise((resolve) => setTimeout(resolve, 200))

    await server.command('s2s trust', { domain: theirs, host: ours })
    while (await refused()) await new Promise((resolve) => setTimeout(resolve, 200))
    await misbehave()
    await misbehave()
    assert.match(await blocked(), /"kind":"trusted"/)
  },
)

test(
  'XEP-0344 §2.4: nobody is called back for a domain that the certificate stands for, and for another one still',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: ours })
    const { authority } = realm
    const pair = authority.issue(join(authority.folder, 'peer'), theirs)
    const socket = connect({
      host: '127.0.0.1',
      port: realm.server(ours).port('s2sTls'),
      servername: ours,
      ALPNProtocols: ['xmpp-server'],
      cert: readFileSync(pair.certificate),
      key: readFileSync(pair.key),
      rejectUnauthorized: false,
    })
    await once(socket, 'secureConnect')
    const peer = new Peer(socket)
    peer.say(header(ours, theirs))
    await peer.hears('</stream:features>')

    // Nobody serves either of them.
    peer.say(`<db:result from='rooms.${theirs}' to='${ours}'>any key</db:result>`)
    await peer.hears(`from='${ours}' to='rooms.${theirs}' type='valid'`)
    peer.say(`<db:result from='padua.lit' to='${ours}'>any key</db:result>`)
    await peer.hears('<remote-server-not-found')
    peer.drop()
  },
)
