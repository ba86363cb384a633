import { isIP } from 'node:net'
import { domainToAscii } from '@tactus/jid'

/** One SRV record (RFC 2782). */
export interface SrvRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
  /** It was verified by DNSSEC. */
  readonly secure?: boolean
}

/** What the DNS says of a service's certificate (RFC 6698), verified by DNSSEC. */
export interface TlsaRecord {
  readonly usage: number
  readonly selector: number
  readonly matching: number
  readonly data: Uint8Array
}

/** What finding another server needs of the DNS. An answer that says "there is none" is an empty list. */
export interface Resolver {
  /** @throws {Error} when nobody answered: another time it may be different */
  srv(name: string): Promise<readonly SrvRecord[]>
  /** IPv6 and IPv4 addresses of a host. @throws {Error} as above */
  addresses(host: string): Promise<readonly string[]>
  /** Empty where nothing of this is verified. @throws {Error} as above */
  tlsa?(name: string): Promise<readonly TlsaRecord[]>
}

/** Where a server may be reached. */
export interface Target {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (XEP-0368). */
  readonly direct: boolean
  /** Its domain names it in records that were verified by DNSSEC. */
  readonly secure: boolean
}

interface Weighed extends SrvRecord {
  readonly direct: boolean
}

/**
 * Where the servers of a domain are, in the order to try them (RFC 6120 §3.2, XEP-0368 §3).
 *
 * Records for TLS from the first byte and for STARTTLS are weighed together. Without any, the domain itself. Empty where
 * the domain says that it has no such service.
 * @param chance a number from 0 to 1
 */
export async function findTargets(
  domain: string,
  port: number,
  { resolver, chance }: { readonly resolver: Resolver; readonly chance: () => number },
): Promise<readonly Target[]> {
  const literal = domain.startsWith('[') ? domain.slice(1, -1) : domain
  if (isIP(literal) !== 0) return [{ host: literal, port, direct: false, secure: false }]
  const name = domainToAscii(domain)
  const [direct, plain] = await Promise.all([
    resolver.srv(`_xmpps-server._tcp.${name}`),
    resolver.srv(`_xmpp-server._tcp.${name}`),
  ])
  const records: readonly Weighed[] = [
    ...direct.map((record) => ({ ...record, direct: true })),
    ...plain.map((record) => ({ ...record, direct: false })),
  ]
  if (records.length === 0) return [{ host: name, port, direct: false, secure: false }]
  // RFC 2782: a target of "." says that there is decidedly no such service.
  return inOrder(
    records.filter((record) => record.name !== '' && record.name !== '.'),
    chance,
  ).map(({ name: host, port: at, direct: first, secure = false }) => ({
    host,
    port: at,
    direct: first,
    secure,
  }))
}

/** RFC 2782: by priority, and among equals by chance in proportion to the weight. */
export function inOrder<R extends Pick<SrvRecord, 'priority' | 'weight'>>(
  records: readonly R[],
  chance: () => number,
): readonly R[] {
  const groups = Map.groupBy(records, ({ priority }) => priority)
  const priorities = [...groups.keys()].sort((one, other) => one - other)
  return priorities.flatMap((priority) => shuffled(groups.get(priority) ?? [], chance))
}

function shuffled<R extends Pick<SrvRecord, 'weight'>>(
  group: readonly R[],
  chance: () => number,
): R[] {
  // Those of weight 0 first, so that they have the small chance that the RFC gives them.
  const left = [...group].sort((one, other) => one.weight - other.weight)
  const order: R[] = []
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0)
    const drawn = chance() * total
    let sum = 0
    const at = left.findIndex(({ weight }) => {
      sum += weight
      return sum >= drawn
    })
    order.push(...left.splice(Math.max(at, 0), 1))
  }
  return order
}
