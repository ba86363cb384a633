import { createHash, type X509Certificate } from 'node:crypto'

/** What a web site says of the certificates of a service (RFC 7711); it holds for `expires` seconds. */
export type PoshDocument =
  | {
      readonly kind: 'fingerprints'
      readonly expires: number
      /** Each of one certificate: digests in base64, by the name of the algorithm. */
      readonly fingerprints: readonly Readonly<Record<string, unknown>>[]
    }
  /** Another web site says it. */
  | { readonly kind: 'reference'; readonly expires: number; readonly url: string }

/** Certificates of one document that are looked at. */
const most = 64
/** Algorithms that are believed, the strongest first: of several only that one is looked at. */
const algorithms = { 'sha-512': 'sha512', 'sha-384': 'sha384', 'sha-256': 'sha256' } as const

/** @throws {Error} where it is no such document, or does not say for how long it holds */
export function readPosh(text: string): PoshDocument {
  const { expires, url, fingerprints } = Object(JSON.parse(text)) as Record<string, unknown>
  // RFC 7711: one that says nothing of it, or 0, is none.
  if (typeof expires !== 'number' || !(expires > 0)) throw new Error('it does not hold at all')
  if (typeof url === 'string' && fingerprints === undefined)
    return { kind: 'reference', expires, url }
  if (!Array.isArray(fingerprints) || url !== undefined) throw new Error('it names no certificates')
  const each = fingerprints.slice(0, most).map((fingerprint) => Object(fingerprint))
  return { kind: 'fingerprints', expires, fingerprints: each }
}

/** Whether one of the fingerprints is that of a certificate. */
export function isAmong(
  fingerprints: readonly Readonly<Record<string, unknown>>[],
  { raw }: Pick<X509Certificate, 'raw'>,
): boolean {
  return fingerprints.some((fingerprint) => {
    const known = Object.entries(algorithms).find(([name]) => fingerprint[name] !== undefined)
    if (!known) return false
    const [name, algorithm] = known
    const digest = createHash(algorithm).update(raw).digest()
    const told = fingerprint[name]
    return typeof told === 'string' && Buffer.from(told, 'base64').equals(digest)
  })
}

/** The document of a certificate of ours, in DER. @param expires seconds for which it may be believed */
export function writePosh(certificate: Uint8Array, expires: number): string {
  const digest = (algorithm: string): string =>
    createHash(algorithm).update(certificate).digest('base64')
  const fingerprint = { 'sha-256': digest('sha256'), 'sha-512': digest('sha512') }
  return `${JSON.stringify({ fingerprints: [fingerprint], expires })}\n`
}
