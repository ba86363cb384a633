import assert from 'node:assert/strict'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { test } from 'node:test'
import { within } from '../src/door/networks.ts'
import { clientOf } from '../src/http/forwarded.ts'
import { host, scene } from './support/scene.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Asks as a client would that found the server by the host's name. */
async function ask(
  port: number,
  path: string,
  options: { readonly method?: string; readonly host?: string; readonly tls?: boolean } & {
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Promise<Answer> {
  const headers = { Host: options.host ?? host, ...options.headers }
  const where = { port, path, headers, method: options.method ?? 'GET', agent: false as const }
  return await new Promise((resolve, reject) => {
    const request = options.tls
      ? httpsRequest({ ...where, host: '127.0.0.1', rejectUnauthorized: false })
      : httpRequest({ ...where, host: '127.0.0.1' })
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, text }),
      )
    })
    request.end()
  })
}

const websocket = 'urn:xmpp:alt-connections:websocket'
const xbosh = 'urn:xmpp:alt-connections:xbosh'

test('XEP-0156 §2.3: host-meta tells over TLS where WebSocket and BOSH are, as XRD and as JSON', async () => {
  await using stage = await scene()
  const port = stage.manager.ports.https[0]?.port ?? 0
  const authority = `${host}:${port}`
  const xrd = await ask(port, '/.well-known/host-meta', { tls: true, host: authority })
  assert.equal(xrd.headers['content-type'], 'application/xrd+xml; charset=utf-8')
  assert.equal(
    xrd.text,
    `<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n  <Link rel='${websocket}' href='wss://${authority}/xmpp-websocket'/>\n  <Link rel='${xbosh}' href='https://${authority}/http-bind'/>\n</XRD>\n`,
  )
  const json = await ask(port, '/.well-known/host-meta.json', { tls: true, host: authority })
  assert.equal(json.headers['content-type'], 'application/json')
  assert.deepEqual(JSON.parse(json.text), {
    links: [
      { rel: websocket, href: `wss://${authority}/xmpp-websocket` },
      { rel: xbosh, href: `https://${authority}/http-bind` },
    ],
  })
})

test('XEP-0156 §3: pages of other origins may read host-meta, and nothing else', async () => {
  await using stage = await scene({ config: { http: { url: 'https://{host}' } } })
  const port = stage.manager.ports.http[0]?.port ?? 0
  for (const path of ['/.well-known/host-meta', '/.well-known/host-meta.json']) {
    assert.equal((await ask(port, path)).headers['access-control-allow-origin'], '*')
    const preflight = await ask(port, path, { method: 'OPTIONS' })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers['access-control-allow-origin'], '*')
  }
  assert.equal((await ask(port, '/')).headers['access-control-allow-origin'], undefined)
})

test('XEP-0156 §2.2: no link is told that is not secure', async () => {
  await using stage = await scene()
  const port = stage.manager.ports.http[0]?.port ?? 0
  assert.equal((await ask(port, '/.well-known/host-meta')).status, 404)
  const headers = { 'X-Forwarded-Proto': 'https' }
  const proxied = await ask(port, '/.well-known/host-meta', { headers })
  assert.match(proxied.text, new RegExp(`'wss://${host}/xmpp-websocket'`))
})

test('host-meta is each host’s own, and no other’s', async () => {
  const url = 'https://{host}/chat/'
  await using stage = await scene({ config: { http: { url } } })
  const port = stage.manager.ports.http[0]?.port ?? 0
  const told = await ask(port, '/.well-known/host-meta.json')
  assert.deepEqual(JSON.parse(told.text), {
    links: [
      { rel: websocket, href: `wss://${host}/chat/xmpp-websocket` },
      { rel: xbosh, href: `https://${host}/chat/http-bind` },
    ],
  })
  for (const other of ['capulet.example', '127.0.0.1', "a'b", '[::1]:80'])
    assert.equal((await ask(port, '/.well-known/host-meta', { host: other })).status, 404, other)
})

test('everything else: a page that says what is here, 404, 405, and no health', async () => {
  await using stage = await scene()
  const port = stage.manager.ports.http[0]?.port ?? 0
  assert.match((await ask(port, '/')).text, /XMPP server/)
  assert.equal((await ask(port, '/healthz/ready')).status, 404)
  assert.equal((await ask(port, '/.well-known/host-meta/x')).status, 404)
  assert.equal((await ask(port, '/xmpp-websocket')).status, 426)
  const post = await ask(port, '/', { method: 'POST' })
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD'])
})

test('V17: a request whose headers do not come is ended', async () => {
  const timeouts = {
    tls: 50,
    starttls: 50,
    auth: 50,
    bind: 50,
    idle: 50,
    idleClose: 50,
    element: 50,
  }
  await using stage = await scene({ settings: { timeouts, wheel: 10 } })
  const socket = connect(stage.manager.ports.http[0]?.port ?? 0, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\n')
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk.toString()
  })
  await new Promise((resolve) => socket.once('close', resolve))
  assert.match(heard, /^HTTP\/1\.1 408 /)
})

const isTrusted = within(['10.0.0.0/8', '127.0.0.1/32', 'fd00::/8'])
const chains: readonly [peer: string, forwarded: string | undefined, address: string][] = [
  ['203.0.113.1', '192.0.2.1', '203.0.113.1'],
  ['10.0.0.1', undefined, '10.0.0.1'],
  ['10.0.0.1', '192.0.2.1', '192.0.2.1'],
  ['::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
  ['fd00::1', '2001:db8::1', '2001:db8::1'],
  ['10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
  ['10.0.0.1', '192.0.2.1:4711', '192.0.2.1'],
  // What the client wrote itself stands before what the proxy has seen.
  ['10.0.0.1', '1.1.1.1, 192.0.2.1', '192.0.2.1'],
  ['10.0.0.1', '1.1.1.1, 192.0.2.1, 10.9.9.9', '192.0.2.1'],
  ['10.0.0.1', '1.1.1.1, unknown', '10.0.0.1'],
  ['10.0.0.1', '10.0.0.2, 10.0.0.3', '10.0.0.2'],
]

for (const [peer, forwarded, address] of chains) {
  test(`X-Forwarded-For: ${forwarded} from ${peer} is ${address}`, () => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    const found = clientOf(headers, { address: peer, isSecure: false }, isTrusted)
    assert.equal(found.address, address)
  })
}

test('X-Forwarded-Proto: of a trusted proxy the last word, of others none', () => {
  const secure = (address: string, proto: string, isSecure: boolean): boolean =>
    clientOf({ 'x-forwarded-proto': proto }, { address, isSecure }, isTrusted).isSecure
  assert.equal(secure('10.0.0.1', 'https', false), true)
  assert.equal(secure('10.0.0.1', 'https, http', true), false)
  assert.equal(secure('192.0.2.1', 'https', false), false)
})
