import { Resolver as DnsResolver } from 'node:dns/promises'
import type { Resolver } from './targets.ts'

/** Whom to ask, and how long to wait. */
export interface ResolverSettings {
  /** Addresses with or without ports; those of the system when empty. */
  readonly servers: readonly string[]
  /** Milliseconds for one question to one server. */
  readonly timeout: number
}

const tries = 2
/** What the DNS says where there is no such record, as opposed to where nobody answers. */
const absent: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND', 'NXDOMAIN', 'EBADNAME'])

/** Asks the DNS anew each time: how long an answer holds is for the servers that are asked to know. */
export function dnsResolver({ servers, timeout }: ResolverSettings): Resolver {
  const dns = new DnsResolver({ timeout, tries })
  if (servers.length > 0) dns.setServers(servers)
  return {
    srv: (name) => orNone(dns.resolveSrv(name)),
    async addresses(host) {
      const [six, four] = await Promise.allSettled([
        orNone(dns.resolve6(host)),
        orNone(dns.resolve4(host)),
      ])
      const found = [six, four].flatMap((part) => (part.status === 'fulfilled' ? part.value : []))
      const failed = [six, four].find((part) => part.status === 'rejected')
      if (found.length === 0 && failed) throw failed.reason
      return found
    },
  }
}

async function orNone<T>(question: Promise<T[]>): Promise<T[]> {
  try {
    return await question
  } catch (error) {
    if (error instanceof Error && 'code' in error && absent.has(String(error.code))) return []
    throw error
  }
}
