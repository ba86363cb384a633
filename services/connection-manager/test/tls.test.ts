import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { ChannelBinding } from '@tactus/sasl'
import { makeSelfSigned } from '../src/certificates/self-made.ts'
import { bindRequest, header, plainAuth, RawClient } from './support/client.ts'
import { host, scene } from './support/scene.ts'
import { scram } from './support/scram.ts'

const required = { tls: { required: 'true', certificates: '/nonexistent' } }
const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
const starttls = `<starttls xmlns='${NS_TLS}'/>`

async function secured(
  port: number,
  domain = host,
): Promise<{ client: RawClient; tls: TLSSocket }> {
  const client = await RawClient.connect(port)
  client.send(header(domain))
  await client.until('</stream:features>')
  client.send(starttls)
  await client.until('<proceed')
  const tls = await client.startTls({ servername: domain })
  return { client, tls }
}

function exporter(tls: TLSSocket): ChannelBinding {
  const data = tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
  return { type: 'tls-exporter', data }
}

function endPoint(tls: TLSSocket): ChannelBinding {
  const data = createHash('sha256')
    .update(tls.getPeerX509Certificate()?.raw ?? '')
    .digest()
  return { type: 'tls-server-end-point', data }
}

test('RFC 6120 §5.4: STARTTLS, then SCRAM, binding and stanzas inside TLS', async () => {
  await using stage = await scene({ config: required })
  const { client } = await secured(stage.port)
  client.send(header(host))
  const features = await client.until('</stream:features>')
  assert.doesNotMatch(features, /starttls/)
  assert.equal(await scram(client, 'SCRAM-SHA-256', { username: 'romeo' }), 'success')
  client.send(header(host) + bindRequest('garden'))
  assert.match(await client.until('</iq>'), /romeo@montague\.example\/garden/)
  client.send(`<message to='romeo@${host}/garden' id='m1'/>`)
  await client.until("id='m1'")
  client.close()
})

test('RFC 6120 §5.3.1: where TLS is required nothing else is offered before it', async () => {
  await using stage = await scene({ config: required })
  const client = await RawClient.connect(stage.port)
  client.send(header(host))
  const features = await client.until('</stream:features>')
  assert.match(features, /<starttls[^>]*><required\/><\/starttls>/)
  assert.doesNotMatch(features, /mechanism|bind/)
  client.send(plainAuth('romeo', 'wherefore'))
  assert.match(await client.until('</failure>'), /<encryption-required\/>/)
  client.close()
})

test('RFC 6120 §5.3.5: what follows <starttls/> in clear is never run inside TLS (V20)', async () => {
  await using stage = await scene({ config: required })
  for (const injected of [header(host), plainAuth('romeo', 'wherefore'), '<', ' ']) {
    const client = await RawClient.connect(stage.port)
    client.send(header(host))
    await client.until('</stream:features>')
    client.send(starttls + injected)
    const rest = await client.untilClosed()
    assert.match(rest, /<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'\/><\/stream:stream>$/)
    assert.doesNotMatch(rest, /proceed/)
    client.close()
  }
})

for (const protocol of ['TLSv1.3', 'TLSv1.2'] as const) {
  test(`RFC 5802 §6: SCRAM-PLUS over ${protocol} is bound to this very connection`, async () => {
    await using stage = await scene({ config: required })
    for (const [name, bindingOf] of [
      ['tls-exporter', exporter],
      ['tls-server-end-point', endPoint],
    ] as const) {
      if (protocol === 'TLSv1.2' && name === 'tls-exporter') continue
      const options = { servername: host, minVersion: protocol, maxVersion: protocol }
      const client = await RawClient.connectTls(stage.tlsPort, options)
      client.send(header(host))
      const features = await client.until('</stream:features>')
      assert.match(features, /SCRAM-SHA-256-PLUS/)
      // XEP-0440: what can be bound to is said.
      assert.match(features, new RegExp(`<channel-binding type='${name}'/>`))
      const binding = bindingOf(client.socket as TLSSocket)
      const username = 'romeo'
      assert.equal(await scram(client, 'SCRAM-SHA-256-PLUS', { username, binding }), 'success')
      client.close()

      const other = await RawClient.connectTls(stage.tlsPort, options)
      other.send(header(host))
      await other.until('</stream:features>')
      const data = Buffer.from(binding.data)
      data[0] = (data[0] ?? 0) ^ 1
      const forged = { ...binding, data }
      const outcome = await scram(other, 'SCRAM-SHA-256-PLUS', { username, binding: forged })
      assert.match(outcome, /not-authorized/)
      other.close()
    }
  })
}

test('RFC 5802 §6: a client that thinks we have no channel binding was lied to (V26)', async () => {
  await using stage = await scene({ config: required })
  const client = await RawClient.connectTls(stage.tlsPort, { servername: host })
  client.send(header(host))
  await client.until('</stream:features>')
  const outcome = await scram(client, 'SCRAM-SHA-256', { username: 'romeo', flag: 'y' })
  assert.match(outcome, /not-authorized|malformed-request/)
  client.close()
})

test('XEP-0368 §2: direct TLS speaks xmpp-client and nothing else; no version before 1.2', async () => {
  await using stage = await scene({ config: required })
  const options = { servername: host, ALPNProtocols: ['xmpp-client'] }
  const client = await RawClient.connectTls(stage.tlsPort, options)
  assert.equal((client.socket as TLSSocket).alpnProtocol, 'xmpp-client')
  client.close()
  await assert.rejects(RawClient.connectTls(stage.tlsPort, { ALPNProtocols: ['h2'] }))
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
  await assert.rejects(RawClient.connectTls(stage.tlsPort, old))
})

test('RFC 6120 §13.7.2: each of two hosts is shown its own certificate', async () => {
  const capulet = 'capulet.example'
  const hosts = [host, capulet].map((name) => {
    return { name, anonymous: false, registration: 'closed' } as const
  })
  await using stage = await scene({ config: required, hosts: [...hosts] })
  for (const domain of [host, capulet]) {
    const client = await RawClient.connectTls(stage.tlsPort, { servername: domain })
    const leaf = (client.socket as TLSSocket).getPeerX509Certificate()
    assert(leaf)
    assert.equal(leaf.checkHost(domain, { subject: 'never' }), domain)
    assert(leaf.verify(leaf.publicKey))
    client.close()
    const { tls, client: second } = await secured(stage.port, domain)
    assert.equal(tls.getPeerX509Certificate()?.fingerprint256, leaf.fingerprint256)
    second.close()
  }
})

test('certificates of the folder are used, replaced when they change, and kept when broken', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'))
  const make = async (): Promise<string> => {
    const random = (length: number): Buffer =>
      createHash('sha512').update(String(length)).digest().subarray(0, length)
    const pair = makeSelfSigned(host, { now: Date.now(), random })
    await writeFile(join(folder, 'mine.key'), pair.key)
    await writeFile(join(folder, 'mine.crt'), pair.certificate)
    return new X509Certificate(pair.certificate).fingerprint256
  }
  const shown = async (port: number): Promise<string | undefined> => {
    const client = await RawClient.connectTls(port, { servername: host })
    const fingerprint = (client.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256
    client.close()
    return fingerprint
  }
  const first = await make()
  const tls = { required: 'true', certificates: folder }
  await using stage = await scene({ config: { tls } })
  assert.equal(await shown(stage.tlsPort), first)
  const second = await make()
  while ((await shown(stage.tlsPort)) !== second);
  await writeFile(join(folder, 'mine.crt'), 'no certificate')
  while (!stage.logs.some(({ event }) => event === 'certificate_refused'))
    assert.equal(await shown(stage.tlsPort), second)
  assert.equal(await shown(stage.tlsPort), second)
  await rm(folder, { recursive: true })
})
