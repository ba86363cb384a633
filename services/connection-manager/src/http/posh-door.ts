import { X509Certificate } from 'node:crypto'
import { pairOf } from '../certificates/secure-context.ts'
import { writePosh } from '../s2s/posh-document.ts'
import type { Services } from '../services.ts'

/** Where the certificate of a host is told (RFC 7711). */
export const poshPath = '/.well-known/posh/xmpp-server.json'

/** What others may believe of the certificate that a host shows to other servers; undefined where nothing is told. */
export async function poshOf(
  domain: string,
  { hosts, certificates }: Pick<Services, 'hosts' | 'certificates'>,
): Promise<string | undefined> {
  const seconds = Math.floor((hosts.get(domain)?.federation?.tellsPosh ?? 0) / 1_000)
  if (seconds <= 0) return undefined
  const { cert } = pairOf(await certificates.contextFor(domain)) ?? {}
  return typeof cert === 'string' || Buffer.isBuffer(cert)
    ? writePosh(new X509Certificate(cert).raw, seconds)
    : undefined
}
