import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyPassword } from '@tactus/sasl'
import { decodeKeys, derivedByCaller, keyedInput, keysInput } from '../../src/accounts/keys.ts'

const password = 'wherefore-art-thou'
const random = (length: number): Uint8Array => new Uint8Array(length).fill(7)
const prepare = (given: string) =>
  derivedByCaller.prepare({ jid: 'juliet@capulet.example', password: given }, { random })

test('what travels on the bus are keys, never the password', async () => {
  const input = await prepare(password)
  const text = JSON.stringify(input)
  assert.ok(!text.includes(password))
  assert.ok(!text.includes(Buffer.from(password).toString('base64')))
  assert.deepEqual(keyedInput.parse(JSON.parse(text)), input)
})

test('RFC 5802 §3: the password fits the keys that arrive', async () => {
  const { keys } = keyedInput.parse(JSON.parse(JSON.stringify(await prepare(password))))
  const credentials = { keys: decodeKeys(keys) }
  assert.equal(await verifyPassword(password, credentials, { keys: {} }), true)
  assert.equal(await verifyPassword('deny-thy-father', credentials, { keys: {} }), false)
})

test('RFC 8265 §4: a password that no client could type is refused where it was typed', async () => {
  await assert.rejects(prepare('a\u0000b'), { code: 'invalid' })
})

for (const [what, key] of [
  ['too few iterations', { salt: 'AA==', iterations: 1, storedKey: 'AA==', serverKey: 'AA==' }],
  [
    'salt that is no base64',
    { salt: '!', iterations: 10_000, storedKey: 'AA==', serverKey: 'AA==' },
  ],
  [
    'a password beside the keys',
    { salt: 'AA==', iterations: 10_000, storedKey: 'AA==', serverKey: 'AA==', password },
  ],
] as const)
  test(`keys with ${what} are refused by the owner`, () => {
    assert.equal(keysInput.safeParse({ 'sha-256': key }).success, false)
  })
