import type { Socket } from 'node:net'
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls'
import type { CertificateStore } from '../certificates/certificate-store.ts'
import { pairOf } from '../certificates/secure-context.ts'

/**
 * Puts TLS on connections that other servers made, and asks them for their certificates; what one is worth is judged
 * afterwards, because who has none can still prove itself by dialback.
 *
 * A server of Node's own, that listens nowhere, as only that tells whether a client's certificate was verified.
 */
export class TlsAcceptor implements Disposable {
  readonly #certificates: CertificateStore
  readonly #server: Server
  readonly #waiting = new Map<string, (tls: TLSSocket) => void>()
  #default: SecureContext | undefined

  constructor(certificates: CertificateStore, timeout: number) {
    this.#certificates = certificates
    this.#server = createServer({
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: timeout,
      ALPNProtocols: ['xmpp-server'],
      SNICallback(servername, done) {
        certificates.contextFor(servername).then(
          (context) => done(null, context),
          (error: Error) => done(error),
        )
      },
    })
    this.#server.on('secureConnection', (tls: TLSSocket) => {
      const name = nameOf(tls)
      const secured = this.#waiting.get(name)
      this.#waiting.delete(name)
      if (secured) secured(tls)
      else tls.destroy()
    })
    this.#server.on('tlsClientError', (_error: Error, tls: TLSSocket) => tls.destroy())
  }

  /** The hand-shake begins by itself. What fails closes the socket. */
  secure(socket: Socket, secured: (tls: TLSSocket) => void): void {
    this.#useDefault()
    const name = nameOf(socket)
    this.#waiting.set(name, secured)
    socket.once('close', () => this.#waiting.delete(name))
    this.#server.emit('connection', socket)
  }

  [Symbol.dispose](): void {
    this.#waiting.clear()
  }

  /** For who sends no name (RFC 6066). */
  #useDefault(): void {
    const context = this.#certificates.defaultContext
    if (!context || context === this.#default) return
    this.#default = context
    const pair = pairOf(context)
    if (pair) this.#server.setSecureContext(pair)
  }
}

/** No two connections have all of these the same. */
const nameOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
