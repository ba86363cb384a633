import assert from 'node:assert/strict'
import { createHash, type X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { Realm } from './realm.ts'

const verona = { domain: 'verona.lit' }
const mantua = { domain: 'mantua.lit' }

const limit = { timeout: 60_000 }

interface Listed {
  readonly streams: readonly {
    readonly direction: string
    readonly remote: string
    readonly authentication: string
    readonly tls: string
  }[]
}

const streamsOf = async (realm: Realm, domain: string): Promise<Listed['streams']> =>
  ((await realm.server(domain).command('s2s list', {})) as Listed).streams

test(
  'RFC 6120 §10.4: a message to another server, and the answer, by certificates',
  limit,
  async () => {
    await using realm = await Realm.of(verona, mantua)
    const romeo = await realm.login('romeo@mantua.lit/exile')
    const juliet = await realm.login('juliet@verona.lit/balcony')

    romeo.say(
      "<message to='juliet@verona.lit/balcony' id='m1' type='chat'><body>Well?</body></message>",
    )

    const heard = await juliet.hears('Well?')
    assert.match(heard, /from='romeo@mantua.lit\/exile'/)
    assert.match(heard, /to='juliet@verona.lit\/balcony'/)
    assert.match(heard, /xmlns='jabber:client'/)
    juliet.say("<message to='romeo@mantua.lit/exile' type='chat'><body>Ill.</body></message>")
    await romeo.hears('Ill.', "from='juliet@verona.lit/balcony'")

    const streams = await streamsOf(realm, 'verona.lit')
    assert.deepEqual(
      streams.map(({ direction, remote, authentication, tls }) => [
        direction,
        remote,
        authentication,
        tls,
      ]),
      [
        ['in', 'mantua.lit', 'external', 'TLSv1.3'],
        ['out', 'mantua.lit', 'external', 'TLSv1.3'],
      ],
    )
  },
)

test('XEP-0220 §2: by dialback, where nobody vouches for the certificates', limit, async () => {
  const federation = { dialback: ['*'] }
  await using realm = await Realm.of(
    { domain: 'verona.lit', names: [], federation },
    { domain: 'mantua.lit', names: [], federation },
  )
  const romeo = await realm.login('romeo@mantua.lit/exile')
  const juliet = await realm.login('juliet@verona.lit/balcony')

  romeo.say("<message to='juliet@verona.lit/balcony' type='chat'><body>one</body></message>")
  romeo.say("<message to='juliet@verona.lit/balcony' type='chat'><body>two</body></message>")

  await juliet.hears('one')
  await juliet.hears('two')
  const [incoming] = await streamsOf(realm, 'verona.lit')
  assert.equal(incoming?.authentication, 'dialback')
})

test(
  'RFC 6120 §13.7.2: a certificate that cannot be verified is refused, and senders learn of it',
  limit,
  async () => {
    await using realm = await Realm.of(verona, { domain: 'mantua.lit', names: [] })
    const romeo = await realm.login('romeo@mantua.lit/exile')
    const juliet = await realm.login('juliet@verona.lit/balcony')

    juliet.say("<message to='romeo@mantua.lit' id='v1' type='chat'><body>x</body></message>")
    romeo.say("<message to='juliet@verona.lit' id='m1' type='chat'><body>x</body></message>")

    await juliet.hears("id='v1'", "type='error'", 'remote-server-not-found', 'certificate')
    // The key was right, but nothing vouches for who confirmed it.
    await romeo.hears("id='m1'", "type='error'", 'remote-server-timeout')
  },
)

test(
  'RFC 9525: a certificate for other names is none, whatever its subject says',
  limit,
  async () => {
    await using realm = await Realm.of(verona, { domain: 'mantua.lit', names: ['DNS:padua.lit'] })
    const juliet = await realm.login('juliet@verona.lit/balcony')

    juliet.say("<message to='romeo@mantua.lit' id='v1' type='chat'><body>x</body></message>")

    await juliet.hears("id='v1'", 'remote-server-not-found', 'certificate')
  },
)

test('RFC 9525: an xmppAddr or an SRVName is as good as a DNS name', limit, async () => {
  await using realm = await Realm.of(
    { domain: 'verona.lit', names: ['otherName:1.3.6.1.5.5.7.8.5;UTF8:verona.lit'] },
    { domain: 'mantua.lit', names: ['otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-server.mantua.lit'] },
  )
  const romeo = await realm.login('romeo@mantua.lit/exile')
  const juliet = await realm.login('juliet@verona.lit/balcony')

  romeo.say("<message to='juliet@verona.lit/balcony' type='chat'><body>there</body></message>")
  await juliet.hears('there')
  juliet.say("<message to='romeo@mantua.lit/exile' type='chat'><body>back</body></message>")
  await romeo.hears('back')

  const streams = await streamsOf(realm, 'verona.lit')
  assert.deepEqual(
    streams.map(({ authentication }) => authentication),
    ['external', 'external'],
  )
})

test(
  'RFC 6121 §3, §4: a subscription between two servers, presence, probes and blocking',
  limit,
  async () => {
    await using realm = await Realm.of(verona, mantua)
    const romeo = await realm.login('romeo@mantua.lit/exile')
    const juliet = await realm.login('juliet@verona.lit/balcony')
    for (const speaker of [romeo, juliet]) {
      speaker.say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq><presence/>")
      await speaker.hears("id='r'", "type='result'")
    }

    romeo.say("<presence to='juliet@verona.lit' type='subscribe'/>")
    await juliet.hears("type='subscribe'", "from='romeo@mantua.lit'")
    juliet.say("<presence to='romeo@mantua.lit' type='subscribed'/>")
    await romeo.hears("type='subscribed'", "from='juliet@verona.lit'")
    await romeo.hears("<presence xmlns='jabber:client'", "from='juliet@verona.lit/balcony'")
    juliet.say('<presence><show>away</show></presence>')
    await romeo.hears('away', "to='romeo@mantua.lit")

    // §4.3: who comes back asks how things stand.
    const again = await realm.login('romeo@mantua.lit/night')
    again.say('<presence/>')
    await again.hears('away', "from='juliet@verona.lit/balcony'")

    // XEP-0191 §3.3: whoever is blocked sees one go, and gets nothing through.
    juliet.say(
      "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@mantua.lit'/></block></iq>",
    )
    await romeo.hears("type='unavailable'", "from='juliet@verona.lit/balcony'")
    romeo.say("<message to='juliet@verona.lit' id='m1' type='chat'><body>x</body></message>")
    await romeo.hears("id='m1'", "type='error'", 'service-unavailable')
  },
)

test(
  'RFC 6120 §10.5: requests to another server, to accounts there and to who is not there',
  limit,
  async () => {
    await using realm = await Realm.of(verona, mantua)
    const romeo = await realm.login('romeo@mantua.lit/exile')
    await realm.login('juliet@verona.lit/balcony')
    const ask = (to: string, id: string, type: string, payload: string): void =>
      romeo.say(`<iq to='${to}' id='${id}' type='${type}'>${payload}</iq>`)

    ask('verona.lit', 'p1', 'get', "<ping xmlns='urn:xmpp:ping'/>")
    await romeo.hears("id='p1'", "type='result'", "from='verona.lit'")
    ask('verona.lit', 'd1', 'get', "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    await romeo.hears("id='d1'", "type='result'", 'urn:xmpp:ping')
    ask('verona.lit', 's1', 'set', "<query xmlns='jabber:iq:register'><remove/></query>")
    await romeo.hears("id='s1'", "type='error'")
    ask('nobody@verona.lit', 'n1', 'get', "<query xmlns='jabber:iq:version'/>")
    await romeo.hears("id='n1'", "type='error'", 'service-unavailable')
    romeo.say("<message to='verona.lit' id='h1'><body>x</body></message>")
    await romeo.hears("id='h1'", "type='error'", 'service-unavailable')
  },
)

test(
  'RFC 6120 §8.3.3.15: what cannot be reached comes back, and an error never does',
  limit,
  async () => {
    await using realm = await Realm.of({ ...verona, s2s: { timeouts: { delivery: '1s' } } })
    realm.names.locate('dead.lit', 1)
    const juliet = await realm.login('juliet@verona.lit/balcony')

    juliet.say("<message to='x@nowhere.lit' id='e1' type='error'><error type='cancel'/></message>")
    juliet.say("<message to='x@nowhere.lit' id='m1' type='chat'><body>x</body></message>")
    await juliet.hears("id='m1'", "type='error'", 'remote-server-not-found', "from='x@nowhere.lit'")
    juliet.say("<iq to='dead.lit' id='p1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    await juliet.hears("id='p1'", "type='error'", 'remote-server-timeout', "from='dead.lit'")

    assert.deepEqual(
      juliet.unheard.filter((stanza) => stanza.includes("id='e1'")),
      [],
    )
  },
)

test('policy: off, allow-list and deny-list, in both directions', limit, async () => {
  await using realm = await Realm.of(
    { ...verona, federation: { policy: 'allow-list', domains: ['padua.lit'] } },
    { ...mantua, federation: { policy: 'deny-list', domains: ['padua.lit'] } },
  )
  const juliet = await realm.login('juliet@verona.lit/balcony')
  const romeo = await realm.login('romeo@mantua.lit/exile')

  juliet.say("<message to='romeo@mantua.lit' id='v1' type='chat'><body>x</body></message>")
  await juliet.hears("id='v1'", "type='error'", 'not-allowed')
  romeo.say("<message to='x@hill.padua.lit' id='m1' type='chat'><body>x</body></message>")
  await romeo.hears("id='m1'", "type='error'", 'not-allowed')
  romeo.say("<message to='juliet@verona.lit' id='m2' type='chat'><body>x</body></message>")
  await romeo.hears("id='m2'", "type='error'", 'remote-server-timeout')
})

test('SSRF: private addresses are not connected to unless that is allowed', limit, async () => {
  await using realm = await Realm.of({ ...verona, s2s: { allowPrivate: false } }, mantua)
  const juliet = await realm.login('juliet@verona.lit/balcony')

  juliet.say("<message to='romeo@mantua.lit' id='v1' type='chat'><body>x</body></message>")

  await juliet.hears("id='v1'", 'remote-server-not-found', 'private')
})

test(
  'XEP-0368 §3: records for TLS from the first byte and for STARTTLS are tried in one order',
  limit,
  async () => {
    await using realm = await Realm.of(verona, mantua)
    const { port } = realm.names.services.get('_xmpp-server._tcp.verona.lit')?.[0] ?? { port: 0 }
    // The better record leads nowhere; the worse one is the server.
    realm.names.services.set('_xmpps-server._tcp.verona.lit', [
      { host: 'host.verona.lit', port: 1, priority: 0 },
    ])
    realm.names.services.set('_xmpp-server._tcp.verona.lit', [
      { host: 'host.verona.lit', port, priority: 1 },
    ])
    const romeo = await realm.login('romeo@mantua.lit/exile')
    const juliet = await realm.login('juliet@verona.lit/balcony')

    romeo.say("<message to='juliet@verona.lit/balcony' type='chat'><body>there</body></message>")

    await juliet.hears('there')
  },
)

test('XEP-0368 §3: TLS from the first byte, in both directions', limit, async () => {
  await using realm = await Realm.of(verona, mantua)
  for (const { domain } of [verona, mantua]) {
    realm.names.services.delete(`_xmpp-server._tcp.${domain}`)
    realm.names.locate(domain, realm.server(domain).port('s2sTls'), '127.0.0.1', '_xmpps-server')
  }
  const romeo = await realm.login('romeo@mantua.lit/exile')
  const juliet = await realm.login('juliet@verona.lit/balcony')

  romeo.say("<message to='juliet@verona.lit/balcony' type='chat'><body>there</body></message>")
  await juliet.hears('there')
  juliet.say("<message to='romeo@mantua.lit/exile' type='chat'><body>back</body></message>")
  await romeo.hears('back')

  const streams = await streamsOf(realm, 'verona.lit')
  assert.deepEqual(
    streams.map(({ authentication, tls }) => [authentication, tls]),
    [
      ['external', 'TLSv1.3'],
      ['external', 'TLSv1.3'],
    ],
  )
})

test(
  'RFC 7712 §5: the DNS names the certificate that nobody vouches for, and another one is refused',
  limit,
  async () => {
    const dialback = { names: [], federation: { dialback: ['verona.lit'] } }
    await using realm = await Realm.of(
      { ...verona, s2s: { dnssec: true } },
      { ...mantua, ...dialback },
    )
    const { names } = realm
    names.isAuthentic = true
    const port = realm.server('mantua.lit').port('s2sTls')
    names.services.delete('_xmpp-server._tcp.mantua.lit')
    names.locate('mantua.lit', port, '127.0.0.1', '_xmpps-server')
    const shown = await certificateAt(port, 'mantua.lit')
    const name = (data: Uint8Array): void => {
      const record = { usage: 3, selector: 1, matching: 1, data }
      names.certificates.set(`_${port}._tcp.host.mantua.lit`, [record])
    }
    name(digestOf(shown))
    const romeo = await realm.login('romeo@mantua.lit/exile')
    const juliet = await realm.login('juliet@verona.lit/balcony')

    juliet.say("<message to='romeo@mantua.lit/exile' type='chat'><body>there</body></message>")
    await romeo.hears('there')
    // The other way the same: who confirms the key is whom the DNS names.
    romeo.say("<message to='juliet@verona.lit/balcony' type='chat'><body>back</body></message>")
    await juliet.hears('back')
  },
)

test(
  'RFC 7673 §4.1: where the DNS names another certificate, no authority helps',
  limit,
  async () => {
    await using realm = await Realm.of({ ...verona, s2s: { dnssec: true } }, mantua)
    const { names } = realm
    names.isAuthentic = true
    const record = { usage: 3, selector: 1, matching: 1, data: Buffer.alloc(32) }
    names.certificates.set(`_${realm.server('mantua.lit').port('s2s')}._tcp.host.mantua.lit`, [
      record,
    ])
    const juliet = await realm.login('juliet@verona.lit/balcony')

    juliet.say("<message to='romeo@mantua.lit' id='v1' type='chat'><body>x</body></message>")

    await juliet.hears("id='v1'", "type='error'", 'remote-server-not-found', 'certificate')
  },
)

/** Mantua, whose certificate nobody vouches for, and what the DNS says of it to verona. */
async function named(says: (certificate: X509Certificate) => Uint8Array): Promise<Realm> {
  const realm = await Realm.of(
    { ...verona, s2s: { dnssec: true } },
    { ...mantua, names: [], federation: { dialback: ['verona.lit'] } },
  )
  const { names } = realm
  const port = realm.server('mantua.lit').port('s2sTls')
  names.services.delete('_xmpp-server._tcp.mantua.lit')
  names.locate('mantua.lit', port, '127.0.0.1', '_xmpps-server')
  const data = says(await certificateAt(port, 'mantua.lit'))
  const record = { usage: 3, selector: 1, matching: 1, data }
  names.certificates.set(`_${port}._tcp.host.mantua.lit`, [record])
  return realm
}

const digestOf = ({ publicKey }: X509Certificate): Uint8Array =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()

test(
  'RFC 7712 §5: who connects proves itself by the certificate that the DNS names for its domain’s servers',
  limit,
  async () => {
    await using realm = await named(digestOf)
    realm.names.isAuthentic = true
    const romeo = await realm.login('romeo@mantua.lit/exile')
    const juliet = await realm.login('juliet@verona.lit/balcony')

    romeo.say(`<message to='${juliet.jid}' type='chat'><body>there</body></message>`)
    await juliet.hears('there')

    const [incoming] = await streamsOf(realm, 'verona.lit')
    assert.deepEqual([incoming?.direction, incoming?.authentication], ['in', 'external'])
  },
)

for (const [what, says, isAuthentic] of [
  ['names another one', () => Buffer.alloc(32), true],
  ['names it, and nobody verified that', digestOf, false],
] as const)
  test(`RFC 7712 §5: who connects proves nothing where the DNS ${what}`, limit, async () => {
    await using realm = await named(says)
    realm.names.isAuthentic = isAuthentic
    const romeo = await realm.login('romeo@mantua.lit/exile')
    await realm.login('juliet@verona.lit/balcony')

    romeo.say("<message to='juliet@verona.lit' id='m1' type='chat'><body>x</body></message>")

    // The key is right, but who confirms it cannot prove who it is either.
    await romeo.hears("id='m1'", "type='error'", 'remote-server-timeout')
  })

async function certificateAt(port: number, servername: string): Promise<X509Certificate> {
  const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerX509Certificate()
  socket.destroy()
  assert(certificate)
  return certificate
}
