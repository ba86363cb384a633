import type { TLSSocket } from 'node:tls'
import { certificateNames, standsFor } from '../certificates/certificate-names.ts'
import { isNamedBy } from './dane.ts'
import type { Posh } from './posh.ts'
import type { TlsaRecord } from './targets.ts'

/** What judging other servers' certificates needs. */
export interface JudgePorts {
  readonly posh: Pick<Posh, 'names'>
  /** Whether a host of ours lets the web site of a domain say which certificate is its own. */
  mayAskWeb(local: string, remote: string): boolean
  /** What the DNS says of each server of a domain, verified. @throws {Error} where nobody answered */
  tlsaOfEach(domain: string): Promise<readonly (readonly TlsaRecord[])[]>
}

/** For whom a certificate was shown, and to whom. */
export interface Shown {
  readonly local: string
  readonly remote: string
  /** What the DNS says of it, verified; empty where it says nothing. */
  readonly tlsa: readonly TlsaRecord[]
}

/** Whether certificates of other servers are those of the domains that they are shown for (RFC 7712 §4–6). */
export class CertificateJudge {
  readonly #ports: JudgePorts

  constructor(ports: JudgePorts) {
    this.#ports = ports
  }

  /**
   * By its names, where an authority vouches for it; else by what the domain's web site says. Where the DNS names
   * certificates, that decides and nobody else (RFC 7673 §4.1).
   */
  async isProved(tls: TLSSocket, { local, remote, tlsa }: Shown): Promise<boolean> {
    const certificate = tls.getPeerX509Certificate()
    if (!certificate) return false
    const isOfDomain = standsFor(certificateNames(certificate.raw), remote)
    const isTrusted = tls.authorized
    if (tlsa.length > 0) return isNamedBy(tlsa, { certificate, isTrusted, isOfDomain })
    if (isTrusted && isOfDomain) return true
    return (
      this.#ports.mayAskWeb(local, remote) && (await this.#ports.posh.names(remote, certificate))
    )
  }

  /**
   * As `isProved`, for who connected to us: the certificate is such as one of the domain's servers would have to show
   * (RFC 7712 §5).
   */
  async isProvedByClient(tls: TLSSocket, shown: Omit<Shown, 'tlsa'>): Promise<boolean> {
    if (!tls.getPeerX509Certificate()) return false
    try {
      const each = await this.#ports.tlsaOfEach(shown.remote)
      // A domain without servers may still speak.
      for (const tlsa of each.length > 0 ? each : [[]])
        if (await this.isProved(tls, { ...shown, tlsa })) return true
    } catch {
      // SECURITY: whoever can keep the DNS from answering must not win by it.
    }
    return false
  }
}
