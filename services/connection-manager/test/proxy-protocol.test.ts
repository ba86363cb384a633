import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProxyHeader } from '../src/door/proxy-protocol.ts'
import { bindRequest, header, password, plainAuth, RawClient } from './support/client.ts'
import { host, scene } from './support/scene.ts'
import { RawWebSocket } from './support/web-socket.ts'

const signature = '\r\n\r\n\0\r\nQUIT\n'

/** A header of version 2. */
function binary(command: number, family: number, block: readonly number[]): Buffer {
  const head = [command, family, block.length >> 8, block.length & 0xff]
  return Buffer.concat([Buffer.from(signature), Buffer.from([...head, ...block])])
}

const v4 = [192, 0, 2, 7, 10, 0, 0, 1, 0xc3, 0x50, 0x14, 0x66]
const v6 = [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 7, ...Array(16).fill(0), 0, 1, 0, 2]
const mapped = [...Array(10).fill(0), 255, 255, 192, 0, 2, 9, ...Array(16).fill(0), 0, 1, 0, 2]
const extension = [4, 0, 3, 1, 2, 3]

const headers: readonly [title: string, bytes: Buffer, source: string | undefined][] = [
  ['§2.1: TCP4', Buffer.from('PROXY TCP4 192.0.2.7 10.0.0.1 50000 5222\r\n'), '192.0.2.7'],
  ['§2.1: TCP6', Buffer.from('PROXY TCP6 2001:db8::7 ::1 50000 5222\r\n'), '2001:db8::7'],
  ['§2.1: UNKNOWN', Buffer.from('PROXY UNKNOWN whatever it says\r\n'), 'itself'],
  [
    '§2.1: a family that the address is not of',
    Buffer.from('PROXY TCP4 ::1 ::1 1 2\r\n'),
    undefined,
  ],
  ['§2.1: a name for an address', Buffer.from('PROXY TCP4 romeo juliet 1 2\r\n'), undefined],
  ['§2.1: a line without end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`), undefined],
  ['a stream without header', Buffer.from(header(host)), undefined],
  ['TLS without header', Buffer.from([0x16, 3, 1, 0, 5]), undefined],
  ['§2.2: TCP over IPv4', binary(0x21, 0x11, v4), '192.0.2.7'],
  ['§2.2: TCP over IPv4 with more', binary(0x21, 0x11, [...v4, ...extension]), '192.0.2.7'],
  ['§2.2: TCP over IPv6', binary(0x21, 0x21, v6), '2001:db8:0:0:0:0:0:7'],
  ['§2.2: IPv4 as IPv6', binary(0x21, 0x21, mapped), '192.0.2.9'],
  ['§2.2: LOCAL', binary(0x20, 0x00, []), 'itself'],
  ['§2.2: a family unknown', binary(0x21, 0x31, Array(216).fill(1)), 'itself'],
  ['§2.2: another version', binary(0x31, 0x11, v4), undefined],
  ['§2.2: another command', binary(0x22, 0x11, v4), undefined],
  ['§2.2: a block without end', binary(0x21, 0x11, Array(5_000).fill(0)), undefined],
]

for (const [title, bytes, source] of headers) {
  test(`PROXY protocol ${title}, in one piece or byte by byte`, () => {
    const found = parseProxyHeader(Buffer.concat([bytes, Buffer.from('<rest/>')]))
    assert.notEqual(found, 'more')
    assert.equal(typeof found === 'object' ? found.source : undefined, source)
    if (typeof found !== 'object') return
    assert.equal(found.length, bytes.length)
    for (let end = 0; end < bytes.length; end += 1)
      assert.equal(parseProxyHeader(bytes.subarray(0, end)), 'more')
  })
}

const trusted = { trustedProxies: { tcp: '127.0.0.1' } }
const login = header(host) + plainAuth('romeo', password) + header(host) + bindRequest('x')
const line = 'PROXY TCP4 192.0.2.7 10.0.0.1 50000 5222\r\n'

test('behind a trusted proxy the client’s address is what its header says, and the stream follows it', async () => {
  await using stage = await scene({ config: trusted })
  const address = async (): Promise<string | undefined> => {
    await stage.owner.until(() => stage.owner.taken.some(({ kind }) => kind === 'session.open'))
    const opened = stage.owner.taken.find((frame) => frame.kind === 'session.open')
    stage.owner.taken.length = 0
    return opened?.info.address
  }
  const together = await RawClient.connect(stage.port)
  together.send(line + login)
  await together.until('</iq>')
  assert.equal(await address(), '192.0.2.7')
  together.close()

  const apart = await RawClient.connect(stage.port)
  for (const byte of binary(0x21, 0x21, v6)) {
    apart.send(Buffer.from([byte]))
    await new Promise(setImmediate)
  }
  apart.send(login)
  await apart.until('</iq>')
  assert.equal(await address(), '2001:db8:0:0:0:0:0:7')
  apart.close()

  const port = stage.manager.ports.http[0]?.port ?? 0
  const web = await RawWebSocket.login(port, 'romeo', { before: line })
  assert.equal(await address(), '192.0.2.7')
  web.close()
})

test('TLS follows the header where it comes first', async () => {
  await using stage = await scene({ config: trusted })
  const raw = await RawClient.connect(stage.tlsPort)
  // The proxy and its client may have been faster than we are.
  raw.socket.cork()
  raw.send(binary(0x21, 0x11, v4))
  const secured = raw.startTls({ ALPNProtocols: ['xmpp-client'] })
  raw.socket.uncork()
  await secured
  raw.send(login)
  await raw.until('</iq>')
  raw.close()
})

test('SECURITY: a trusted proxy that says nothing, and a stranger that plays one, are closed', async () => {
  await using stage = await scene({ config: trusted })
  const silent = await RawClient.connect(stage.port)
  silent.send(login)
  assert.equal(await silent.untilClosed(), '')
  await using other = await scene()
  const stranger = await RawClient.connect(other.port)
  stranger.send(line + login)
  assert.match(await stranger.untilClosed(), /<(bad-format|not-well-formed) /)
})

test('V17: a header that never ends is not waited for', async () => {
  const timeouts = {
    tls: 50,
    starttls: 50,
    auth: 50,
    bind: 50,
    idle: 1_000,
    idleClose: 50,
    element: 50,
  }
  await using stage = await scene({ config: trusted, settings: { wheel: 10, timeouts } })
  const client = await RawClient.connect(stage.port)
  client.send('PROXY TCP4 ')
  await client.untilClosed()
})
