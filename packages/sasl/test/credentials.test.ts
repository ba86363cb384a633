import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import { describe, test } from 'node:test'
import {
  decoyCredentials,
  deriveKeys,
  equalSecrets,
  makeCredentials,
  makeCredentialsSync,
  verifyPassword,
} from '../src/index.ts'
import { counterBytes } from './fixture.ts'

const secret = Buffer.from('decoy')
const decoy = decoyCredentials({ secret, username: 'romeo', iterations: 64 })

describe('RFC 5802 §3: what is stored', () => {
  test('keys of every hash, each with a salt of its own and 10000 iterations', async () => {
    const { keys } = await makeCredentials('0mi0', { random: counterBytes() })
    assert.deepEqual(Object.keys(keys).toSorted(), ['sha-1', 'sha-256', 'sha-512'])
    const all = Object.values(keys)
    assert.deepEqual(
      all.map(({ iterations }) => iterations),
      [10_000, 10_000, 10_000],
    )
    assert.deepEqual(
      all.map(({ salt }) => salt.length),
      [16, 16, 16],
    )
    assert.equal(new Set(all.map(({ salt }) => Buffer.from(salt).toString('hex'))).size, 3)
    assert.deepEqual(
      [keys['sha-1'], keys['sha-256'], keys['sha-512']].map((key) => key?.storedKey.length),
      [20, 32, 64],
    )
  })

  test('an empty password, or one with control characters, makes none', async () => {
    for (const password of ['', 'a\u0000b'])
      await assert.rejects(makeCredentials(password, { random: counterBytes() }), {
        name: 'JidError',
      })
  })
})

describe('Verifying a password', () => {
  const random = counterBytes()

  test('knows the right one in any normalization', async () => {
    const credentials = await makeCredentials('caf\u00E9 x', { random, iterations: 64 })
    assert.equal(await verifyPassword('cafe\u0301\u00A0x', credentials, decoy), true)
    assert.equal(await verifyPassword('cafe x', credentials, decoy), false)
    assert.equal(await verifyPassword('', credentials, decoy), false)
  })

  for (const hash of ['sha-1', 'sha-256', 'sha-512'] as const)
    test(`goes by ${hash} when that is all there is`, async () => {
      const credentials = await makeCredentials('0mi0', { random, iterations: 64, hashes: [hash] })
      assert.equal(await verifyPassword('0mi0', credentials, decoy), true)
      assert.equal(await verifyPassword('0mi1', credentials, decoy), false)
    })

  test('no account, or no keys, is a wrong password', async () => {
    assert.equal(await verifyPassword('0mi0', undefined, decoy), false)
    assert.equal(await verifyPassword('0mi0', { keys: {} }, decoy), false)
  })

  test('SECURITY: the decoy itself opens nothing', async () => {
    const keys = await deriveKeys('0mi0', 'sha-256', decoy.keys['sha-256'].salt, 64)
    const revealed = { keys: { ...decoy.keys, 'sha-256': keys } }
    assert.equal(await verifyPassword('0mi0', undefined, revealed), false)
  })

  test('SECURITY: an unknown account costs one derivation, as a known one does', async () => {
    const credentials = await makeCredentials('0mi0', { random, iterations: 64 })
    const costs: number[] = []
    for (const account of [credentials, undefined])
      costs.push(await derivationsOf(() => verifyPassword('x', account, decoy)))
    assert.deepEqual(costs, [1, 1])
  })

  test('a flood is told to come back, and leaves nothing behind', async () => {
    const verify = (): Promise<boolean> => verifyPassword('x', undefined, decoy)
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, verify))
    const reasons = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason.condition] : [],
    )
    assert.deepEqual(reasons, Array(72).fill('temporary-auth-failure'))
    assert.equal(await verify(), false)
  })
})

test('Secrets are equal only at full length', () => {
  const key = Buffer.from('abc')
  assert.ok(equalSecrets(key, Buffer.from('abc')))
  for (const other of ['', 'ab', 'abd', 'abcd']) assert.ok(!equalSecrets(key, Buffer.from(other)))
})

/** How often PBKDF2 runs while the task does. */
async function derivationsOf(task: () => Promise<unknown>): Promise<number> {
  let count = 0
  const hook = createHook({
    init(_, type) {
      if (type === 'PBKDF2REQUEST') count++
    },
  }).enable()
  await task()
  hook.disable()
  return count
}

test('RFC 5802 §3: the keys are the same whether they were derived at once or not', async () => {
  const options = { iterations: 64 } as const
  const later = await makeCredentials('0mi0', { random: counterBytes(), ...options })
  const now = makeCredentialsSync('0mi0', { random: counterBytes(), ...options })
  assert.deepEqual(now, later)
})
