import { createHmac } from 'node:crypto'
import type { BareJid } from '@tactus/jid'
import type { ExternalService } from './config.ts'

/** What an account uses a service with. */
export interface Credentials {
  readonly username: string
  readonly password: string
  /** Wall clock, ms; undefined for those that do not expire. */
  readonly expires: number | undefined
}

/** Long enough that no two accounts have the same. */
const pseudonymLength = 16

/**
 * The credentials of an account at a service, undefined where it needs none (XEP-0215 §3.3).
 *
 * With a secret those that TURN servers know as REST API: `expiry:user`, and its HMAC.
 * SECURITY: `user` goes over the wire in the clear, so it is a pseudonym: the same for an account at a service, and nothing
 * to anybody who does not know the secret.
 */
export function credentialsFor(
  service: ExternalService,
  account: BareJid,
  valid: { readonly now: number; readonly lifetime: number },
): Credentials | undefined {
  const { secret, username, password } = service
  if (secret) {
    const key = secret.reveal()
    const expiry = Math.floor(valid.now / 1_000) + valid.lifetime
    const user = hmac(key, `account ${account}`, 'base64url').slice(0, pseudonymLength)
    const timed = `${expiry}:${user}`
    return { username: timed, password: hmac(key, timed, 'base64'), expires: expiry * 1_000 }
  }
  if (username === undefined) return undefined
  return { username, password: password?.reveal() ?? '', expires: undefined }
}

function hmac(key: string, text: string, encoding: 'base64' | 'base64url'): string {
  return createHmac('sha1', key).update(text).digest(encoding)
}
