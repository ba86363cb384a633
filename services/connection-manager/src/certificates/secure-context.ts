import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { KeyPair } from './self-made.ts'

/**
 * Everything that decides how strong TLS is, in one place: 1.2 at least, no renegotiation (a client
 * could make us compute for ever).
 *
 * @param authorities who may vouch for the other side, in PEM; those of the system when absent
 * @throws {Error} when the PEM cannot be read or the key is not the certificate's
 */
export function makeContext(
  { certificate, key }: KeyPair,
  authorities: readonly string[] | undefined = undefined,
): SecureContext {
  const options: SecureContextOptions = {
    cert: certificate,
    key,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
    ...(authorities && { ca: [...authorities] }),
  }
  const context = createSecureContext(options)
  made.set(context, options)
  return context
}

/** For who asks and shows no certificate. @param authorities as with {@link makeContext} */
export function makeTrust(authorities: readonly string[] | undefined): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ...(authorities && { ca: [...authorities] }),
  })
}

const made = new WeakMap<SecureContext, SecureContextOptions>()

/** What a context was made of, for who makes its own of the same. */
export function pairOf(context: SecureContext): SecureContextOptions | undefined {
  return made.get(context)
}
