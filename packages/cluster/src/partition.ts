import type { StreamName } from '@tactus/bus'

const offset = 0x811c9dc5
const prime = 0x01000193

/**
 * The partition that processes an entity, `0…count-1` (design §2). Frozen for ever: a cluster's data is placed by it.
 *
 * FNV-1a over the UTF-8 bytes of the bare JID, then a finalizer, because the low bits of FNV alone are uneven for
 * names that differ in their last letters only.
 */
export function partitionOf(entity: string, count: number): number {
  let hash = offset
  for (let i = 0; i < entity.length; i += 1) {
    const unit = entity.charCodeAt(i)
    if (unit > 0x7f) return finish(hashBytes(hash, entity.slice(i)), count)
    hash = Math.imul(hash ^ unit, prime)
  }
  return finish(hash, count)
}

function hashBytes(start: number, text: string): number {
  let hash = start
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, prime)
  return hash
}

function finish(fnv: number, count: number): number {
  let hash = fnv
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  hash ^= hash >>> 16
  return (hash >>> 0) % count
}

/** The entity of a bare or full JID: what stands before the resourcepart. */
export function entityOf(jid: string): string {
  const slash = jid.indexOf('/')
  return slash < 0 ? jid : jid.slice(0, slash)
}

/** The stream that a partition's inputs arrive on. */
export function partitionStream(partition: number): StreamName {
  return `p:${partition}`
}

/** The partition of a partition stream's name, undefined for other streams. */
export function partitionOfStream(stream: StreamName): number | undefined {
  return stream.startsWith('p:') ? Number(stream.slice(2)) : undefined
}

/** The stream that an instance reads what is meant for its sockets from. */
export function deliveryStream(instance: string): StreamName {
  return `d:${instance}`
}

/** Streams that stanzas for remote domains are spread over (design §4). Frozen: what waits would change its place. */
export const shardCount = 32

/** The shard of a pair of domains: their stanzas stay in one order. */
export function shardOf(from: string, to: string): number {
  return partitionOf(`${from} ${to}`, shardCount)
}

/** Streams that stanzas for one external component are spread over. Frozen, as above. */
export const componentShards = 8

/**
 * The stream of stanzas for an external component (design §4), by who sent them: all that one sender has for it, be it for
 * one of its addresses or for several at once, stays in one order.
 */
export function componentStream(domain: string, sender: string): StreamName {
  return componentShardStream(domain, partitionOf(`${entityOf(sender)} ${domain}`, componentShards))
}

/** One of those streams, by its number. */
export function componentShardStream(domain: string, shard: number): StreamName {
  return `c:${domain}:${shard}`
}

/** Whose stream it is; undefined for any other. */
export function componentOfStream(stream: StreamName): string | undefined {
  return stream.startsWith('c:') ? stream.slice(2, stream.lastIndexOf(':')) : undefined
}

/** The stream that one connection manager at a time writes to remote servers from. */
export function shardStream(shard: number): StreamName {
  return `s:${shard}`
}

/** Whether a stream's name is that of a shard, for another server or for a component. */
export function isShardStream(stream: StreamName): boolean {
  return stream.startsWith('s:') || stream.startsWith('c:')
}
