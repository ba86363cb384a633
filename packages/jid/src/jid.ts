import { prepareDomainpart } from './domainpart.ts'
import { JidError } from './jid-error.ts'
import { Lru } from './lru.ts'
import { prepareLocalpart, prepareResourcepart } from './prep.ts'

declare const brand: unique symbol
/**
 * A prepared address without resourcepart (RFC 7622 §3.1): of an account, a room, or a domain.
 *
 * Two bare JIDs name the same entity exactly when they are the same string; hence the brand, which
 * only the functions of this package give.
 */
export type BareJid = string & { readonly [brand]: 'bare' }
/** A prepared address with resourcepart: one session, one occupant. */
export type FullJid = string & { readonly [brand]: 'full' }
/** Any prepared address. */
export type Jid = BareJid | FullJid

// An address of this form is its own preparation, and needs neither splitting nor a cache.
const prepared =
  /^(?:[!#$%()*+,\-.0-9;=?[\\\]^_`a-z{|}~]+@)?(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*(?:\/[ -~]+)?$/
const maxPreparedLength = 1023

// What is longer, or valid only after work; the bounds keep a flood of made-up addresses at 4 MiB.
const cache = new Lru<Jid>(4096)
const maxCachedLength = 256

/**
 * Reads an address and prepares each part (RFC 7622 §3.2–3.4).
 *
 * @throws {JidError} naming the part and what is wrong with it.
 */
export function parseJid(text: string): Jid {
  if (text.length <= maxPreparedLength && prepared.test(text)) return text as Jid
  const known = text.length <= maxCachedLength ? cache.get(text) : undefined
  if (known) return known
  const jid = prepareJid(text)
  if (text.length <= maxCachedLength) cache.set(text, jid)
  return jid
}

/** RFC 7622 §3.1: the resourcepart starts at the first slash; the rest is split at the first at. */
function prepareJid(text: string): Jid {
  const slash = text.indexOf('/')
  const address = slash === -1 ? text : text.slice(0, slash)
  const at = address.indexOf('@')
  return makeJid(
    at === -1 ? undefined : address.slice(0, at),
    address.slice(at + 1),
    slash === -1 ? undefined : text.slice(slash + 1),
  )
}

/** {@link parseJid}, for text of which one expects that it may be no address. */
export function tryParseJid(text: string): Jid | undefined {
  try {
    return parseJid(text)
  } catch (error) {
    if (error instanceof JidError) return undefined
    throw error
  }
}

/** Reads an address that must not have a resourcepart. @throws {JidError} */
export function parseBareJid(text: string): BareJid {
  const jid = parseJid(text)
  if (!isBare(jid)) throw new JidError('jid', 'has a resourcepart where a bare JID is expected')
  return jid
}

/** Reads an address that must have a resourcepart. @throws {JidError} */
export function parseFullJid(text: string): FullJid {
  const jid = parseJid(text)
  if (!isFull(jid)) throw new JidError('jid', 'has no resourcepart where a full JID is expected')
  return jid
}

/** Puts an address together from parts, each of which is prepared. @throws {JidError} */
export function makeJid(local: string | undefined, domain: string, resource: string): FullJid
export function makeJid(local: string | undefined, domain: string, resource?: undefined): BareJid
export function makeJid(local: string | undefined, domain: string, resource?: string): Jid
export function makeJid(local: string | undefined, domain: string, resource?: string): Jid {
  const localpart = local === undefined ? '' : `${prepareLocalpart(local)}@`
  const jid = `${localpart}${prepareDomainpart(domain)}` as BareJid
  return resource === undefined ? jid : withResource(jid, resource)
}

/** The session or occupant `resource` of an entity. Prepares the resource. @throws {JidError} */
export function withResource(jid: BareJid, resource: string): FullJid {
  return `${jid}/${prepareResourcepart(resource)}` as FullJid
}

/** The entity behind a session or occupant; partitions, rosters and archives go by it. */
export function bare(jid: Jid): BareJid {
  const slash = jid.indexOf('/')
  return (slash === -1 ? jid : jid.slice(0, slash)) as BareJid
}

/** Whether the address names a session or an occupant. */
export function isFull(jid: Jid): jid is FullJid {
  return jid.includes('/')
}

/** Whether the address names an entity as such. */
export function isBare(jid: Jid): jid is BareJid {
  return !jid.includes('/')
}

/** The part before the at sign; undefined for a domain's own address. */
export function localpart(jid: Jid): string | undefined {
  const at = atSign(jid)
  return at === -1 ? undefined : jid.slice(0, at)
}

/** The domain or address literal, which decides who is responsible for the address. */
export function domainpart(jid: Jid): string {
  const slash = jid.indexOf('/')
  return jid.slice(atSign(jid) + 1, slash === -1 ? undefined : slash)
}

/** The part after the slash; undefined for a bare JID. */
export function resourcepart(jid: Jid): string | undefined {
  const slash = jid.indexOf('/')
  return slash === -1 ? undefined : jid.slice(slash + 1)
}

/** A resourcepart may hold at signs too; those separate nothing. */
function atSign(jid: Jid): number {
  const at = jid.indexOf('@')
  const slash = jid.indexOf('/')
  return slash !== -1 && at > slash ? -1 : at
}
