import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stanza } from '@tactus/xml'
import { bindRequest, header, password, plainAuth, RawClient } from './support/client.ts'
import { host, type Scene, type SceneOptions, scene } from './support/scene.ts'
import { close, frame, open, RawWebSocket } from './support/web-socket.ts'

interface WebScene extends Scene {
  readonly web: number
  readonly secureWeb: number
}

async function webScene(options?: SceneOptions): Promise<WebScene> {
  const stage = await scene(options)
  const { http, https } = stage.manager.ports
  return Object.assign(stage, { web: http[0]?.port ?? 0, secureWeb: https[0]?.port ?? 0 })
}

const body = (text: string): string =>
  `<message xmlns='jabber:client' to='romeo@${host}'><body>${text}</body></message>`

const tlsRequired = { tls: { required: 'true', certificates: '/nonexistent' } }

test('RFC 7395 §3.1: the hand-shake agrees on xmpp and on no extension', async () => {
  await using stage = await webScene()
  const client = await RawWebSocket.connect(stage.web, {
    headers: {
      'Sec-WebSocket-Protocol': 'chat, xmpp',
      'Sec-WebSocket-Extensions': 'permessage-deflate',
    },
  })
  assert.match(client.response, /^HTTP\/1\.1 101 /)
  // RFC 6455 §1.3: the answer to its example.
  assert.match(client.response, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/)
  assert.match(client.response, /\r\nSec-WebSocket-Protocol: xmpp$/)
  assert.doesNotMatch(client.response, /extensions/i)
  client.close()
})

const refused: readonly [
  title: string,
  handshake: Parameters<typeof RawWebSocket.connect>[1],
  status: number,
][] = [
  ['another path', { path: '/elsewhere' }, 404],
  ['no subprotocol', { headers: { 'Sec-WebSocket-Protocol': undefined } }, 400],
  ['another subprotocol', { headers: { 'Sec-WebSocket-Protocol': 'soap' } }, 400],
  ['another version', { headers: { 'Sec-WebSocket-Version': '8' } }, 426],
  ['a key that is none', { headers: { 'Sec-WebSocket-Key': 'abc' } }, 400],
  ['another upgrade', { headers: { Upgrade: 'h2c' } }, 400],
]

test('RFC 6455 §4.2.2: what is not a hand-shake for XMPP is refused in the words of HTTP', async (t) => {
  await using stage = await webScene()
  for (const [title, handshake, status] of refused) {
    await t.test(title, async () => {
      const client = await RawWebSocket.connect(stage.web, handshake)
      assert.match(client.response, new RegExp(`^HTTP/1\\.1 ${status} `))
      await client.untilClosed()
    })
  }
})

test('V15: only pages of listed origins may connect; programs send none', async () => {
  await using stage = await webScene({ config: { http: { origins: ['https://chat.example'] } } })
  const from = async (origin: string | undefined): Promise<string> => {
    const client = await RawWebSocket.connect(stage.web, { headers: { Origin: origin } })
    client.close()
    return client.response.slice(9, 12)
  }
  assert.equal(await from('https://chat.example'), '101')
  assert.equal(await from('https://evil.example'), '403')
  assert.equal(await from('null'), '403')
  assert.equal(await from(undefined), '101')
})

test('RFC 7395 §3.4–3.7: from <open/> over SASL and a restart to stanzas, and <close/>', async () => {
  await using stage = await webScene()
  const client = await RawWebSocket.connect(stage.web)
  client.send(open)
  const first = await client.until('</stream:features>')
  assert.match(
    first,
    /^<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='[^']+' from='montague\.example' version='1\.0' xml:lang='en'\/><stream:features xmlns:stream='http:\/\/etherx\.jabber\.org\/streams'>/,
  )
  // §3.9: TLS is the transport's.
  assert.doesNotMatch(first, /starttls/)
  client.send(plainAuth('romeo', password))
  await client.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
  client.send(open)
  assert.match(await client.until('</stream:features>'), /urn:xmpp:sm:3/)
  client.send(bindRequest('balcony').replace('<iq', "<iq xmlns='jabber:client'"))
  assert.match(
    await client.until('</iq>'),
    /^<iq xmlns='jabber:client'.*romeo@montague\.example\/balcony/,
  )
  client.send(body('hello'))
  const echo = await client.until('</message>')
  assert.match(echo, /^<message xmlns='jabber:client' [^>]*><body>hello<\/body><\/message>$/)
  client.send(close)
  assert.equal(await client.untilClosed(), close)
  assert.equal(client.code, 1_000)
})

test('RFC 6120 §6.4.6: everything pipelined behind the hand-shake, in fragments', async () => {
  await using stage = await webScene()
  const bind = bindRequest('x').replace('<iq', "<iq xmlns='jabber:client'")
  const client = await RawWebSocket.connect(stage.web, {
    behind: Buffer.concat([
      frame(1, open.slice(0, 10), false),
      frame(9, 'p'),
      frame(0, open.slice(10)),
      frame(1, plainAuth('romeo', password)),
      frame(1, open),
      frame(1, bind),
    ]),
  })
  await client.until('</iq>')
  assert.deepEqual(client.pongs, ['p'])
  client.close()
})

test('RFC 7395 §3.9: where TLS is required there is no WebSocket without it', async () => {
  await using stage = await webScene({ config: tlsRequired })
  const refusal = await RawWebSocket.connect(stage.web)
  assert.match(refusal.response, /^HTTP\/1\.1 403 /)
  const client = await RawWebSocket.login(stage.secureWeb, 'romeo', { tls: true })
  client.close()
})

test('TLS that a trusted proxy ended counts, and the client it speaks for is the client', async () => {
  await using stage = await webScene({ config: tlsRequired })
  const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.7, 203.0.113.9' }
  const client = await RawWebSocket.login(stage.web, 'romeo', { headers })
  const opened = stage.owner.taken.find(({ kind }) => kind === 'session.open')
  assert.deepEqual(
    opened?.kind === 'session.open' && [
      opened.info.address,
      opened.info.tls,
      opened.info.transport,
    ],
    ['203.0.113.9', 'proxy', 'websocket'],
  )
  client.close()
})

test('SECURITY: what anybody else says of proxies is not believed', async () => {
  await using stage = await webScene({
    config: { ...tlsRequired, trustedProxies: { http: 'off' } },
  })
  const headers = { 'X-Forwarded-Proto': 'https' }
  const client = await RawWebSocket.connect(stage.web, { headers })
  assert.match(client.response, /^HTTP\/1\.1 403 /)
})

test('connections behind a proxy are counted by client', async () => {
  const addresses = {
    unauthenticated: 2,
    connectsPerSecond: 1_000,
    failures: 10,
    window: 60_000,
    ban: 60_000,
    registrations: 1,
  }
  await using stage = await webScene({ settings: { addresses } })
  const from = (address: string) =>
    RawWebSocket.connect(stage.web, { headers: { 'X-Forwarded-For': address } })
  const first = await from('192.0.2.1')
  await from('192.0.2.1')
  await assert.rejects(from('192.0.2.1'), /closed/)
  await from('192.0.2.2')
  first.close()
  // Its place is free once the server knows.
  for (let tries = 0; ; tries += 1) {
    try {
      await from('192.0.2.1')
      break
    } catch (error) {
      if (tries > 100) throw error
    }
  }
})

const hostile: readonly [title: string, bytes: Buffer, condition: string, code: number][] = [
  ['a frame without mask', Buffer.from('\x81\x04<a/>', 'latin1'), 'bad-format', 1_002],
  [
    'a frame of 2^62 bytes',
    Buffer.from('81ff400000000000000001020304', 'hex'),
    'policy-violation',
    1_009,
  ],
  ['a binary message', frame(2, '<a/>'), 'unsupported-encoding', 1_003],
  ['two stanzas in one message', frame(1, '<a/><b/>'), 'not-well-formed', 1_000],
  ['half a stanza', frame(1, '<a>'), 'not-well-formed', 1_000],
  [
    'bytes that are no UTF-8',
    frame(1, Buffer.from('<a b="\xff"/>', 'latin1')),
    'not-well-formed',
    1_000,
  ],
  ['<open/> in the midst of a session', frame(1, open), 'policy-violation', 1_000],
  [
    'a stanza over the limit',
    frame(1, `<message xmlns='jabber:client'>${'x'.repeat(262_200)}</message>`),
    'policy-violation',
    1_009,
  ],
  [
    'fragments over the limit',
    Buffer.concat([
      frame(1, '<a>', false),
      ...Array.from({ length: 5 }, () => frame(0, 'x'.repeat(65_000), false)),
    ]),
    'policy-violation',
    1_009,
  ],
]

test('V14: hostile frames end their own stream, with the right error and closing code', async (t) => {
  await using stage = await webScene()
  const other = await RawWebSocket.login(stage.web, 'benvolio')
  for (const [title, bytes, condition, code] of hostile) {
    await t.test(title, async () => {
      const client = await RawWebSocket.login(stage.web, 'romeo')
      client.raw(bytes)
      const heard = await client.untilClosed()
      assert.match(
        heard,
        new RegExp(`^<stream:error xmlns:stream='[^']+'><${condition} .*${close}$`),
      )
      assert.equal(client.code, code)
    })
  }
  other.send(body('still here'))
  await stage.owner.until(() => stage.owner.taken.some(({ kind }) => kind === 'session.stanza'))
  other.close()
})

test('RFC 7395 §3.4: an error before <open/> is said inside a stream', async () => {
  await using stage = await webScene()
  const client = await RawWebSocket.connect(stage.web)
  client.send(plainAuth('romeo', password))
  assert.match(
    await client.untilClosed(),
    /^<open [^>]+\/><stream:error [^>]+><invalid-namespace .*<close [^>]+\/>$/,
  )
})

test('RFC 6120 §13.12: a stanza of exactly the limit is accepted', async () => {
  await using stage = await webScene()
  const client = await RawWebSocket.login(stage.web, 'romeo')
  client.send(body('x'.repeat(262_144 - body('').length)))
  await stage.owner.until(() =>
    stage.owner.taken.some(
      (taken) => taken.kind === 'session.stanza' && taken.stanza.bytes.length === 262_144,
    ),
  )
  client.close()
})

test('RFC 7395 §3.6: a connection that breaks without <close/> leaves the session to be resumed, over TCP and back', async () => {
  await using stage = await webScene()
  const client = await RawWebSocket.login(stage.web, 'romeo')
  client.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
  const id = /id='([^']+)'/.exec(await client.until('/>'))?.[1] ?? ''
  client.raw(frame(8, Buffer.from([0x03, 0xe9])))
  await client.untilClosed()
  await stage.owner.until(() =>
    stage.owner.taken.some((taken) => taken.kind === 'session.close' && taken.reason === 'dropped'),
  )
  const resume = `<resume xmlns='urn:xmpp:sm:3' previd='${id}' h='0'/>`
  const tcp = await RawClient.connect(stage.port)
  tcp.send(header(host) + plainAuth('romeo', password) + header(host) + resume)
  await tcp.until(`<resumed xmlns='urn:xmpp:sm:3' previd='${id}'`)
  const back = await RawWebSocket.connect(stage.web)
  back.send(open, plainAuth('romeo', password), open, resume)
  await back.until(`<resumed xmlns='urn:xmpp:sm:3' previd='${id}'`)
  assert.match(await tcp.untilClosed(), /<conflict /)
  back.close()
})

test('§5.2: a quiet client without stream management is pinged, and is gone where no pong comes', async () => {
  await using stage = await webScene({
    settings: { wheel: 10 },
    config: { limits: { rates: 'off', timeouts: { idle: '50ms', idleClose: '50ms' } } },
  })
  const client = await RawWebSocket.login(stage.web, 'romeo')
  while (client.pings.length === 0) await client.change()
  client.raw(frame(10, ''))
  while (client.pings.length === 1) await client.change()
  assert.match(await client.untilClosed(), /<connection-timeout /)
})

test('V17: a message that never ends is not waited for, however its frames are cut', async (t) => {
  const long = 600_000
  const timeouts = {
    tls: long,
    starttls: long,
    auth: long,
    bind: long,
    idle: long,
    idleClose: long,
  }
  await using stage = await webScene({
    settings: { wheel: 10, timeouts: { ...timeouts, element: 50 } },
  })
  const halves: readonly [string, Buffer][] = [
    ['half a frame', frame(1, body('x')).subarray(0, 20)],
    ['half a message', frame(1, '<message', false)],
  ]
  for (const [title, bytes] of halves) {
    await t.test(title, async () => {
      const client = await RawWebSocket.login(stage.web, 'romeo')
      client.raw(bytes)
      assert.match(await client.untilClosed(), /<connection-timeout /)
    })
  }
})

test('drain: who is on WebSocket is sent where the configuration says, and stays resumable', async () => {
  const seeOtherUri = 'wss://other.example/xmpp-websocket'
  await using stage = await webScene({ settings: { drain: { window: 0, jitter: 0, seeOtherUri } } })
  const client = await RawWebSocket.login(stage.web, 'romeo')
  const tcp = await stage.login('benvolio')
  const drained = stage.manager.drain()
  assert.equal(
    await client.untilClosed(),
    `<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='${seeOtherUri}'/>`,
  )
  assert.match(await tcp.untilClosed(), /<system-shutdown /)
  await drained
  const endings = stage.owner.taken.flatMap((taken) =>
    taken.kind === 'session.close' ? [taken.reason] : [],
  )
  assert.deepEqual(endings, ['dropped', 'dropped'])
})

test('invariant 9: a client that does not read is no longer written to, and its pings are not answered', async () => {
  await using stage = await webScene({ settings: { stallBytes: 4_096 } })
  const client = await RawWebSocket.login(stage.web, 'romeo')
  const [session] = [...stage.owner.sessions.keys()]
  client.socket.pause()
  const isStalled = (): boolean =>
    stage.owner.taken.some((taken) => taken.kind === 'session.flow' && taken.state === 'stalled')
  let sent = 0
  while (!isStalled() && sent < 2_000) {
    sent += 1
    await stage.owner.deliver(session ?? '', Stanza.parse(Buffer.from(body('x'.repeat(50_000)))))
    await new Promise(setImmediate)
  }
  assert(isStalled())
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(9, 'x'.repeat(125))))
  for (let round = 0; round < 20; round += 1) client.raw(pings)
  client.send(body('after the pings'))
  await stage.owner.until(() => stage.owner.taken.some(({ kind }) => kind === 'session.stanza'))
  client.socket.resume()
  while ((client.heard.match(/<message/g)?.length ?? 0) < sent) await client.change()
  assert.deepEqual(client.pongs, [])
  client.close()
})

test('a browser’s own WebSocket logs in', async () => {
  await using stage = await webScene()
  const socket = new WebSocket(`ws://127.0.0.1:${stage.web}/xmpp-websocket`, 'xmpp')
  const heard: string[] = []
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  assert.equal(socket.protocol, 'xmpp')
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve))
  socket.addEventListener('message', ({ data }) => heard.push(String(data)))
  const bind = bindRequest('x').replace('<iq', "<iq xmlns='jabber:client'")
  for (const message of [open, plainAuth('romeo', password), open, bind, close])
    socket.send(message)
  const { code, wasClean } = await closed
  assert.deepEqual([code, wasClean, heard.at(-1)], [1_000, true, close])
})
