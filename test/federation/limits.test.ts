import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { header, Peer } from './peer.ts'
import { Realm } from './realm.ts'

const ours = 'verona.lit'
const theirs = 'mantua.lit'
const limit = { timeout: 90_000 }

const management = "<sm xmlns='urn:xmpp:sm:3'/>"
const atMost = (bytes: number): string =>
  `<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>${bytes}</max-bytes></limits>`

/** A server of `theirs` that believes every key; `take` gets what comes afterwards. */
async function believing(
  realm: Realm,
  features: string,
  take: (peer: Peer) => Promise<unknown>,
): Promise<Disposable> {
  const server = createServer((socket) => {
    const peer = new Peer(socket)
    void (async () => {
      await peer.hears('<stream:stream')
      const opening = header(ours, theirs).replace(
        "version='1.0' xmlns",
        "id='x' version='1.0' xmlns",
      )
      peer.say(`${opening}<stream:features>${features}</stream:features>`)
      await peer.hears('</db:result>')
      peer.say(`<db:result from='${theirs}' to='${ours}' type='valid'/>`)
      await take(peer)
      // What becomes of the connection is the other side's to say.
    })().catch(() => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  realm.names.locate(theirs, (server.address() as AddressInfo).port)
  return { [Symbol.dispose]: () => void server.close() }
}

const message = (id: string, body: string): string =>
  `<message to='romeo@${theirs}' id='${id}' type='chat'><body>${body}</body></message>`

test('XEP-0478 §3.1: other servers are told what is taken of them', limit, async () => {
  await using realm = await Realm.of({ domain: ours })
  const peer = await Peer.to(realm.server(ours).port('s2s'))
  peer.say(header(ours, theirs))

  const features = await peer.hears('</stream:features>')

  const told = /<max-bytes>(\d+)<\/max-bytes><idle-seconds>(\d+)<\/idle-seconds>/.exec(features)
  assert(Number(told?.[1]) >= 10_000, features)
  assert(Number(told?.[2]) > 0, features)
})

test(
  'XEP-0478 §4: what is too large for the other server goes back, and its stream stays',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: ours, federation: { dialback: ['*'] } })
    const heard: string[] = []
    using _server = await believing(realm, atMost(20_000), async (peer) => {
      for (;;) heard.push(await peer.hears('</message>'))
    })
    const juliet = await realm.login(`juliet@${ours}/balcony`)

    juliet.say(message('small', 'a'.repeat(19_000)))
    juliet.say(message('large', 'b'.repeat(20_000)))
    juliet.say(message('last', 'c'))

    await juliet.hears("id='large'", "type='error'", '<policy-violation', 'of 20000 bytes at most')
    while (!heard.join('').includes("id='last'")) await new Promise((done) => setTimeout(done, 20))
    assert.match(heard.join(''), /id='small'/)
    assert.equal(heard.join('').includes("id='large'"), false)
  },
)

test(
  'design §3.10: what the other server ends its streams over goes back, and what is behind it arrives',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: ours, federation: { dialback: ['*'] } })
    let streams = 0
    const arrived = Promise.withResolvers<string>()
    using _server = await believing(realm, management, async (peer) => {
      streams += 1
      await peer.hears('<enable')
      peer.say("<enabled xmlns='urn:xmpp:sm:3'/>")
      const heard = await peer.hears('</message>')
      if (!heard.includes('poison')) return arrived.resolve(heard)
      peer.say(
        "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
      )
    })
    const juliet = await realm.login(`juliet@${ours}/balcony`)

    juliet.say(message('bad', 'poison'))
    juliet.say(message('good', 'wine'))

    await juliet.hears("id='bad'", "type='error'", '<policy-violation', 'ends its streams over it')
    assert.match(await arrived.promise, /id='good'/)
    assert.equal(streams, 4, 'it is tried again, and not for ever')
  },
)
