import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BareJid, parseBareJid, parseJid } from '@tactus/jid'
import {
  authorize,
  createMechanism,
  decodeBase64,
  encodeBase64,
  offeredMechanisms,
  type SaslContext,
} from '../src/index.ts'
import { contextWith, endPoint, everyMechanism, exporter } from './fixture.ts'
import { ScramClient } from './scram-client.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

/** Authenticates as Romeo by any mechanism; for ANONYMOUS the authzid is trace information. */
async function loginAs(name: string, authzid: string, context: SaslContext): Promise<string> {
  const mechanism = createMechanism(name, context)
  if (name.startsWith('SCRAM')) {
    const binding = name.endsWith('-PLUS') ? { binding: exporter } : {}
    const client = { username: 'romeo', password: '0mi0', authzid, ...binding }
    return (await new ScramClient(name, client).authenticate(mechanism)).username
  }
  const message = name === 'PLAIN' ? `${authzid}\0romeo\x000mi0` : authzid
  const { success } = await mechanism.step(bytes(message))
  assert.ok(success)
  return success.username
}

describe('RFC 6120 §6.3.8: nobody acts as somebody else', () => {
  const own = ['', 'romeo@montague.example', 'Romeo@Montague.example']
  const foreign = [
    'juliet@montague.example',
    'romeo@capulet.example',
    'romeo@montague.example/orchard',
    'montague.example',
    'romeo',
  ]
  const mechanisms = everyMechanism.filter((name) => name !== 'ANONYMOUS')
  for (const name of mechanisms) {
    for (const authzid of own)
      test(`${name} as ${authzid || 'whom the server derives'}`, async () => {
        assert.equal(await loginAs(name, authzid, contextWith()), 'romeo')
      })
    for (const authzid of foreign)
      test(`${name} as ${authzid}: invalid-authzid`, async () => {
        await assert.rejects(loginAs(name, authzid, contextWith()), {
          name: 'SaslFailure',
          condition: 'invalid-authzid',
        })
      })
  }

  for (const authzid of ['', ...foreign])
    test(`ANONYMOUS with ${authzid || 'nothing'} is the new account all the same`, async () => {
      const context = contextWith({ anonymous: () => 'guest-1' })
      assert.equal(await loginAs('ANONYMOUS', authzid, context), 'guest-1')
    })

  test('trace information is text', async () => {
    const mechanism = createMechanism('ANONYMOUS', contextWith())
    await assert.rejects(mechanism.step(Buffer.from([0xff])), { condition: 'malformed-request' })
  })

  test('text that is no address is nobody’s', () => {
    const romeo = parseBareJid('romeo@montague.example')
    for (const authzid of ['@', 'romeo@', 'a b@c', '\0'])
      assert.throws(() => authorize(authzid, romeo), { condition: 'invalid-authzid' })
    assert.doesNotThrow(() => authorize(undefined, romeo))
  })
})

describe('RFC 6120 §6.3.3: only what this stream offered', () => {
  const unregistered = [
    '',
    'DIGEST-MD5',
    'scram-sha-1',
    'HT-SHA-256-NONE',
    'SCRAM-SHA-224',
    'toString',
  ]
  for (const offered of [[], ...everyMechanism.map((name) => [name]), unregistered])
    test(`${offered.join(' ') || 'nothing'} is offered`, () => {
      for (const name of [...everyMechanism, ...unregistered]) {
        const create = () => createMechanism(name, contextWith({ offered }))
        if (everyMechanism.includes(name) && offered.includes(name))
          assert.equal(create().name, name)
        else assert.throws(create, { name: 'SaslFailure', condition: 'invalid-mechanism' })
      }
    })

  test('a mechanism without its port is not there, even when offered', () => {
    const { external: _, anonymous: __, ...context } = contextWith()
    for (const name of ['EXTERNAL', 'ANONYMOUS'])
      assert.throws(() => createMechanism(name, context), { condition: 'invalid-mechanism' })
  })
})

describe('The offer, strongest first', () => {
  const bindings = [exporter, endPoint]
  const plain = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1']
  const plus = plain.map((name) => `${name}-PLUS`)

  test('over TLS', () => {
    assert.deepEqual(offeredMechanisms({ encrypted: true, bindings }), [...plus, ...plain, 'PLAIN'])
  })
  test('over TLS without channel binding', () => {
    assert.deepEqual(offeredMechanisms({ encrypted: true, bindings: [] }), [...plain, 'PLAIN'])
  })
  test('with a certificate of the peer, and for guests', () => {
    const policy = { encrypted: true, bindings, external: true, anonymous: true }
    const offer = offeredMechanisms(policy)
    assert.deepEqual([offer.at(0), offer.at(-1)], ['EXTERNAL', 'ANONYMOUS'])
  })
  test('without TLS nothing, unless the host says so', () => {
    assert.deepEqual(offeredMechanisms({ encrypted: false, bindings: [], anonymous: true }), [])
    assert.deepEqual(
      offeredMechanisms({ encrypted: false, plaintextAllowed: true, bindings: [] }),
      [...plain, 'PLAIN'],
    )
  })
  test('hashes and PLAIN as the host says', () => {
    assert.deepEqual(
      offeredMechanisms({ encrypted: true, bindings, plain: false, hashes: ['sha-256'] }),
      ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'],
    )
  })
})

describe('RFC 4616: PLAIN', () => {
  const login = (message: string | Uint8Array) =>
    createMechanism('PLAIN', contextWith()).step(
      typeof message === 'string' ? bytes(message) : message,
    )
  const table: readonly [string, string | Uint8Array, string][] = [
    ['a wrong password', '\0romeo\0x', 'not-authorized'],
    ['an unknown account', '\0paris\0x', 'not-authorized'],
    ['a name that is no localpart', '\0a b\0x', 'not-authorized'],
    ['a password that OpaqueString forbids', '\0romeo\x000mi0\u0007', 'not-authorized'],
    ['a disabled account, wrong password', '\0tybalt\0x', 'not-authorized'],
    ['a disabled account', '\0tybalt\0v1lla1n', 'account-disabled'],
    ['nothing', '', 'malformed-request'],
    ['no NUL', 'romeo', 'malformed-request'],
    ['one NUL', 'romeo\x000mi0', 'malformed-request'],
    ['three NULs', '\0romeo\x000mi0\0', 'malformed-request'],
    ['no name', '\0\x000mi0', 'malformed-request'],
    ['no password', '\0romeo\0', 'malformed-request'],
    ['not UTF-8', Buffer.from('\0romeo\0\xE9', 'latin1'), 'malformed-request'],
  ]
  for (const [what, message, condition] of table)
    test(`${what}: ${condition}`, async () => {
      await assert.rejects(login(message), { name: 'SaslFailure', condition })
    })

  test('keys of one hash are enough', async () => {
    const { success } = await login('\0nurse\0peter!')
    assert.equal(success?.username, 'nurse')
  })
})

describe('RFC 4422 appendix A: EXTERNAL', () => {
  const login = (external: (authzid: string | undefined) => Promise<BareJid | undefined>) =>
    createMechanism('EXTERNAL', contextWith({ external })).step(bytes(''))

  test('nobody proved: not-authorized', async () => {
    await assert.rejects(
      login(async () => undefined),
      { condition: 'not-authorized' },
    )
  })
  test('an account of another host: not-authorized', async () => {
    await assert.rejects(
      login(async () => parseBareJid('romeo@capulet.example')),
      {
        condition: 'not-authorized',
      },
    )
  })
  test('a host, not an account: not-authorized', async () => {
    await assert.rejects(
      login(async () => parseBareJid('montague.example')),
      {
        condition: 'not-authorized',
      },
    )
  })
  test('the decision is told who the peer says it is', async () => {
    const told: (string | undefined)[] = []
    const external = async (authzid: string | undefined) => {
      told.push(authzid)
      return parseJid('romeo@montague.example') as BareJid
    }
    await createMechanism('EXTERNAL', contextWith({ external })).step(bytes(''))
    await createMechanism('EXTERNAL', contextWith({ external })).step(
      bytes('romeo@montague.example'),
    )
    assert.deepEqual(told, [undefined, 'romeo@montague.example'])
  })
})

describe('RFC 6120 §6.4: one run', () => {
  const messages = { PLAIN: '\0romeo\x000mi0', EXTERNAL: '', ANONYMOUS: 'trace' }
  for (const [name, message] of Object.entries(messages)) {
    test(`${name} waits for a response when <auth/> has none`, async () => {
      const mechanism = createMechanism(name, contextWith())
      assert.deepEqual(await mechanism.step(undefined), { challenge: new Uint8Array() })
      assert.equal((await mechanism.step(bytes(message))).success?.username, 'romeo')
    })
    test(`${name} ends with its answer, good or bad`, async () => {
      const mechanism = createMechanism(name, contextWith())
      await mechanism.step(bytes(message))
      await assert.rejects(mechanism.step(bytes(message)), { condition: 'malformed-request' })
      await assert.rejects(mechanism.step(undefined), { condition: 'malformed-request' })
    })
  }
})

describe('RFC 6120 §6.4.2: Base64', () => {
  test('= is data of no length', () => assert.deepEqual(decodeBase64('='), new Uint8Array()))
  test('nothing is data of no length', () => assert.equal(decodeBase64('').length, 0))
  test('what is encoded decodes', () => {
    assert.deepEqual(Buffer.from(decodeBase64(encodeBase64(bytes('\0romeo')))), bytes('\0romeo'))
    assert.equal(encodeBase64(Buffer.from('xRomeox').subarray(1, 6)), 'Um9tZW8=')
  })
  for (const text of [
    'A',
    'AA',
    'AAA',
    'AA=',
    'AB==',
    'AAB=',
    ' AAAA',
    'AAAA\n',
    'A-_A',
    '==',
    'AA==AA==',
    'AAAA=',
  ])
    test(`${JSON.stringify(text)}: incorrect-encoding`, () => {
      assert.throws(() => decodeBase64(text), {
        name: 'SaslFailure',
        condition: 'incorrect-encoding',
      })
    })
})
