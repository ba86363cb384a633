import { type BareJid, tryParseJid } from '@tactus/jid'
import { SaslFailure } from './sasl-failure.ts'

/**
 * Decides whether an authenticated entity may act as `authzid` (RFC 6120 §6.3.8): only as itself.
 *
 * SECURITY: the one place where this is decided, for every mechanism. Servers that decided it in
 * each of them let one account open the session of another.
 *
 * @param authzid as sent; undefined or empty when the client leaves it to the server.
 * @throws {SaslFailure} `invalid-authzid`
 */
export function authorize(authzid: string | undefined, authenticated: BareJid): void {
  if (authzid === undefined || authzid === '') return
  if (tryParseJid(authzid) !== authenticated)
    throw new SaslFailure('invalid-authzid', 'The authorization identity must be your own address.')
}
