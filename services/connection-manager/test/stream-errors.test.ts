import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bindRequest, header, plainAuth, RawClient } from './support/client.ts'
import { host, scene } from './support/scene.ts'

const streams = 'http://etherx.jabber.org/streams'
const open = header(host)
const auth = plainAuth('romeo', 'wherefore')
const bound = `${open}${auth}${open}${bindRequest('garden')}`

/** What is sent, the condition that must come back, and why. */
const faults: readonly [title: string, sent: string | Uint8Array, condition: string][] = [
  ['§4.9.3.1 a root of another name', open.replace('stream:stream', 'stream:river'), 'bad-format'],
  [
    '§4.9.3.2 no prefix where one is needed',
    `<stream xmlns='jabber:client' xmlns:stream='${streams}' to='${host}' version='1.0'>`,
    'bad-namespace-prefix',
  ],
  [
    '§4.9.3.2 another prefix',
    `<s:stream xmlns='jabber:client' xmlns:s='${streams}' to='${host}' version='1.0'>`,
    'bad-namespace-prefix',
  ],
  ['§4.9.3.6 a domain that is not ours', header('capulet.example'), 'host-unknown'],
  ['§4.9.3.6 an address that is none', header('@@'), 'host-unknown'],
  ['§4.9.3.7 no addressee', open.replace(` to='${host}'`, ''), 'improper-addressing'],
  ['§4.9.3.7 an account as addressee', header(`romeo@${host}`), 'improper-addressing'],
  ['§4.9.3.9 a from that is no address', header(host, '@'), 'invalid-from'],
  [
    '§4.9.3.10 another namespace of streams',
    open.replace(streams, 'http://wrong.example/'),
    'invalid-namespace',
  ],
  [
    '§4.9.3.10 another content namespace',
    open.replace('jabber:client', 'jabber:server'),
    'invalid-namespace',
  ],
  ['§4.9.3.12 a stanza before authentication', `${open}<message to='a@b'/>`, 'not-authorized'],
  ['§4.9.3.12 binding before authentication', open + bindRequest('x'), 'not-authorized'],
  ['§7.1 a stanza before binding', `${open}${auth}${open}<presence/>`, 'not-authorized'],
  ['§4.9.3.13 a tag that is closed by another', `${bound}<message></presence>`, 'not-well-formed'],
  ['§4.9.3.13 an undeclared prefix', `${bound}<x:message/>`, 'not-well-formed'],
  ['§4.9.3.13 text between stanzas', `${bound}hello`, 'not-well-formed'],
  ['§4.9.3.13 a character that XML has not', `${bound}<message a='&#8;'/>`, 'not-well-formed'],
  ['§4.9.3.13 an attribute twice', `${bound}<message from='a' from='b'/>`, 'not-well-formed'],
  [
    '§11.6 bytes that are not UTF-8',
    Buffer.concat([
      Buffer.from(`${bound}<message><body>`),
      Buffer.from([0xc0, 0xbc]),
      Buffer.from('</body></message>'),
    ]),
    'not-well-formed',
  ],
  ['§4.9.3.18 a comment', `${bound}<!-- x -->`, 'restricted-xml'],
  ['§4.9.3.18 a processing instruction', `${bound}<?x y?>`, 'restricted-xml'],
  ['§4.9.3.18 a document type', '<!DOCTYPE x [<!ENTITY a "b">]>', 'restricted-xml'],
  [
    '§4.9.3.18 an entity of its own',
    `${bound}<message><body>&lol;</body></message>`,
    'restricted-xml',
  ],
  [
    '§4.9.3.22 another encoding',
    open.replace("'1.0'?>", "'1.0' encoding='ISO-8859-1'?>"),
    'unsupported-encoding',
  ],
  ['§4.9.3.24 an element that is no stanza', `${bound}<letter/>`, 'unsupported-stanza-type'],
  [
    '§4.9.3.24 a stanza of another namespace',
    `${bound}<message xmlns='jabber:server'/>`,
    'unsupported-stanza-type',
  ],
  ['§4.9.3.25 no version', open.replaceAll(" version='1.0'>", '>'), 'unsupported-version'],
  [
    '§4.9.3.25 version 0.9',
    open.replace("version='1.0'>", "version='0.9'>"),
    'unsupported-version',
  ],
  [
    '§8.1.2.1 another as sender (V37)',
    `${bound}<message from='benvolio@${host}'/>`,
    'invalid-from',
  ],
  ['§8.1.2.1 another resource as sender', `${bound}<iq from='romeo@${host}/x'/>`, 'invalid-from'],
  [
    '§4.7.1 another addressee after authentication (V22)',
    `${open}${auth}${header('capulet.example')}`,
    'host-unknown',
  ],
  [
    '§4.7.1 another host of ours after authentication (V22)',
    `${open}${auth}${header('verona.example')}`,
    'improper-addressing',
  ],
  [
    '§4.7.1 another self after authentication (V22)',
    `${open}${auth}${header(host, `benvolio@${host}`)}`,
    'invalid-from',
  ],
  ['§4.3.3 a second header', `${bound}${open}`, 'restricted-xml'],
  ['§6.4.5 three failures', open + plainAuth('romeo', 'x').repeat(3), 'policy-violation'],
  ['§6.4 SASL once more', `${open}${auth}${open}${auth}`, 'policy-violation'],
]

const hosts = [host, 'verona.example'].map((name) => {
  return { name, anonymous: false, registration: 'closed' } as const
})

test('RFC 6120 §4.9.3: every fault is answered with its condition, and with nothing after', async (t) => {
  await using stage = await scene({ hosts: [...hosts] })
  const bystander = await stage.login('benvolio')
  for (const [title, sent, condition] of faults) {
    await t.test(title, async () => {
      const client = await RawClient.connect(stage.port)
      client.send(sent)
      const heard = await client.untilClosed()
      const error = `<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>`
      assert.match(heard, new RegExp(`<stream:error>${error}.*</stream:error></stream:stream>$`))
      // §4.9.1.2: an error before our header is preceded by it.
      assert.match(heard, /^<\?xml version='1\.0'\?><stream:stream /)
      client.close()
    })
  }
  bystander.send(`<message to='benvolio@${host}' id='still'/>`)
  await bystander.until("id='still'")
  bystander.close()
})

test('RFC 6120 §4.9.3.15: while no router says which hosts there are', async () => {
  await using stage = await scene({ router: false })
  const client = await RawClient.connect(stage.port)
  client.send(open)
  assert.match(await client.untilClosed(), /<remote-connection-failed/)
  client.close()
})

test('RFC 6120 §4.9.3.5: a host that was served and is no longer', async () => {
  await using stage = await scene({ hosts: [...hosts] })
  const client = await RawClient.connect(stage.port)
  client.send(header('verona.example'))
  await client.until('</stream:features>')
  client.close()
  stage.owner.hosts.pop()
  await stage.manager.refreshHosts()
  const late = await RawClient.connect(stage.port)
  late.send(header('verona.example'))
  assert.match(await late.untilClosed(), /<host-gone/)
  late.close()
})

test('RFC 6120 §4.4: a stream that is closed is closed back, and the owner knows', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  client.send("<message to='x@y' id='last'/></stream:stream>")
  assert.match(await client.untilClosed(), /<\/stream:stream>$/)
  const isClose = (frame: { kind: string }): boolean => frame.kind === 'session.close'
  await stage.owner.until(() => stage.owner.taken.some(isClose))
  const kinds = stage.owner.taken.filter(({ kind }) => kind !== 'session.ack')
  assert.deepEqual(
    kinds.map((frame) => (frame.kind === 'session.close' ? frame.reason : frame.kind)),
    ['session.open', 'session.stanza', 'closed'],
  )
})

test('RFC 6120 §4.6: a connection that breaks is a dropped one', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  client.close()
  const reasons = (): unknown[] =>
    stage.owner.taken.flatMap((frame) => (frame.kind === 'session.close' ? frame.reason : []))
  await stage.owner.until(() => reasons().length > 0)
  assert.deepEqual(reasons(), ['dropped'])
})

test('design §3.7: the owner ends a session, and the client hears why', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  const [session] = stage.owner.sessions.keys()
  assert(session)
  await stage.owner.output(stage.manager.instance, {
    kind: 'session.end',
    session,
    epoch: 1,
    condition: 'conflict',
    text: 'resumed elsewhere',
  })
  assert.match(await client.untilClosed(), /<conflict xmlns=[^>]*\/><text [^>]*>resumed elsewhere/)
})
