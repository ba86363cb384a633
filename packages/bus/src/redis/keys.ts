const CLUSTER = /^[a-z0-9][a-z0-9-]{0,62}$/

/**
 * The names of all keys, and the only place that knows them.
 *
 * `tactus:<cluster>:<incarnation>:<type>:<name>`: the cluster so that two may share a Redis, the incarnation so that a
 * straggler of a lost one writes where nobody reads (design §3.11), the type so that no operation can meet a key of
 * another type. Names come last and may hold anything. Only the marker and the settings outlive an incarnation.
 */
export class Keys {
  /** Holds the incarnation whose data is here. */
  readonly marker: string
  /** What the cluster was made with (design §3.12). */
  readonly settings: string
  /** In front of all keys of this incarnation. */
  readonly prefix: string
  /** Hash: the last step applied, by router. */
  readonly steps: string
  /** Set of routers that were fenced; never shortened, because a fence is final. */
  readonly fenced: string
  /** Sorted set: the index of announcements, by when they run out. */
  readonly instances: string
  /** Hash: who holds a name that one instance holds at a time. */
  readonly claims: string

  /** @throws {TypeError} for a cluster id that could be mistaken for another's key */
  constructor(cluster: string, incarnation: number) {
    if (!CLUSTER.test(cluster))
      throw new TypeError(
        'a cluster id is 1 to 63 of a-z, 0-9 and hyphen, and begins with no hyphen',
      )
    if (!Number.isSafeInteger(incarnation) || incarnation < 0)
      throw new TypeError('an incarnation is a whole number from 0')
    this.marker = `tactus:${cluster}:incarnation`
    this.settings = `tactus:${cluster}:settings`
    this.prefix = `tactus:${cluster}:${incarnation}:`
    this.steps = `${this.prefix}steps`
    this.fenced = `${this.prefix}fenced`
    this.instances = `${this.prefix}instances`
    this.claims = `${this.prefix}claims`
  }

  stream(name: string): string {
    return `${this.prefix}s:${name}`
  }

  /** The name of the stream that has this key. */
  streamName(key: string): string {
    return key.slice(this.prefix.length + 2)
  }

  hash(name: string): string {
    return `${this.prefix}h:${name}`
  }

  /** Hash of a record's version and value. */
  record(name: string): string {
    return `${this.prefix}c:${name}`
  }

  sortedSet(name: string): string {
    return `${this.prefix}z:${name}`
  }

  queue(name: string): string {
    return `${this.prefix}q:${name}`
  }

  /** In front of the names of shared payloads. */
  get payloads(): string {
    return `${this.prefix}p:`
  }

  announcement(instance: string): string {
    return `${this.prefix}i:${instance}`
  }

  /** List of requests that an instance has not taken yet. */
  requests(instance: string): string {
    return `${this.prefix}r:${instance}`
  }

  /** List of answers that a caller has not taken yet. */
  answers(caller: string): string {
    return `${this.prefix}a:${caller}`
  }
}
