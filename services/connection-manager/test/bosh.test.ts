import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseElement } from '@tactus/xml'
import { attrsOf, http, message, RawBosh, texts } from './support/bosh.ts'
import { boshScene, condition, sessionOf, terminated } from './support/bosh-scene.ts'
import { host } from './support/scene.ts'

test('XEP-0124 §7.2, XEP-0206 §4: the answer to the creation says what holds, and brings the features', async () => {
  await using stage = await boshScene()
  const { created } = await RawBosh.create(stage.web, { ack: 1, wait: 300, hold: 4 })
  const { sid = '', authid = '', ...attrs } = created?.attrs ?? {}
  assert.match(sid, /\.[\w-]{22}$/)
  assert.match(authid, /^[\w-]{22}$/)
  assert.deepEqual(
    { ...attrs },
    {
      xmlns: 'http://jabber.org/protocol/httpbind',
      'xmlns:xmpp': 'urn:xmpp:xbosh',
      wait: '60',
      hold: '1',
      requests: '2',
      ver: '1.11',
      from: host,
      polling: '5',
      inactivity: '60',
      maxpause: '120',
      charsets: 'UTF-8',
      ack: '4711',
      'xmpp:restartlogic': 'true',
      'xmpp:version': '1.0',
    },
  )
  const features = created?.getChild('features', 'http://etherx.jabber.org/streams')
  assert(features?.getChild('mechanisms'))
})

test('XEP-0124 §7.1: of two versions the lower one is spoken, its parts being numbers', async () => {
  await using stage = await boshScene()
  const spoken = async (ver: string): Promise<string | undefined> =>
    (await RawBosh.create(stage.web, { ver })).created?.attrs.ver
  assert.equal(await spoken('1.6'), '1.6')
  assert.equal(await spoken('1.9'), '1.9')
  assert.equal(await spoken('1.100'), '1.11')
  assert.equal(await spoken('2.0'), '1.11')
})

test('XEP-0206 §5: SASL, a restart, a resource, and stanzas both ways', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.create(stage.web)
  const features = async (): Promise<string> =>
    (await client.request('', { 'xmpp:restart': 'true', to: host })).text
  const auth = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0wherefore')}</auth>`
  assert.match((await client.request(auth)).text, /<success xmlns/)
  const offered = await features()
  assert.match(offered, /<stream:features[^>]*><bind /)
  // Requests and answers acknowledge each other; a second count could only contradict.
  assert.doesNotMatch(offered, /urn:xmpp:sm:3/)
  const bound = await client.request(
    `<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`,
  )
  assert.match(bound.text, /<jid>romeo@montague\.example\/made<\/jid>/)
  assert.deepEqual(texts(await client.request(message('one'))), ['one'])
  await stage.owner.deliver(sessionOf(stage), message('two'))
  assert.deepEqual(texts(await client.request()), ['two'])
})

test('XEP-0206 §2: a stanza that says no namespace is one of jabber:client', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const bare = message('one').replace(" xmlns='jabber:client'", '')
  assert.deepEqual(texts(await client.request(bare)), ['one'])
})

test('XEP-0206 §5: a restart that nobody asked for, or none where one is due, ends the stream', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.login(stage.web, 'romeo')
  const answer = await client.request('', { 'xmpp:restart': 'true', to: host })
  assert.deepEqual(condition(answer.text), ['remote-stream-error', 'policy-violation'])
  const other = await RawBosh.create(stage.web)
  await other.request(
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0wherefore')}</auth>`,
  )
  const early = await other.request(message('one'))
  assert.deepEqual(condition(early.text), ['remote-stream-error', 'policy-violation'])
})

const creations: readonly [title: string, attrs: Record<string, string | undefined>, string][] = [
  ['a domain that is not served', { to: 'verona.example' }, 'host-unknown'],
  ['no domain', { to: undefined }, 'improper-addressing'],
  ['a wait that is no number', { wait: '-1' }, 'bad-request'],
  ['a hold that is no number', { hold: 'x' }, 'bad-request'],
  ['a content type that ends the header', { content: 'text/xml&#13;&#10;X: y' }, 'bad-request'],
]

for (const [title, attrs, expected] of creations) {
  test(`XEP-0124 §17.2: ${title} makes no session: ${expected}`, async () => {
    await using stage = await boshScene()
    const answer = await new RawBosh(stage.web).first(attrs)
    assert.equal(answer.status, 200)
    assert.deepEqual(attrsOf(answer), terminated(expected))
  })
}

const garbage: readonly [title: string, body: string][] = [
  ['nothing', ''],
  ['no XML', 'sid=1'],
  ['another root', "<message xmlns='jabber:client'/>"],
  ['a body of another namespace', "<body rid='1' xmlns='jabber:client'/>"],
  ['no number', "<body xmlns='http://jabber.org/protocol/httpbind' to='montague.example'/>"],
  [
    'a number beyond 2^53 (V16)',
    "<body rid='9007199254740992' xmlns='http://jabber.org/protocol/httpbind'/>",
  ],
  [
    'text beside the elements',
    "<body rid='1' xmlns='http://jabber.org/protocol/httpbind'>x</body>",
  ],
  [
    'an entity (V01)',
    "<!DOCTYPE b [<!ENTITY e 'x'>]><body rid='1' xmlns='http://jabber.org/protocol/httpbind'>&e;</body>",
  ],
]

for (const [title, body] of garbage) {
  test(`XEP-0124 §6: ${title} is a bad request`, async () => {
    await using stage = await boshScene()
    assert.deepEqual(attrsOf(await http(stage.web, body)), terminated('bad-request'))
  })
}

test('XEP-0124 §17.1: who named no version gets errors of HTTP', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.create(stage.web, { ver: undefined })
  assert.equal(client.created?.attrs.ver, undefined)
  const answer = await client.repeat(9_999)
  assert.equal(answer.status, 404)
})

test('limits: before authentication a body is small, and all of them together', async () => {
  await using stage = await boshScene()
  const client = await RawBosh.create(stage.web)
  const large = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${'A'.repeat(17_000)}</auth>`
  assert.deepEqual(attrsOf(await client.request(large)), terminated('policy-violation'))
  const huge = await http(stage.web, 'x'.repeat(300_000))
  assert.equal(huge.status, 413)
})

test('XEP-0124 §18.1: what began inside TLS is not answered outside, nor ended from there', async () => {
  await using stage = await boshScene()
  const secure = { headers: { 'X-Forwarded-Proto': 'https' } }
  const creation = new RawBosh(stage.web).body(1, '', { to: host, ver: '1.6', wait: 0 })
  const { sid } = parseElement((await http(stage.web, creation, secure)).text).attrs
  const client = new RawBosh(stage.web)
  client.sid = sid
  assert.deepEqual(attrsOf(await client.repeat(2)), terminated('item-not-found'))
  assert.deepEqual(attrsOf(await http(stage.web, client.body(2), secure)), {})
})

test('V15: TLS where it is required, and pages only of listed origins', async () => {
  await using stage = await boshScene({
    config: { http: { origins: ['https://chat.example'] }, tls: { required: 'true' } },
  })
  assert.equal((await http(stage.web, '')).status, 403)
  const from = (Origin: string, method = 'OPTIONS'): ReturnType<typeof http> =>
    http(stage.web, '', { method, headers: { Origin, 'X-Forwarded-Proto': 'https' } })
  const preflight = await from('https://chat.example')
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers['access-control-allow-origin'], 'https://chat.example')
  assert.equal(preflight.headers['access-control-allow-headers'], 'Content-Type')
  assert.equal(preflight.headers['access-control-allow-credentials'], undefined)
  assert.equal((await from('https://evil.example')).status, 403)
  assert.equal((await from('https://evil.example', 'POST')).status, 403)
})

test('V15: whatever type of answers a client chooses, no browser runs what is in one', async () => {
  await using stage = await boshScene()
  const client = new RawBosh(stage.web)
  const { headers } = await client.first({ content: 'text/html; charset=utf-8' })
  assert.equal(headers['content-type'], 'text/html; charset=utf-8')
  assert.equal(headers['content-security-policy'], "sandbox; default-src 'none'")
  assert.equal(headers['x-content-type-options'], 'nosniff')
})

test('XEP-0252: requests in the query of a GET, where that is allowed', async () => {
  await using closed = await boshScene()
  const creation = new RawBosh(closed.web).body(1, '', { to: host, ver: '1.6' })
  const path = `/http-bind?${encodeURIComponent(creation)}`
  assert.equal((await http(closed.web, '', { method: 'GET', path })).status, 404)
  await using stage = await boshScene({ config: { bosh: { script: 'on' } } })
  const answer = await http(stage.web, '', { method: 'GET', path })
  assert.equal(answer.headers['content-type'], 'text/javascript; charset=utf-8')
  const [, literal = ''] = /^_BOSH_\((".*")\)$/.exec(answer.text) ?? []
  assert.match(attrsOf({ ...answer, text: JSON.parse(literal) }).sid ?? '', /\./)
  const named = new URLSearchParams({ callback: 'chat.reply', data: creation })
  const other = await http(stage.web, '', { method: 'GET', path: `/http-bind?${named}` })
  assert.match(other.text, /^\/\*\*\/chat\.reply\(\{"reply":"/)
  const evil = new URLSearchParams({ callback: 'alert(1);x', data: creation })
  assert.equal(
    (await http(stage.web, '', { method: 'GET', path: `/http-bind?${evil}` })).status,
    404,
  )
})

test('a GET without a query says what is here; other methods are refused', async () => {
  await using stage = await boshScene()
  assert.match((await http(stage.web, '', { method: 'GET' })).text, /BOSH/)
  assert.equal((await http(stage.web, '', { method: 'PUT' })).status, 405)
  const encoded = await http(stage.web, '', { headers: { 'Content-Encoding': 'gzip' } })
  assert.equal(encoded.status, 415)
})

test('over BOSH and TCP it is one server', async () => {
  await using stage = await boshScene()
  const web = await RawBosh.login(stage.web, 'romeo')
  const benvolio = await stage.login('benvolio')
  benvolio.send(message('one'))
  assert.deepEqual(texts(await web.request()), ['one'])
  await web.request(message('two', `benvolio@${host}`), { type: 'terminate' })
  await benvolio.until('two')
  benvolio.close()
})
