import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { domainToAscii } from '@tactus/jid'
import { bitString, boolean, der, integer, oid, time, utf8String } from './der.ts'

/** A certificate with its key, both in PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

const ecdsaWithSha256 = der('sequence', oid('1.2.840.10045.4.3.2'))
const commonName = '2.5.4.3'
const basicConstraints = '2.5.29.19'
const keyUsage = '2.5.29.15'
const extendedKeyUsage = '2.5.29.37'
const subjectAltName = '2.5.29.17'
const serverAuth = '1.3.6.1.5.5.7.3.1'
const xmppAddr = '1.3.6.1.5.5.7.8.5'

/** Clients refuse what is valid for longer than about 27 months; ours is made anew long before. */
export const selfMadeDays = 397
const dayMs = 86_400_000

/**
 * Makes a certificate that vouches for itself, so that a first start has TLS.
 *
 * Nobody can trust it without having seen it before; it keeps out who only listens. The host stands
 * in it as DNS name and as `xmppAddr` (RFC 6120 §13.7.1.4).
 */
export function makeSelfSigned(
  host: string,
  options: { readonly now: number; readonly random: (length: number) => Uint8Array },
): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const body = toBeSigned(host, publicKey, options)
  const signature = sign('sha256', body, privateKey)
  const certificate = der('sequence', body, ecdsaWithSha256, bitString(signature))
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}

/** RFC 5280 §4.1. */
function toBeSigned(
  host: string,
  publicKey: KeyObject,
  { now, random }: { readonly now: number; readonly random: (length: number) => Uint8Array },
): Buffer {
  const serial = Buffer.from(random(16))
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const name = der(
    'sequence',
    der('set', der('sequence', oid(commonName), utf8String(host.slice(0, 64)))),
  )
  // A clock of a client may be late.
  const validity = der(
    'sequence',
    time(new Date(now - dayMs)),
    time(new Date(now + selfMadeDays * dayMs)),
  )
  return der(
    'sequence',
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der('sequence', ...extensions(host))),
  )
}

function extensions(host: string): Buffer[] {
  const digitalSignature = bitString(Buffer.from([0x80]), 7)
  return [
    extension(basicConstraints, true, der('sequence')),
    extension(keyUsage, true, digitalSignature),
    extension(extendedKeyUsage, false, der('sequence', oid(serverAuth))),
    extension(subjectAltName, false, der('sequence', ...names(host))),
  ]
}

function names(host: string): Buffer[] {
  const dnsName = domainToAscii(host)
  return [
    der(0x82, Buffer.from(dnsName, 'latin1')),
    der(0xa0, oid(xmppAddr), der(0xa0, utf8String(host))),
  ]
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? boolean(true) : Buffer.alloc(0)
  return der('sequence', oid(id), flag, der('octetString', value))
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
