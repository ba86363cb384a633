import { createHash, type X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ChannelBinding } from '@tactus/sasl'
import type { TlsInfo } from '../stream/tls-info.ts'

/** RFC 9266 §2. */
const exporterLabel = 'EXPORTER-Channel-Binding'
const exporterBytes = 32

/** What SASL needs to know of a TLS connection whose hand-shake is done. */
export function tlsInfoOf(socket: TLSSocket): TlsInfo {
  const protocol = socket.getProtocol() ?? ''
  const bindings: ChannelBinding[] = []
  // RFC 9266 §3: before TLS 1.3 it is only unique with the extended master secret, of which we
  // are not told whether it was negotiated.
  if (protocol === 'TLSv1.3') {
    const data = socket.exportKeyingMaterial(exporterBytes, exporterLabel, Buffer.alloc(0))
    bindings.push({ type: 'tls-exporter', data })
  }
  const certificate = socket.getX509Certificate()
  const data = certificate && endPoint(certificate)
  if (data) bindings.push({ type: 'tls-server-end-point', data })
  return { protocol, bindings }
}

const known = new Map<string, Uint8Array | undefined>()
const maxKnown = 1_000

/**
 * RFC 5929 §4.1: the hash of our certificate, by the hash function of its signature, where MD5 and
 * SHA-1 become SHA-256. Undefined where the signature has no single one (Ed25519).
 */
export function endPoint(certificate: X509Certificate): Uint8Array | undefined {
  const key = certificate.fingerprint256
  if (known.has(key)) return known.get(key)
  const hash = signatureHash(certificate.signatureAlgorithm)
  const data = hash === undefined ? undefined : createHash(hash).update(certificate.raw).digest()
  if (known.size >= maxKnown) known.clear()
  known.set(key, data)
  return data
}

function signatureHash(algorithm: string | undefined): string | undefined {
  const found = /sha-?(1|224|256|384|512)|md5/i.exec(algorithm ?? '')
  if (!found) return undefined
  const bits = found[1]
  return bits === undefined || bits === '1' ? 'sha256' : `sha${bits}`
}
