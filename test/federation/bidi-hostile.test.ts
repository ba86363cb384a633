import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { header, Peer } from './peer.ts'
import { Realm } from './realm.ts'

const ours = 'verona.lit'
const theirs = 'mantua.lit'
const limit = { timeout: 90_000 }
const bidi = "<bidi xmlns='urn:xmpp:bidi'/>"
const timeouts = { dns: '2s', connect: '2s', negotiation: '2s', delivery: '8s' }

/** A server of a domain with a certificate of it, that does what the test wants with whoever connects. */
async function serving(
  realm: Realm,
  domain: string,
  take: (peer: Peer) => Promise<unknown>,
): Promise<Disposable> {
  const { authority, names } = realm
  const pair = authority.issue(join(authority.folder, `server-${domain}`), domain)
  const [cert, key] = [readFileSync(pair.certificate), readFileSync(pair.key)]
  const options = { cert, key, ALPNProtocols: ['xmpp-server'] }
  const sockets = new Set<TLSSocket>()
  const server = createServer(options, (socket) => {
    sockets.add(socket)
    // What becomes of the connection is the other side's to say.
    void take(new Peer(socket)).catch(() => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  names.locate(domain, (server.address() as AddressInfo).port, '127.0.0.1', '_xmpps-server')
  return {
    [Symbol.dispose]: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

const answer = (domain: string, features: string): string =>
  `${header(ours, domain).replace("version='1.0' xmlns", "id='x' version='1.0' xmlns")}<stream:features>${features}</stream:features>`

/** Says of every key that it is its own, and keeps what else comes. */
const confirming =
  (domain: string, verdict: 'valid' | 'invalid', heard: string[] = []) =>
  async (peer: Peer): Promise<void> => {
    await peer.hears('<stream:stream')
    peer.say(answer(domain, ''))
    const asked = await peer.hears('</db:')
    const id = /id='([^']+)'/.exec(asked)?.[1]
    if (asked.includes('<db:verify'))
      return peer.say(`<db:verify from='${domain}' to='${ours}' id='${id}' type='${verdict}'/>`)
    peer.say(`<db:result from='${domain}' to='${ours}' type='valid'/>`)
    for (;;) heard.push(await peer.hears('</message>'))
  }

/** A stream to us, by a certificate where there is one. */
async function open(realm: Realm, from: string, certified?: string): Promise<Peer> {
  if (certified === undefined) {
    const peer = await Peer.to(realm.server(ours).port('s2s'))
    peer.say(header(ours, from))
    await peer.hears('</stream:features>')
    return peer
  }
  const { authority } = realm
  const pair = authority.issue(join(authority.folder, `peer-${certified}`), certified)
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
  peer.say(header(ours, from))
  await peer.hears('</stream:features>')
  return peer
}

/** Everything that comes, until the end. */
function keep(peer: Peer): string[] {
  const heard: string[] = []
  void (async () => {
    for (;;) heard.push(await peer.hears('>'))
  })().catch(() => {})
  return heard
}

test(
  'V36: nobody draws what is for a domain to a stream that did not prove it',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: ours, s2s: { bidi: true, timeouts } })
    const home: string[] = []
    using _theirs = await serving(realm, theirs, confirming(theirs, 'invalid', home))
    // Its certificate is proof enough, and it cannot be connected to.
    realm.names.locate('padua.lit', 1)
    const juliet = await realm.login(`juliet@${ours}/balcony`)

    const stranger = await open(realm, theirs)
    stranger.say(bidi)
    const padua = await open(realm, 'padua.lit', 'padua.lit')
    padua.say(`${bidi}<db:result from='padua.lit' to='${ours}'>key</db:result>`)
    await padua.hears("type='valid'")
    padua.say(`<db:result from='${theirs}' to='${ours}'>key</db:result>`)
    padua.say(`<message from='x@padua.lit' to='${juliet.jid}'><body>begun</body></message>`)
    await juliet.hears('begun')
    const drawn = [keep(stranger), keep(padua)]
    juliet.say(`<message to='x@padua.lit' type='chat'><body>for padua</body></message>`)
    juliet.say(
      `<message to='romeo@${theirs}' id='m1' type='chat'><body>for mantua</body></message>`,
    )

    for (const heard of [home, drawn[1] ?? []])
      while (!heard.join('').includes('<body>')) await new Promise((done) => setTimeout(done, 50))
    assert.match(home.join(''), /for mantua/)
    assert.match(drawn[1]?.join('') ?? '', /for padua/)
    assert.equal(drawn.flat().join('').includes('for mantua'), false)
  },
)

test(
  'who proved its domain by a key, on a stream that somebody may sit in, is gone to all the same',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: ours, s2s: { bidi: true, timeouts } })
    const arrived: string[] = []
    using _server = await serving(realm, theirs, confirming(theirs, 'valid', arrived))
    const juliet = await realm.login(`juliet@${ours}/balcony`)
    const peer = await open(realm, theirs)
    peer.say(`${bidi}<db:result from='${theirs}' to='${ours}'>key</db:result>`)
    await peer.hears("type='valid'")
    peer.say(`<message from='x@${theirs}' to='${juliet.jid}'><body>begun</body></message>`)
    await juliet.hears('begun')
    const heard = keep(peer)
    // Time for an offer that must not be made.
    await new Promise((resolve) => setTimeout(resolve, 1_500))

    for (let n = 0; arrived.length === 0; n += 1) {
      juliet.say(`<message to='x@${theirs}' type='chat'><body>n${n}</body></message>`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }

    assert.equal(heard.join('').includes('<body>'), false)
  },
)

const forgeries = {
  "from='x@padua.lit' to='juliet@verona.lit'": '<invalid-from',
  "from='nurse@verona.lit' to='juliet@verona.lit'": '<invalid-from',
  "from='x@mantua.lit' to='x@padua.lit'": '<improper-addressing',
  "to='juliet@verona.lit'": '<improper-addressing',
} as const

test(
  'V36: on a stream of ours the other side speaks for its domain, to ours, and for no other',
  limit,
  async () => {
    for (const [addresses, condition] of Object.entries(forgeries)) {
      await using realm = await Realm.of({ domain: ours, s2s: { bidi: true, timeouts } })
      const told = Promise.withResolvers<string>()
      using _server = await serving(realm, theirs, async (peer) => {
        await peer.hears('<stream:stream')
        peer.say(answer(theirs, "<bidi xmlns='urn:xmpp:features:bidi'/>"))
        const asked = await peer.hears('</db:result>')
        // XEP-0478 §3.2: and says what it takes.
        assert.match(asked, /<bidi xmlns='urn:xmpp:bidi'><limits [^>]*><max-bytes>.*<db:result/)
        peer.say(`<db:result from='${theirs}' to='${ours}' type='valid'/>`)
        peer.say(`<message from='x@${theirs}' to='juliet@${ours}'><body>true</body></message>`)
        peer.say(`<message ${addresses}><body>forged</body></message>`)
        told.resolve(await peer.hears('</stream:stream>'))
      })
      const juliet = await realm.login(`juliet@${ours}/balcony`)
      juliet.say('<presence/>')
      juliet.say(`<message to='x@${theirs}' type='chat'><body>x</body></message>`)

      await juliet.hears('<body>true')
      assert.match(await told.promise, new RegExp(condition))
      assert.equal(juliet.heard.join('').includes('forged'), false)
    }
  },
)

test(
  'V36: before anybody is proved nothing is taken, and nothing where it was not asked for',
  limit,
  async () => {
    for (const offered of [true, false]) {
      const s2s = { bidi: offered, timeouts }
      await using realm = await Realm.of({ domain: ours, s2s })
      const told = Promise.withResolvers<string>()
      using _server = await serving(realm, theirs, async (peer) => {
        await peer.hears('<stream:stream')
        peer.say(answer(theirs, "<bidi xmlns='urn:xmpp:features:bidi'/>"))
        await peer.hears('</db:result>')
        if (!offered) peer.say(`<db:result from='${theirs}' to='${ours}' type='valid'/>`)
        peer.say(`<message from='x@${theirs}' to='juliet@${ours}'><body>forged</body></message>`)
        told.resolve(await peer.hears('</stream:stream>'))
      })
      const juliet = await realm.login(`juliet@${ours}/balcony`)
      juliet.say('<presence/>')
      juliet.say(`<message to='x@${theirs}' type='chat'><body>x</body></message>`)

      assert.match(await told.promise, offered ? /<not-authorized/ : /<unsupported-stanza-type/)
      assert.equal(juliet.heard.join('').includes('forged'), false)
    }
  },
)

test('XEP-0288 §2.2: it is asked for behind TLS, and of who offers it', limit, async () => {
  for (const [settings, s2s, condition] of [
    [{}, {}, '<unsupported-stanza-type'],
    [{ tls: { required: true } }, { bidi: true }, '<policy-violation'],
  ] as const) {
    await using realm = await Realm.of({ domain: ours, s2s, settings })
    const peer = await Peer.to(realm.server(ours).port('s2s'))
    peer.say(header(ours, theirs))
    await peer.hears('</stream:features>')
    peer.say(bidi)
    await peer.hears(condition)
  }
})

test(
  'XEP-0288 §2.2: it is asked for before anybody is proved, as only so it is known for which domains it is',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: ours, s2s: { bidi: true, timeouts } })
    const peer = await open(realm, theirs, theirs)
    peer.say(`<db:result from='${theirs}' to='${ours}'>key</db:result>`)
    await peer.hears("type='valid'")
    peer.say(bidi)
    await peer.hears('<policy-violation')
  },
)
