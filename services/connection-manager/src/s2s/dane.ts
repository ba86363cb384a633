import { createHash, type X509Certificate } from 'node:crypto'
import type { Resolver, Target, TlsaRecord } from './targets.ts'

const usages = { authority: 0, certificate: 1, ownAuthority: 2, ownCertificate: 3 } as const
const longestChain = 8

/** What the DNS says of the certificate of a server, verified. @throws {Error} where nobody answered */
export async function tlsaOf(
  { host, port, secure }: Pick<Target, 'host' | 'port' | 'secure'>,
  resolver: Pick<Resolver, 'tlsa'>,
): Promise<readonly TlsaRecord[]> {
  // RFC 7673 §3.1: not for a service that anybody could have named.
  return secure ? ((await resolver.tlsa?.(`_${port}._tcp.${host}`)) ?? []) : []
}

/** What TLS told of the other side's certificate, for {@link isNamedBy}. */
export interface Presented {
  readonly certificate: X509Certificate
  /** An authority that we trust vouches for it. */
  readonly isTrusted: boolean
  /** It stands for the domain. */
  readonly isOfDomain: boolean
}

/**
 * Whether the DNS names this certificate for the service (DANE: RFC 6698 §2.1, RFC 7671 §5, RFC 7712 §5); the records were
 * verified.
 *
 * A record for the certificate itself (DANE-EE) is all the proof there is to give: names and dates are not looked at.
 */
export function isNamedBy(records: readonly TlsaRecord[], presented: Presented): boolean {
  return records.some((record) => fits(record, presented))
}

function fits(record: TlsaRecord, { certificate, isTrusted, isOfDomain }: Presented): boolean {
  switch (record.usage) {
    case usages.ownCertificate:
      return matches(record, certificate)
    case usages.certificate:
      return isTrusted && isOfDomain && matches(record, certificate)
    case usages.ownAuthority:
      return isOfDomain && isCurrent(certificate) && chainOf(certificate).some(is(record))
    case usages.authority:
      return isTrusted && isOfDomain && chainOf(certificate).some(is(record))
    default:
      return false
  }
}

const is =
  (record: TlsaRecord) =>
  (certificate: X509Certificate): boolean =>
    matches(record, certificate)

/** Whether its time has begun and not ended. */
export const isCurrent = ({ validFromDate, validToDate }: X509Certificate): boolean =>
  validFromDate.getTime() <= Date.now() && Date.now() <= validToDate.getTime()

/** Those that vouch for it, as it came with them; each was checked to be signed by the next. */
function chainOf(certificate: X509Certificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  let last = certificate
  while (chain.length < longestChain) {
    const { issuerCertificate: next } = last
    if (!next || !last.checkIssued(next) || !last.verify(next.publicKey) || !next.ca) break
    chain.push(next)
    last = next
  }
  return chain
}

function matches({ selector, matching, data }: TlsaRecord, certificate: X509Certificate): boolean {
  if (selector > 1) return false
  const bytes =
    selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' })
  if (matching === 0) return bytes.equals(data)
  const algorithm = { 1: 'sha256', 2: 'sha512' }[matching]
  return algorithm !== undefined && createHash(algorithm).update(bytes).digest().equals(data)
}
