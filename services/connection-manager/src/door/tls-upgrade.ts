import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { CertificateStore } from '../certificates/certificate-store.ts'

/** How TLS is put on a socket. */
export interface TlsOptions {
  readonly certificates: CertificateStore
  /** XEP-0368 §2: `xmpp-client` where TLS comes first. */
  readonly protocols?: readonly string[]
}

/** Makes us the TLS server on a connected socket; the hand-shake begins by itself. */
export function secure(socket: Socket, options: TlsOptions): TLSSocket {
  const { certificates, protocols } = options
  const { defaultContext } = certificates
  return new TLSSocket(socket, {
    isServer: true,
    ...(defaultContext && { secureContext: defaultContext }),
    SNICallback(servername, done) {
      certificates.contextFor(servername).then(
        (context) => done(null, context),
        (error: Error) => done(error),
      )
    },
    ...(protocols && { ALPNProtocols: [...protocols] }),
  })
}
