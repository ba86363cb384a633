import type { Env } from '@tactus/env'
import { DnsClient, type DnsSettings } from './dns/client.ts'
import {
  type DnsMessage,
  type DnsRecord,
  MalformedAnswer,
  readName,
  recordTypes,
} from './dns/message.ts'
import type { Resolver, SrvRecord, TlsaRecord } from './targets.ts'

/** How asking the DNS is set. */
export interface ResolverSettings extends DnsSettings {
  /** The servers verify by DNSSEC, and nobody can come between: what they call authentic is. */
  readonly validating: boolean
}

interface Known<T> {
  readonly records: readonly T[]
  readonly until: number
}

/** Answers that are remembered at most. */
const mostKnown = 20_000
/** Seconds that an answer is believed at most, and that "there is none" is (RFC 2308 §5). */
const longest = { records: 86_400, none: 900 } as const

/** Asks the DNS, and remembers for as long as the answers say they hold. */
export function dnsResolver(settings: ResolverSettings, env: Env): Resolver {
  const client = new DnsClient(settings)
  const known = new Map<string, Known<unknown>>()

  async function ask<T>(
    name: string,
    type: number,
    read: (message: DnsMessage, record: DnsRecord) => T | undefined,
  ): Promise<readonly T[]> {
    const key = `${type} ${name}`
    const now = env.clock.monotonic()
    const before = known.get(key) as Known<T> | undefined
    if (before && now < before.until) return before.records
    const message = await questionOf(client, name, type)
    if (!message) return []
    const found = message.answers.filter((record) => record.type === type)
    const records = found.flatMap((record) => read(message, record) ?? [])
    const seconds = found.length > 0 ? leastTtl(message, longest.records) : noneFor(message)
    if (known.size >= mostKnown) forget(known, now)
    known.delete(key)
    if (seconds > 0) known.set(key, { records, until: now + seconds * 1_000 })
    return records
  }

  return {
    srv: (name) =>
      ask(name, recordTypes.srv, (message, record) =>
        readSrv(message, record, settings.validating),
      ),
    tlsa: (name) => (settings.validating ? ask(name, recordTypes.tlsa, readTlsa) : none()),
    async addresses(host) {
      const [six, four] = await Promise.allSettled([
        ask(host, recordTypes.aaaa, readAddress6),
        ask(host, recordTypes.a, readAddress4),
      ])
      const found = [six, four].flatMap((part) => (part.status === 'fulfilled' ? part.value : []))
      const failed = [six, four].find((part) => part.status === 'rejected')
      if (found.length === 0 && failed) throw failed.reason
      return found
    },
  }
}

/** Undefined for what cannot be a name: there is none such. */
async function questionOf(
  client: DnsClient,
  name: string,
  type: number,
): Promise<DnsMessage | undefined> {
  try {
    return await client.ask(name, type)
  } catch (error) {
    if (error instanceof MalformedAnswer) return undefined
    throw error
  }
}

const none = async (): Promise<readonly TlsaRecord[]> => []

/** The shortest of the chain: an alias may hold for less than what it leads to. */
const leastTtl = ({ answers }: DnsMessage, most: number): number =>
  Math.min(most, ...answers.map(({ ttl }) => ttl))

/** RFC 2308 §5: as long as the zone's SOA says, and not at all without one. */
function noneFor({ bytes, authorities }: DnsMessage): number {
  const zone = authorities.find(({ type }) => type === recordTypes.soa)
  if (!zone || zone.to - zone.from < 20) return 0
  return Math.min(longest.none, zone.ttl, bytes.readUInt32BE(zone.to - 4))
}

/** First what has run out, then what was learnt first. */
function forget(known: Map<string, Known<unknown>>, now: number): void {
  for (const [key, { until }] of known) if (until <= now) known.delete(key)
  for (const key of known.keys()) {
    if (known.size < mostKnown) return
    known.delete(key)
  }
}

function readSrv(
  { bytes, isAuthenticated }: DnsMessage,
  { from, to }: DnsRecord,
  validating: boolean,
): SrvRecord | undefined {
  if (to - from < 7) return undefined
  return {
    priority: bytes.readUInt16BE(from),
    weight: bytes.readUInt16BE(from + 2),
    port: bytes.readUInt16BE(from + 4),
    name: readName(bytes, from + 6).name,
    secure: validating && isAuthenticated,
  }
}

/** RFC 6698 §2.1; what is not authentic is nothing (§4.1). */
function readTlsa(
  { bytes, isAuthenticated }: DnsMessage,
  { from, to }: DnsRecord,
): TlsaRecord | undefined {
  if (!isAuthenticated || to - from < 4) return undefined
  return {
    usage: bytes.readUInt8(from),
    selector: bytes.readUInt8(from + 1),
    matching: bytes.readUInt8(from + 2),
    data: Buffer.from(bytes.subarray(from + 3, to)),
  }
}

const readAddress4 = ({ bytes }: DnsMessage, { from, to }: DnsRecord): string | undefined =>
  to - from === 4 ? bytes.subarray(from, to).join('.') : undefined

function readAddress6({ bytes }: DnsMessage, { from, to }: DnsRecord): string | undefined {
  if (to - from !== 16) return undefined
  return Array.from({ length: 8 }, (_, part) =>
    bytes.readUInt16BE(from + 2 * part).toString(16),
  ).join(':')
}
