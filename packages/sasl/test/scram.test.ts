import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createMechanism, deriveKeys, type SaslContext } from '../src/index.ts'
import { isProven, serverSignature } from '../src/scram-proof.ts'
import { contextWith, counterBytes, endPoint, everyMechanism, exporter } from './fixture.ts'
import { type ClientOptions, ScramClient } from './scram-client.ts'

const romeo = { username: 'romeo', password: '0mi0' }
const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString()
const scram = everyMechanism.filter((name) => name.startsWith('SCRAM'))
const withoutPlus = everyMechanism.filter((name) => !name.endsWith('-PLUS'))

const login = (name: string, client: ClientOptions, context?: Partial<SaslContext>) =>
  new ScramClient(name, client).authenticate(createMechanism(name, contextWith(context)))

/** What the server answers to the first message of a client. */
async function serverFirst(name: string, first: string, context?: Partial<SaslContext>) {
  const { challenge } = await createMechanism(name, contextWith(context)).step(bytes(first))
  return text(challenge)
}

describe('RFC 5802 §5, RFC 7677 §3: the sample exchanges', () => {
  const samples = [
    {
      hash: 'sha-1',
      salt: 'QSXCR+Q6sek8bf92',
      clientNonce: 'fyko+d2lbbFgONRv9qkxdawL',
      serverNonce: '3rfcNHYJY1ZVvWVs7j',
      proof: 'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      signature: 'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    },
    {
      hash: 'sha-256',
      salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
      clientNonce: 'rOprNGfwEbeRWgbNEkqO',
      serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
      proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    },
  ] as const

  for (const { hash, salt, clientNonce, serverNonce, proof, signature } of samples)
    test(`${hash}: server and test client compute what the RFC prints`, async () => {
      const keys = await deriveKeys('pencil', hash, Buffer.from(salt, 'base64'), 4096)
      const challenge = `r=${clientNonce}${serverNonce},s=${salt},i=4096`
      const final = `c=biws,r=${clientNonce}${serverNonce}`
      const authMessage = `n=user,r=${clientNonce},${challenge},${final}`
      assert.ok(isProven(hash, keys, authMessage, Buffer.from(proof, 'base64')))
      const signed = Buffer.from(serverSignature(hash, keys, authMessage))
      assert.equal(signed.toString('base64'), signature)

      const client = new ScramClient(hash.toUpperCase(), {
        username: 'user',
        password: 'pencil',
        nonce: clientNonce,
      })
      assert.equal(client.first(), `n,,n=user,r=${clientNonce}`)
      assert.equal(client.final(challenge), `${final},p=${proof}`)
      assert.ok(client.trusts(bytes(`v=${signature}`)))
    })
})

describe('RFC 5802 §3: an exchange', () => {
  for (const name of scram) {
    const bindings = name.endsWith('-PLUS') ? [exporter, endPoint] : [undefined]
    for (const binding of bindings)
      test(`${name} ${binding?.type ?? 'without binding'}: the right password`, async () => {
        const { username } = await login(name, { ...romeo, ...(binding && { binding }) })
        assert.equal(username, 'romeo')
      })
    test(`${name}: a wrong password`, async () => {
      const binding = name.endsWith('-PLUS') ? { binding: exporter } : {}
      await assert.rejects(login(name, { ...romeo, ...binding, password: 'r0mi0' }), {
        condition: 'not-authorized',
      })
    })
  }

  test('the initial response may be missing from <auth/>', async () => {
    const mechanism = createMechanism('SCRAM-SHA-256', contextWith())
    assert.deepEqual(await mechanism.step(undefined), { challenge: new Uint8Array() })
    await new ScramClient('SCRAM-SHA-256', romeo).authenticate(mechanism)
  })

  test('the name is prepared, the password normalized', async () => {
    const nfd = { username: 'ROME\u{FF2F}', password: '0mi0' }
    assert.equal((await login('SCRAM-SHA-256', nfd)).username, 'romeo')
  })

  test('§5.1: commas and equals signs in a name are escaped', async () => {
    const { username } = await login('SCRAM-SHA-512', { username: 'a,b=c', password: 'comma' })
    assert.equal(username, 'a,b=c')
  })

  test('a disabled account learns so only with the right password', async () => {
    await assert.rejects(login('SCRAM-SHA-256', { username: 'tybalt', password: 'v1lla1n' }), {
      condition: 'account-disabled',
    })
    await assert.rejects(login('SCRAM-SHA-256', { username: 'tybalt', password: 'x' }), {
      condition: 'not-authorized',
    })
  })

  test('our part of the nonce has 144 bits and is new each time', async () => {
    const asked: number[] = []
    const source = counterBytes()
    const random = (n: number): Uint8Array => {
      asked.push(n)
      return source(n)
    }
    const one = await serverFirst('SCRAM-SHA-256', 'n,,n=romeo,r=abc', { random })
    const other = await serverFirst('SCRAM-SHA-256', 'n,,n=romeo,r=abc', { random })
    assert.deepEqual(asked, [18, 18])
    assert.match(one, /^r=abc[A-Za-z0-9+/]{24},s=/)
    assert.notEqual(one, other)
  })
})

describe('SECURITY: an account that does not exist', () => {
  const probe = async (name: string, username: string, context?: Partial<SaslContext>) => {
    const challenge = await serverFirst(name, `n,,n=${username},r=abc`, context)
    const [, salt, iterations] = /,s=([^,]+),i=(\d+)$/.exec(challenge) ?? []
    return { salt, iterations }
  }

  for (const name of ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
    test(`${name} shows the same kind of salt and count as a real one`, async () => {
      const real = await probe(name, 'romeo')
      const decoy = await probe(name, 'paris')
      assert.equal(decoy.salt?.length, real.salt?.length)
      assert.equal(decoy.iterations, real.iterations)
      assert.notEqual(decoy.salt, real.salt)
      assert.deepEqual(await probe(name, 'paris'), decoy)
      assert.deepEqual(await probe(name, 'PARIS'), decoy)
      assert.notEqual((await probe(name, 'benvolio')).salt, decoy.salt)
    })

  test('has another salt for each hash, host secret and name', async () => {
    const salts = new Set([
      (await probe('SCRAM-SHA-1', 'paris')).salt,
      (await probe('SCRAM-SHA-256', 'paris')).salt,
      (await probe('SCRAM-SHA-512', 'paris')).salt,
      (await probe('SCRAM-SHA-512', 'paris', { decoySecret: bytes('other') })).salt,
    ])
    assert.equal(salts.size, 4)
  })

  for (const username of ['paris', 'not a localpart', 'x@montague.example'])
    test(`${username} fails where and as a wrong password does`, async () => {
      await assert.rejects(login('SCRAM-SHA-256', { username, password: 'x' }), {
        condition: 'not-authorized',
        text: undefined,
      })
    })

  test('keys of another hash only are as good as none', async () => {
    await login('SCRAM-SHA-1', { username: 'nurse', password: 'peter!' })
    await assert.rejects(login('SCRAM-SHA-256', { username: 'nurse', password: 'peter!' }), {
      condition: 'not-authorized',
    })
  })
})

describe('RFC 5802 §6: channel binding', () => {
  const cases: readonly [string, string, ClientOptions, Partial<SaslContext>, string][] = [
    ['y, though we offered -PLUS', 'SCRAM-SHA-256', { ...romeo, flag: 'y' }, {}, 'not-authorized'],
    ['n in -PLUS', 'SCRAM-SHA-256-PLUS', romeo, {}, 'malformed-request'],
    ['y in -PLUS', 'SCRAM-SHA-256-PLUS', { ...romeo, flag: 'y' }, {}, 'malformed-request'],
    ['p without -PLUS', 'SCRAM-SHA-256', { ...romeo, binding: exporter }, {}, 'malformed-request'],
    [
      'a binding this connection has not',
      'SCRAM-SHA-256-PLUS',
      { ...romeo, binding: endPoint },
      { bindings: [exporter] },
      'not-authorized',
    ],
    [
      'an unknown binding',
      'SCRAM-SHA-256-PLUS',
      { ...romeo, flag: 'p=tls-unique', binding: exporter },
      {},
      'not-authorized',
    ],
    [
      'the data of another connection',
      'SCRAM-SHA-256-PLUS',
      { ...romeo, binding: { ...exporter, data: Buffer.alloc(32) } },
      {},
      'not-authorized',
    ],
    [
      'the data of another binding',
      'SCRAM-SHA-256-PLUS',
      { ...romeo, binding: { ...exporter, data: endPoint.data } },
      {},
      'not-authorized',
    ],
  ]
  for (const [what, name, client, context, condition] of cases)
    test(`${what}: ${condition}`, async () => {
      await assert.rejects(login(name, client, context), { condition })
    })

  test('y is fine where no -PLUS was offered', async () => {
    await login('SCRAM-SHA-256', { ...romeo, flag: 'y' }, { offered: withoutPlus, bindings: [] })
  })

  test('the GS2 header that is bound is the one that was sent', async () => {
    const swapFlag = (message: string): string => message.replace(/^y,/, 'n,')
    await assert.rejects(
      login(
        'SCRAM-SHA-256',
        { ...romeo, flag: 'y', tamper: swapFlag },
        { offered: withoutPlus, bindings: [] },
      ),
      { condition: 'not-authorized' },
    )
  })
})

describe('RFC 5802 §7: the syntax of messages', () => {
  const firsts: readonly [string, string][] = [
    ['nothing', ''],
    ['no header', 'n=romeo,r=abc'],
    ['an unknown flag', 'x,,n=romeo,r=abc'],
    ['an empty flag', ',,n=romeo,r=abc'],
    ['a flag with a value', 'n=,,n=romeo,r=abc'],
    ['a binding without name', 'p=,,n=romeo,r=abc'],
    ['authzid without a=', 'n,romeo,n=romeo,r=abc'],
    ['an empty authzid', 'n,a=,n=romeo,r=abc'],
    ['a mandatory extension', 'n,,m=x,n=romeo,r=abc'],
    ['no name', 'n,,r=abc'],
    ['an empty name', 'n,,n=,r=abc'],
    ['a bad escape', 'n,,n=ro=2cmeo,r=abc'],
    ['a bare equals sign', 'n,,n=romeo=,r=abc'],
    ['NUL in the name', 'n,,n=ro\0meo,r=abc'],
    ['no nonce', 'n,,n=romeo'],
    ['an empty nonce', 'n,,n=romeo,r='],
    ['a space in the nonce', 'n,,n=romeo,r=a c'],
    ['a control in the nonce', 'n,,n=romeo,r=a\u007Fc'],
    ['a letter beyond ASCII in the nonce', 'n,,n=romeo,r=\u00E9'],
    ['an endless nonce', `n,,n=romeo,r=${'a'.repeat(257)}`],
    ['an extension that is none', 'n,,n=romeo,r=abc,xyz'],
  ]
  for (const [what, message] of firsts)
    test(`first message: ${what}`, async () => {
      await assert.rejects(serverFirst('SCRAM-SHA-256', message), {
        name: 'SaslFailure',
        condition: 'malformed-request',
      })
    })

  test('first message: a mandatory extension is refused as such', async () => {
    await assert.rejects(serverFirst('SCRAM-SHA-256', 'n,,m=x,n=romeo,r=abc'), {
      text: 'The SCRAM message demands an unknown extension.',
    })
  })

  test('first message: the name of a binding is neither empty nor endless', async () => {
    for (const binding of ['', 'a'.repeat(65), 'a b'])
      await assert.rejects(serverFirst('SCRAM-SHA-256-PLUS', `p=${binding},,n=romeo,r=abc`), {
        condition: 'malformed-request',
      })
  })

  test('first message: not in UTF-8', async () => {
    const mechanism = createMechanism('SCRAM-SHA-256', contextWith())
    await assert.rejects(mechanism.step(Buffer.from('n,,n=\xE9,r=abc', 'latin1')), {
      condition: 'malformed-request',
    })
  })

  test('§5.1: extensions that need not be understood are not, but are signed', async () => {
    const mechanism = createMechanism('SCRAM-SHA-256', contextWith())
    await assert.doesNotReject(mechanism.step(bytes('n,,n=romeo,r=abc,x=1,Y=')))
  })

  const finals: readonly [string, (final: string) => string, string][] = [
    ['nothing', () => '', 'malformed-request'],
    ['no proof', (final) => final.replace(/,p=.*/, ''), 'malformed-request'],
    ['a proof not in Base64', (final) => final.replace(/p=./, 'p=*'), 'malformed-request'],
    ['a proof without padding', (final) => final.replace(/=+$/, ''), 'malformed-request'],
    ['something after the proof', (final) => `${final},x=1`, 'malformed-request'],
    ['a proof too short', (final) => final.replace(/p=.*/, 'p=AAAA'), 'not-authorized'],
    ['an extension not signed', (final) => final.replace(',p=', ',x=1,p='), 'not-authorized'],
    ['an extension that is none', (final) => final.replace(',p=', ',x,p='), 'malformed-request'],
    ['another nonce', (final) => final.replace(/r=f/, 'r=g'), 'not-authorized'],
    ['no binding', (final) => final.replace(/^c=biws/, 'c='), 'malformed-request'],
    ['another binding', (final) => final.replace(/^c=biws/, 'c=eSws'), 'not-authorized'],
  ]
  for (const [what, change, condition] of finals)
    test(`final message: ${what}: ${condition}`, async () => {
      const tamper = (message: string): string =>
        message.startsWith('c=') ? change(message) : message
      await assert.rejects(login('SCRAM-SHA-256', { ...romeo, tamper }), { condition })
    })
})

describe('SECURITY: the nonce is ours, whatever else is right', () => {
  test('a final message that is properly signed, but for another nonce, fails', async () => {
    const clientPart = (nonce: string): string => nonce.slice(0, 24)
    const lastChanged = (nonce: string): string => `${nonce.slice(0, -1)}~`
    for (const answerNonce of [clientPart, lastChanged])
      await assert.rejects(login('SCRAM-SHA-256', { ...romeo, answerNonce }), {
        condition: 'not-authorized',
      })
  })

  test('a whole exchange cannot be replayed', async () => {
    const recorded: string[] = []
    const tamper = (message: string): string => {
      recorded.push(message)
      return message
    }
    const random = counterBytes()
    await login('SCRAM-SHA-256', { ...romeo, tamper }, { random })
    const mechanism = createMechanism('SCRAM-SHA-256', contextWith({ random }))
    await mechanism.step(bytes(recorded[0] ?? ''))
    await assert.rejects(mechanism.step(bytes(recorded[1] ?? '')), { condition: 'not-authorized' })
  })

  test('no other sequence of messages succeeds', async () => {
    const proper = new ScramClient('SCRAM-SHA-256', romeo)
    const messages = fc.array(
      fc.oneof(
        fc.constantFrom(proper.first(), 'n,,n=romeo,r=abc', '', 'c=biws,r=abc,p=AAAA'),
        fc.string({ unit: fc.constantFrom(...'nyp=,arcm:AZ09') }),
      ),
      { maxLength: 5 },
    )
    await fc.assert(
      fc.asyncProperty(messages, async (sequence) => {
        const mechanism = createMechanism('SCRAM-SHA-256', contextWith())
        for (const message of sequence) {
          const step = await mechanism.step(bytes(message)).catch(() => undefined)
          assert.equal(step?.success, undefined)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('a run that ended cannot go on', async () => {
    const mechanism = createMechanism('SCRAM-SHA-256', contextWith())
    const client = new ScramClient('SCRAM-SHA-256', romeo)
    await client.authenticate(mechanism)
    for (const message of [bytes(client.first()), undefined])
      await assert.rejects(mechanism.step(message), { condition: 'malformed-request' })
  })

  test('a message that arrives while another is judged ends the run', async () => {
    const mechanism = createMechanism('SCRAM-SHA-256', contextWith())
    const first = mechanism.step(bytes('n,,n=romeo,r=abc'))
    await assert.rejects(mechanism.step(bytes('n,,n=romeo,r=abc')), {
      condition: 'malformed-request',
    })
    await first
  })
})

describe('XEP-0474 §5.1: what was advertised is signed', () => {
  const offered = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1']
  const hashOf = async (bindings?: readonly string[]) => {
    const downgradeProtection = bindings ? { bindings } : {}
    const challenge = await serverFirst('SCRAM-SHA-1', 'n,,n=romeo,r=abc', {
      offered,
      downgradeProtection,
    })
    return /,h=(.*)$/.exec(challenge)?.[1]
  }

  test('the sample hash', async () => {
    const hash = await hashOf(['tls-server-end-point', 'tls-exporter'])
    assert.equal(hash, 'G6k/rBLDqgOhRRaCuuatSDFkJ08=')
  })

  test('without channel bindings the separator is missing too', async () => {
    assert.notEqual(await hashOf(), await hashOf([]))
  })

  test('a client that does not know it logs in all the same', async () => {
    await login('SCRAM-SHA-256', romeo, { downgradeProtection: { bindings: ['tls-exporter'] } })
  })
})
