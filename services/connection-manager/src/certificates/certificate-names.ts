import { domainToAscii, tryParseJid } from '@tactus/jid'

/** The names of a certificate that can stand for an XMPP domain. */
export interface CertificateNames {
  readonly dns: readonly string[]
  /** SRVName (RFC 4985): `_xmpp-server.example.org`. */
  readonly srv: readonly string[]
  /** XmppAddr (RFC 6120 §13.7.1.4). */
  readonly xmpp: readonly string[]
}

interface Value {
  readonly tag: number
  readonly content: Buffer
}

const tags = { sequence: 0x30, oid: 0x06, octetString: 0x04, extensions: 0xa3 } as const
const subjectAltName = '551d11'
const xmppAddr = '2b06010505070805'
const srvName = '2b06010505070807'

/**
 * Reads the subject alternative names of a certificate in DER (RFC 5280 §4.2.1.6).
 *
 * By hand, because Node shows other names as text that cannot be told apart from what somebody wrote into a DNS name. The
 * bytes were taken by OpenSSL before, so what does not fit here is no name.
 */
export function certificateNames(certificate: Uint8Array): CertificateNames {
  const names = { dns: [] as string[], srv: [] as string[], xmpp: [] as string[] }
  const body = inside(inside(Buffer.from(certificate), tags.sequence), tags.sequence)
  const list = values(inside(values(body).find(is(tags.extensions))?.content, tags.sequence))
  for (const { content } of list) {
    const parts = values(content)
    if (parts.find(is(tags.oid))?.content.toString('hex') !== subjectAltName) continue
    const encoded = parts.find(is(tags.octetString))?.content
    for (const name of values(inside(encoded, tags.sequence))) collect(name, names)
  }
  return names
}

/** `[2]` is a DNS name, `[0]` one of another kind, which says itself which. */
function collect(
  { tag, content }: Value,
  names: { readonly dns: string[]; readonly srv: string[]; readonly xmpp: string[] },
): void {
  if (tag === 0x82) names.dns.push(content.toString('latin1'))
  if (tag !== 0xa0) return
  const [type, wrapped] = values(content)
  const text = values(wrapped?.content ?? nothing)[0]?.content.toString('utf8')
  if (type?.tag !== tags.oid || text === undefined) return
  const kind = type.content.toString('hex')
  if (kind === xmppAddr) names.xmpp.push(text)
  if (kind === srvName) names.srv.push(text)
}

/**
 * Whether a certificate stands for a domain by RFC 9525: as xmppAddr, as SRVName of the service, or as DNS name, where a
 * wildcard is a whole left-most label. The common name is never looked at.
 */
export function standsFor(names: CertificateNames, domain: string): boolean {
  if (names.xmpp.some((name) => tryParseJid(name) === domain)) return true
  const ascii = asciiOf(domain)
  if (ascii === undefined) return false
  const services = names.srv.flatMap((name) => /^_xmpps?-server\.(.+)$/i.exec(name)?.[1] ?? [])
  return [...services, ...names.dns].some((name) => fits(name.toLowerCase(), ascii))
}

function fits(name: string, domain: string): boolean {
  if (!name.startsWith('*.')) return name === domain
  const rest = name.slice(1)
  // §6.3: one label, and not where only a top-level domain is left.
  return (
    rest.includes('.', 1) && domain.endsWith(rest) && !domain.slice(0, -rest.length).includes('.')
  )
}

function asciiOf(domain: string): string | undefined {
  try {
    return domainToAscii(domain).toLowerCase()
  } catch {
    return undefined
  }
}

const nothing = Buffer.alloc(0)
const is =
  (tag: number) =>
  (value: Value): boolean =>
    value.tag === tag

/** What the first value holds, if it is of that kind. */
function inside(bytes: Buffer | undefined, tag: number): Buffer {
  const [first] = values(bytes ?? nothing, 1)
  return first?.tag === tag ? first.content : nothing
}

/** The values that stand one behind another; reading stops where it is no DER. */
function values(bytes: Buffer, most = 1_000): Value[] {
  const found: Value[] = []
  for (let at = 0; at + 2 <= bytes.length && found.length < most; ) {
    const tag = bytes[at] as number
    let size = bytes[at + 1] as number
    at += 2
    if (size >= 0x80) {
      const digits = size & 0x7f
      if (digits === 0 || digits > 4 || at + digits > bytes.length) break
      size = bytes.readUIntBE(at, digits)
      at += digits
    }
    if (at + size > bytes.length) break
    found.push({ tag, content: bytes.subarray(at, at + size) })
    at += size
  }
  return found
}
