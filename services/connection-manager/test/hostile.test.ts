import assert from 'node:assert/strict'
import { test } from 'node:test'
import { header, plainAuth, RawClient } from './support/client.ts'
import { host, scene } from './support/scene.ts'

const body = (text: string): string => `<message to='x@y'><body>${text}</body></message>`

/** Sends what comes until the server has closed, and resolves with what it said. */
async function flood(client: RawClient, chunks: Iterable<string | Uint8Array>): Promise<string> {
  for (const chunk of chunks) {
    if (client.closed) break
    client.send(chunk)
    await new Promise(setImmediate)
  }
  return await client.untilClosed()
}

/** Connects and is answered; rejects where the connection is reset. */
async function welcomed(port: number): Promise<void> {
  const client = await RawClient.connect(port)
  client.send(header(host))
  await client.until('</stream:features>')
  client.close()
}

function* repeat(text: string, times: number): Iterable<string> {
  for (let n = 0; n < times; n += 1) yield text
}

test('RFC 6120 §13.12: a stanza over the limit ends its own stream and no other', async () => {
  await using stage = await scene()
  const other = await stage.login('benvolio')
  const client = await stage.login('romeo')
  client.send(`<message><body>`)
  const heard = await flood(client, repeat('x'.repeat(65_536), 100))
  assert.match(heard, /<policy-violation/)
  other.send(body('still here'))
  const stanzas = (): number =>
    stage.owner.taken.filter(({ kind }) => kind === 'session.stanza').length
  await stage.owner.until(() => stanzas() === 1)
  other.close()
})

test('RFC 6120 §13.12: a stanza of 10,000 bytes is accepted, one of the limit too', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  const empty = body('').length
  for (const size of [10_000, 262_144]) {
    client.send(body('x'.repeat(size - empty)))
    await stage.owner.until(() =>
      stage.owner.taken.some(
        (frame) => frame.kind === 'session.stanza' && frame.stanza.bytes.length >= size,
      ),
    )
  }
  client.close()
})

const bombs: readonly [title: string, text: string, condition: string][] = [
  ['V08 10,000 elements deep', '<a>'.repeat(10_000), 'policy-violation'],
  ['V09 a flood of elements', `<message>${'<a/>'.repeat(60_000)}`, 'policy-violation'],
  [
    'V09 a flood of attributes',
    `<message ${Array.from({ length: 5_000 }, (_, n) => `a${n}=''`).join(' ')}/>`,
    'policy-violation',
  ],
  ['V01 a reference to an entity', body('&lol9;'), 'restricted-xml'],
  ['V01 an external entity', '<!DOCTYPE x SYSTEM "file:///etc/passwd">', 'restricted-xml'],
]

test('the bombs of old: each ends its stream with the right error', async (t) => {
  await using stage = await scene()
  for (const [title, text, condition] of bombs) {
    await t.test(title, async () => {
      const client = await stage.login('romeo')
      client.send(text)
      assert.match(await client.untilClosed(), new RegExp(`<${condition} `))
    })
  }
})

test('V12: before authentication an element has 16 KiB, 64 elements, and all have 64 KiB', async (t) => {
  await using stage = await scene()
  const cases: readonly [string, Iterable<string>][] = [
    ['a header without end', [header(host).slice(0, -1), " a='", ...repeat('x'.repeat(8_000), 3)]],
    ['a large element', [header(host), `<auth>${'x'.repeat(17_000)}`]],
    ['many elements', [header(host), `<auth>${'<a/>'.repeat(100)}`]],
    [
      'much in all',
      [
        header(host),
        ...repeat(plainAuth('romeo', 'x').repeat(1), 1),
        ...repeat(' '.repeat(8_192), 9),
      ],
    ],
  ]
  for (const [title, chunks] of cases) {
    await t.test(title, async () => {
      const client = await RawClient.connect(stage.port)
      assert.match(await flood(client, chunks), /<policy-violation/)
    })
  }
})

test('V17: who does not get on is told connection-timeout', async (t) => {
  const timeouts = {
    tls: 100,
    auth: 100,
    bind: 100,
    idle: 300_000,
    idleClose: 60_000,
    starttls: 100,
    element: 100,
  }
  await using stage = await scene({ settings: { timeouts, wheel: 20 } })
  const prefixes: readonly [string, string][] = [
    ['says nothing', ''],
    ['stops within the header', '<stream:stream'],
    ['does not authenticate', header(host)],
    ['does not bind', header(host) + plainAuth('romeo', 'wherefore') + header(host)],
  ]
  for (const [title, text] of prefixes) {
    await t.test(title, async () => {
      const client = await RawClient.connect(stage.port)
      client.send(text)
      assert.match(await client.untilClosed(), /<connection-timeout/)
    })
  }
  await t.test('does not shake hands', async () => {
    const client = await RawClient.connect(stage.tlsPort)
    await client.untilClosed()
  })
})

test('V17: a stanza that never ends is a timeout too, once there is a session', async () => {
  const long = 90_000
  const patient = { tls: long, auth: long, bind: long, idle: long, idleClose: long, starttls: long }
  const timeouts = { ...patient, element: 100 }
  await using stage = await scene({ settings: { timeouts, wheel: 20 } })
  const client = await stage.login('romeo')
  client.send('<message><body>half')
  assert.match(await client.untilClosed(), /<connection-timeout/)
})

test('V12: 1,000 idle strangers cost little, and all leave nothing behind', async () => {
  await using stage = await scene()
  global.gc?.()
  const before = process.memoryUsage().heapUsed
  const clients = await Promise.all(
    Array.from({ length: 1_000 }, () => RawClient.connect(stage.port)),
  )
  for (const client of clients) client.send('<stream:str')
  const late = await stage.login('romeo')
  late.send(body('x'))
  await stage.owner.until(() => stage.owner.taken.some(({ kind }) => kind === 'session.stanza'))
  const each = (process.memoryUsage().heapUsed - before) / clients.length
  // Both ends of each connection live in this process.
  assert.ok(each < 48 * 1024, `${Math.round(each)} bytes each`)
  for (const client of clients) client.close()
  late.close()
  const left = async (): Promise<boolean> =>
    /streams\{state="negotiating"\} 0/.test(await stage.metrics.expose())
  while (!(await left())) await new Promise(setImmediate)
})

test('§5.2: an address has so many strangers at once, and so many connections a second', async () => {
  await using stage = await scene({
    config: { limits: { connectionsPerIp: 5, connectsPerIpPerSecond: 1_000 } },
  })
  const admitted = await Promise.all(Array.from({ length: 5 }, () => RawClient.connect(stage.port)))
  for (const client of admitted) client.send(header(host))
  await Promise.all(admitted.map((client) => client.until('</stream:features>')))
  await assert.rejects(welcomed(stage.port))
  // Who has authenticated is no stranger any more.
  admitted[0]?.send(plainAuth('romeo', 'wherefore'))
  await admitted[0]?.until('<success')
  const next = await RawClient.connect(stage.port)
  next.send(header(host))
  await next.until('</stream:features>')
  for (const client of [...admitted, next]) client.close()
})

test('V29: twenty failed logins ban the address for a while', async () => {
  const limits = { connectsPerIpPerSecond: 1_000, authFailures: { perIp: 6 } }
  await using stage = await scene({ config: { limits } })
  for (let n = 0; n < 2; n += 1) {
    const client = await RawClient.connect(stage.port)
    client.send(header(host) + plainAuth('romeo', 'guess').repeat(3))
    assert.match(await client.untilClosed(), /<policy-violation/)
  }
  await assert.rejects(welcomed(stage.port))
})

test('§5.2: who sends faster than the rate is read slower, and loses nothing', async () => {
  const limits = { c2sRate: { bytesPerSecond: '64KiB', burst: '16KiB' } }
  await using stage = await scene({ config: { limits } })
  const client = await stage.login('romeo')
  const started = performance.now()
  const count = 50
  for (let n = 0; n < count; n += 1) client.send(body('x'.repeat(1_000)))
  const taken = (): number =>
    stage.owner.taken.filter(({ kind }) => kind === 'session.stanza').length
  await stage.owner.until(() => taken() === count)
  assert.ok(performance.now() - started > 300)
  client.close()
})

test('V18: who does not read is not written to; the owner is told, and told again', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  client.socket.pause()
  const [session] = stage.owner.sessions.keys()
  assert(session)
  const flows = (): string[] =>
    stage.owner.taken.flatMap((frame) => (frame.kind === 'session.flow' ? frame.state : []))
  const large = `<message><body>${'x'.repeat(60_000)}</body></message>`
  while (flows().length === 0) {
    await stage.owner.deliver(session, large)
    await new Promise(setImmediate)
  }
  client.socket.resume()
  await stage.owner.until(() => flows().length === 2)
  assert.deepEqual(flows(), ['stalled', 'ready'])
  client.close()
})

test('registration: a stranger makes an account where the host is open, and logs in with it', async () => {
  const hosts = [{ name: host, anonymous: true, registration: 'open' as const }]
  await using stage = await scene({ hosts })
  const client = await RawClient.connect(stage.port)
  client.send(header(host))
  assert.match(await client.until('</stream:features>'), /iq-register.*mechanisms/)
  const request = (username: string): string =>
    `<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>${username}</username><password>secret</password></query></iq>`
  client.send(request('mercutio'))
  assert.match(await client.until('>'), /type='result'/)
  client.send(request('mercutio'))
  assert.match(await client.until('</iq>'), /<conflict/)
  client.send(request('a b'))
  assert.match(await client.until('</iq>'), /<jid-malformed/)
  client.send(plainAuth('mercutio', 'secret'))
  await client.until('<success')
  client.close()
  assert.ok(!JSON.stringify(stage.owner.commands).includes('secret'), 'no password on the bus')
})

test('XEP-0175: a guest gets an account of a name that nobody can guess', async () => {
  const hosts = [{ name: host, anonymous: true, registration: 'closed' as const }]
  await using stage = await scene({ hosts })
  const client = await RawClient.connect(stage.port)
  client.send(header(host))
  await client.until('</stream:features>')
  client.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
  await client.until('<success')
  client.send(
    `${header(host)}<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`,
  )
  assert.match(await client.until('</iq>'), /<jid>[0-9a-f]{32}@montague\.example\/made</)
  const [open] = stage.owner.taken
  assert(open?.kind === 'session.open' && open.anonymous)
  client.close()
})
