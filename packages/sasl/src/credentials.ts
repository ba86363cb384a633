import { createHash, createHmac, pbkdf2, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { JidError, prepareOpaqueString } from '@tactus/jid'
import { SaslFailure } from './sasl-failure.ts'

const pbkdf2Async = promisify(pbkdf2)

/** The hash functions of the SCRAM family (RFC 5802, RFC 7677). */
export type HashName = 'sha-1' | 'sha-256' | 'sha-512'

/**
 * What a server stores of a password (RFC 5802 §3). From a stolen copy one can neither log in nor
 * read the password, only guess at the price of `iterations` a try.
 */
export interface ScramKeys {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** Everything an account can be authenticated against. */
export interface Credentials {
  readonly keys: Partial<Record<HashName, ScramKeys>>
  /** The right password is answered with `account-disabled`, a wrong one as ever. */
  readonly disabled?: boolean
}

/** A source of random octets, `n` at a time, good enough for secrets. */
export type RandomBytes = (n: number) => Uint8Array

/** Node's name of a hash and the octets of its digest. */
const hashes: Readonly<Record<HashName, { algorithm: string; bytes: number }>> = {
  'sha-1': { algorithm: 'sha1', bytes: 20 },
  'sha-256': { algorithm: 'sha256', bytes: 32 },
  'sha-512': { algorithm: 'sha512', bytes: 64 },
}

/** Iterations unless told otherwise. A client pays for them at each login, a server at few. */
export const defaultIterations = 10_000
const saltBytes = 16

// Cheapest of the strong ones first: PLAIN makes the server do the work.
const verifyOrder: readonly HashName[] = ['sha-256', 'sha-512', 'sha-1']

// PBKDF2 occupies libuv's few threads, which DNS and files use too. Beyond this a flood of PLAIN
// logins is told to come back, instead of making everybody wait.
const maxPendingDerivations = 128
let pendingDerivations = 0

/**
 * Derives the keys of a password (RFC 5802 §3), prepared by OpaqueString (RFC 8265 §4).
 *
 * @throws {JidError} when the password is empty or holds characters that the profile forbids.
 * @throws {SaslFailure} `temporary-auth-failure` when too many derivations are waiting.
 */
export async function deriveKeys(
  password: string,
  hash: HashName,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramKeys> {
  const { algorithm, bytes } = hashes[hash]
  const prepared = prepareOpaqueString(password)
  if (pendingDerivations >= maxPendingDerivations) throw new SaslFailure('temporary-auth-failure')
  pendingDerivations++
  try {
    const salted = await pbkdf2Async(prepared, salt, iterations, bytes, algorithm)
    return fromSalted(hash, salted, { salt, iterations })
  } finally {
    pendingDerivations--
  }
}

function fromSalted(
  hash: HashName,
  salted: Uint8Array,
  { salt, iterations }: { readonly salt: Uint8Array; readonly iterations: number },
): ScramKeys {
  const storedKey = digest(hash, hmac(hash, salted, 'Client Key'))
  return { salt, iterations, storedKey, serverKey: hmac(hash, salted, 'Server Key') }
}

/** What {@link makeCredentials} may be told. */
export interface CredentialOptions {
  readonly random: RandomBytes
  readonly iterations?: number
  readonly hashes?: readonly HashName[]
}

/**
 * The credentials to store for a new password.
 *
 * @throws {JidError} when the password is empty or holds characters that OpaqueString forbids.
 */
export async function makeCredentials(
  password: string,
  options: CredentialOptions,
): Promise<Credentials> {
  const { random, iterations = defaultIterations, hashes: names = verifyOrder } = options
  const keys: Partial<Record<HashName, ScramKeys>> = {}
  for (const hash of names)
    keys[hash] = await deriveKeys(password, hash, random(saltBytes), iterations)
  return { keys }
}

/**
 * As {@link makeCredentials}, at once: it holds up the thread for some 20 ms with the default iterations.
 *
 * For the one place that has a password and may neither wait nor hand it on: a step in which an account changes it.
 * @throws {JidError} when the password is empty or holds characters that OpaqueString forbids.
 */
export function makeCredentialsSync(password: string, options: CredentialOptions): Credentials {
  const { random, iterations = defaultIterations, hashes: names = verifyOrder } = options
  const prepared = prepareOpaqueString(password)
  const keys: Partial<Record<HashName, ScramKeys>> = {}
  for (const hash of names) {
    const { algorithm, bytes } = hashes[hash]
    const salt = random(saltBytes)
    const salted = pbkdf2Sync(prepared, salt, iterations, bytes, algorithm)
    keys[hash] = fromSalted(hash, salted, { salt, iterations })
  }
  return { keys }
}

/** What {@link decoyCredentials} goes by. */
export interface DecoyOptions {
  /** Shared by all instances, or the salt of an unknown account would change between them. */
  readonly secret: Uint8Array
  readonly username: string
  /** As for real accounts; {@link defaultIterations} when absent. */
  readonly iterations?: number | undefined
}

/** Unlike those of an account, complete: whatever mechanism is tried finds its keys. */
export interface DecoyCredentials extends Credentials {
  readonly keys: Readonly<Record<HashName, ScramKeys>>
}

/**
 * Credentials that no password fits, for an account that does not exist.
 *
 * SECURITY: salt and iteration count are what a peer sees of an account before it proves
 * anything. They are the same at every attempt and look like real ones, so that probing for
 * names learns nothing.
 */
export function decoyCredentials(options: DecoyOptions): DecoyCredentials {
  const { secret, username, iterations = defaultIterations } = options
  const part = (hash: HashName, label: string): Uint8Array =>
    hmac(hash, secret, `${hash}\0${label}\0${username}`)
  const keysOf = (hash: HashName): ScramKeys => ({
    salt: part(hash, 'salt').subarray(0, saltBytes),
    iterations,
    storedKey: part(hash, 'stored'),
    serverKey: part(hash, 'server'),
  })
  return {
    keys: {
      'sha-1': keysOf('sha-1'),
      'sha-256': keysOf('sha-256'),
      'sha-512': keysOf('sha-512'),
    },
  }
}

/**
 * Whether the password is the account's; does the same work when there is no account.
 *
 * @throws {SaslFailure} `temporary-auth-failure` when too many derivations are waiting.
 */
export async function verifyPassword(
  password: string,
  credentials: Credentials | undefined,
  decoy: Credentials,
): Promise<boolean> {
  const real = strongestKeys(credentials)
  const chosen = real ?? strongestKeys(decoy)
  if (!chosen) return false
  const { hash, keys } = chosen
  try {
    const { storedKey } = await deriveKeys(password, hash, keys.salt, keys.iterations)
    return equalSecrets(storedKey, keys.storedKey) && real !== undefined
  } catch (error) {
    if (error instanceof JidError) return false
    throw error
  }
}

function strongestKeys(
  credentials: Credentials | undefined,
): { hash: HashName; keys: ScramKeys } | undefined {
  for (const hash of verifyOrder) {
    const keys = credentials?.keys[hash]
    if (keys) return { hash, keys }
  }
  return undefined
}

/** HMAC of RFC 2104 with the hash of a SCRAM mechanism. */
export function hmac(hash: HashName, key: Uint8Array, data: string | Uint8Array): Uint8Array {
  return createHmac(hashes[hash].algorithm, key).update(data).digest()
}

/** Digest with the hash of a SCRAM mechanism. */
export function digest(hash: HashName, data: string | Uint8Array): Uint8Array {
  return createHash(hashes[hash].algorithm).update(data).digest()
}

/** Compares in a time that depends on the lengths alone. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
