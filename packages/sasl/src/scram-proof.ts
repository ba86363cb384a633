import { digest, equalSecrets, type HashName, hmac, type ScramKeys } from './credentials.ts'

/**
 * Whether a proof shows knowledge of the client key (RFC 5802 §3): it is that key, hidden under a
 * signature of all messages, which only who knows the stored key can take off.
 */
export function isProven(
  hash: HashName,
  keys: ScramKeys,
  authMessage: string,
  proof: Uint8Array,
): boolean {
  const signature = hmac(hash, keys.storedKey, authMessage)
  if (proof.length !== signature.length) return false
  const clientKey = proof.map((octet, index) => octet ^ (signature[index] ?? 0))
  return equalSecrets(digest(hash, clientKey), keys.storedKey)
}

/** Shows the client that we know its keys, and did not just let anybody in (RFC 5802 §3). */
export function serverSignature(hash: HashName, keys: ScramKeys, authMessage: string): Uint8Array {
  return hmac(hash, keys.serverKey, authMessage)
}
