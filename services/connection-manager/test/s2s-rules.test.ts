import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { certificateNames, standsFor } from '../src/certificates/certificate-names.ts'
import { makeSelfSigned } from '../src/certificates/self-made.ts'
import { dialbackKey, isDialbackKey } from '../src/s2s/dialback-key.ts'
import { isPrivate } from '../src/s2s/private-addresses.ts'
import { findTargets, inOrder } from '../src/s2s/targets.ts'

test('XEP-0185 §4: the key of the example in XEP-0220 §2.1.1', () => {
  const scope = {
    receiving: 'montague.example',
    originating: 'capulet.example',
    streamId: 'D60000229F',
  }
  const key = 'b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3'

  assert.equal(dialbackKey('s3cr3tf0rd14lb4ck', scope), key)
  assert.equal(isDialbackKey('s3cr3tf0rd14lb4ck', scope, ` ${key}\n`), true)
  assert.equal(isDialbackKey('s3cr3tf0rd14lb4ck', { ...scope, streamId: 'x' }, key), false)
})

test('RFC 9525: what a certificate stands for', () => {
  const names = (dns: readonly string[], srv: readonly string[] = []) => ({ dns, srv, xmpp: [] })

  assert.equal(standsFor(names(['Verona.example']), 'verona.example'), true)
  assert.equal(standsFor(names(['*.example.org']), 'verona.example.org'), true)
  assert.equal(standsFor(names(['*.example.org']), 'a.verona.example.org'), false)
  assert.equal(standsFor(names(['*.example.org']), 'example.org'), false)
  assert.equal(standsFor(names(['v*.example.org']), 'verona.example.org'), false)
  assert.equal(standsFor(names(['*.org']), 'verona.org'), false)
  assert.equal(standsFor(names(['xn--bcher-kva.example']), 'bücher.example'), true)
  assert.equal(standsFor(names([], ['_xmpp-server.verona.example']), 'verona.example'), true)
  assert.equal(standsFor(names([], ['_xmpp-client.verona.example']), 'verona.example'), false)
})

test('RFC 6120 §13.7.1.4: the names that stand in a certificate, xmppAddr among them', () => {
  const pair = makeSelfSigned('bücher.example', {
    now: Date.now(),
    random: (length) => Buffer.alloc(length, 7),
  })
  const { raw } = new X509Certificate(pair.certificate)

  assert.deepEqual(certificateNames(raw), {
    dns: ['xn--bcher-kva.example'],
    srv: [],
    xmpp: ['bücher.example'],
  })
  // What is cut off is no name, and no error either.
  for (let end = 0; end < raw.length; end += 1) certificateNames(raw.subarray(0, end))
})

test('RFC 2782: by priority, then by chance in proportion to the weight', () => {
  const record = (name: string, priority: number, weight: number) => ({ name, priority, weight })
  const records = [record('late', 20, 0), record('heavy', 10, 90), record('light', 10, 10)]
  const order = (chance: number) => inOrder(records, () => chance).map(({ name }) => name)

  assert.deepEqual(order(0.05), ['light', 'heavy', 'late'])
  assert.deepEqual(order(0.5), ['heavy', 'light', 'late'])
})

test('RFC 2782: a target of "." says that there is no such service; no record, that it is at the domain', async () => {
  const resolver = (names: Readonly<Record<string, string>>) => ({
    srv: async (name: string) => {
      const found = names[name]
      return found === undefined ? [] : [{ name: found, port: 5270, priority: 0, weight: 0 }]
    },
    addresses: async () => [],
  })
  const find = (names: Readonly<Record<string, string>>) =>
    findTargets('verona.example', 5269, { resolver: resolver(names), chance: () => 0 })

  assert.deepEqual(await find({ '_xmpp-server._tcp.verona.example': '.' }), [])
  assert.deepEqual(await find({}), [
    { host: 'verona.example', port: 5269, direct: false, secure: false },
  ])
  assert.deepEqual(await find({ '_xmpps-server._tcp.verona.example': 'a.example' }), [
    { host: 'a.example', port: 5270, direct: true, secure: false },
  ])
})

test('RFC 6890: addresses that are nobody else’s business', () => {
  const hidden = ['127.0.0.1', '10.1.2.3', '192.168.0.1', '169.254.169.254', '::1', 'fe80::1']
  const shown = ['192.0.2.1', '8.8.8.8', '2001:db8::1']

  for (const address of [...hidden, '::ffff:10.0.0.1', 'fd00::1'])
    assert.equal(isPrivate(address), true, address)
  for (const address of shown) assert.equal(isPrivate(address), false, address)
})
