import type { FederationPolicy } from '../federation.ts'

/*
 * What a connection manager asks a router (design §5): reads only, to one live router, with a
 * timeout, then the next one; and what an operator tells one instance.
 */

/** Everything an instance may ask a router, with its answer. */
export interface Requests {
  /** Stored keys of an account, for SASL. `undefined`: no such account (look the same to the client). */
  readonly 'account.credentials': {
    readonly input: { readonly account: string }
    readonly output: StoredCredentials | undefined
  }
  /** The virtual hosts and what a connection manager must know of them. */
  readonly 'hosts.list': {
    readonly input: undefined
    readonly output: readonly HostSummary[]
  }
  /** A read-only admin command (`user list`, `session list`, `bus status`), by its registry name. */
  readonly 'command.read': {
    readonly input: { readonly name: string; readonly input: unknown }
    readonly output:
      | { readonly ok: true; readonly output: unknown }
      | { readonly ok: false; readonly error: string; readonly message: string }
  }
  /** Any instance: takes itself out of service, or back into it. The one request that changes something, and only the asked. */
  readonly 'instance.drain': {
    readonly input: { readonly draining: boolean }
    readonly output: { readonly instance: string; readonly draining: boolean }
  }
  /** A component as the database has it now, with its host: one that was just added need not wait for the next list. */
  readonly 'component.find': {
    readonly input: { readonly domain: string }
    readonly output: { readonly component: ComponentSummary; readonly host: string } | undefined
  }
  /** Whether a component proved its domain (XEP-0114 §3): no secret leaves the routers. */
  readonly 'component.verify': {
    readonly input: {
      readonly domain: string
      readonly streamId: string
      /** What it said, hexadecimal. */
      readonly digest: string
    }
    readonly output: { readonly valid: boolean }
  }
  /** A connection manager: the connections of components to it, and what waits for them. */
  readonly 'component.list': {
    readonly input: undefined
    readonly output: readonly ComponentState[]
  }
  /** A connection manager: ends a stream of another server that is resumed elsewhere, and answers when all of it is committed. */
  readonly 's2s.yield': {
    readonly input: { readonly token: string }
    readonly output: undefined
  }
  /**
   * A connection manager that holds a shard: another server opened a stream that carries stanzas back (XEP-0288), there
   * where it is asked.
   */
  readonly 's2s.offer': {
    readonly input: WayBackOffer
    readonly output: undefined
  }
  /** A connection manager that holds a shard: another server proved its domain to us, and what waits for it may go. */
  readonly 's2s.awake': {
    readonly input: { readonly local: string; readonly remote: string }
    readonly output: undefined
  }
  /** A connection manager: whoever holds the shard wants to write by such a stream of its; `busy`: not yet. */
  readonly 's2s.attach': {
    readonly input: { readonly tag: string; readonly by: string }
    readonly output: WayBack | 'busy' | undefined
  }
  /** A connection manager: stanzas to be written by it, as bytes of its stream, the first of which has this number. */
  readonly 's2s.carry': {
    readonly input: {
      readonly tag: string
      readonly key: string
      readonly first: number
      readonly stanzas: readonly Uint8Array[]
    }
    readonly output: WayBackProgress | undefined
  }
  /** A connection manager: nobody writes by it for now. */
  readonly 's2s.detach': {
    readonly input: { readonly tag: string; readonly key: string }
    readonly output: undefined
  }
  /** A connection manager: ends its streams with a domain; one line for each that it ended. */
  readonly 's2s.close': {
    readonly input: { readonly domain: string }
    readonly output: readonly { readonly local: string; readonly direction: 'in' | 'out' }[]
  }
  /** A connection manager: what the DNS says of a domain's servers, in the order in which they would be tried. */
  readonly 's2s.lookup': {
    readonly input: { readonly domain: string }
    readonly output: readonly RemoteTarget[]
  }
  /** A connection manager: its streams with other servers, and what waits for them. */
  readonly 's2s.list': {
    readonly input: undefined
    readonly output: readonly RemoteStream[]
  }
}

/** A way back on a stream that another server opened (XEP-0288), as whoever may write by it is told of it. */
export interface WayBackOffer {
  /** The instance where it is, and what it is called there. */
  readonly instance: string
  readonly tag: string
  readonly local: string
  readonly remote: string
  /** With which the other server may resume the stream. */
  readonly id: string | undefined
}

/** The same, as who writes by it is told. */
export interface WayBack {
  /** Goes with all that is written, and holds until somebody else writes. */
  readonly key: string
  /** With which the other server may resume it; undefined where it may not. */
  readonly id: string | undefined
  /** The other server tells what it has. */
  readonly isManaged: boolean
  /** Bytes of a stanza that it takes at most, where it says so (XEP-0478). */
  readonly mostBytes?: number | undefined
  /** Number of the last stanza that went by it; the other server has that and all before. */
  readonly count: number
}

/** How far a way back is. */
export interface WayBackProgress {
  /** Number of the stanza that is expected next. */
  readonly next: number
  /** Number of the last stanza that need not be kept any longer. */
  readonly delivered: number
  /** The other server does not read. */
  readonly isStalled: boolean
  /** Nothing more is taken by who asked; once all that was is delivered, it may begin anew. */
  readonly isOver?: boolean
}

/** Where one server of a domain may be, for `s2s lookup`. */
export interface RemoteTarget {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (XEP-0368). */
  readonly direct: boolean
  /** Its records were verified by DNSSEC. */
  readonly secure: boolean
  readonly addresses: readonly string[]
  /** Those that are not connected to, as they are private. */
  readonly refused: readonly string[]
}

/** SCRAM keys by hash name (`sha-1`, `sha-256`, `sha-512`); never a password. */
export interface StoredCredentials {
  /** Raised with every change of password or state; a session opened with an older one is refused. */
  readonly version: number
  readonly disabled: boolean
  readonly keys: Readonly<
    Record<
      string,
      {
        readonly salt: Uint8Array
        readonly iterations: number
        readonly storedKey: Uint8Array
        readonly serverKey: Uint8Array
      }
    >
  >
}

/** A virtual host as a connection manager sees it. */
export interface HostSummary {
  readonly name: string
  readonly anonymous: boolean
  readonly registration: 'open' | 'closed'
  /** Absent where a router of an older release told; then there is no federation. */
  readonly federation?: FederationPolicy
  /** Domains of its services, below its own; absent as above. */
  readonly services?: readonly string[]
  /** External components that belong to it; absent as above. */
  readonly components?: readonly ComponentSummary[]
}

/** An external component (XEP-0114) as a connection manager sees it. */
export interface ComponentSummary {
  readonly domain: string
  /** Milliseconds that a stanza waits for it while it is away. */
  readonly wait: number
  /** What it is told that it may do (XEP-0356); absent where it may do nothing. */
  readonly permissions?: ComponentPermissions
  /** What it is told that it manages (XEP-0355); absent for nothing. */
  readonly delegations?: ComponentDelegations
}

/**
 * Namespaces whose requests a component answers in its host's place (XEP-0355), each with the attributes that a request
 * must have for it.
 */
export type ComponentDelegations = Readonly<Record<string, readonly string[]>>

/** What a component may do with something: the words of XEP-0356. */
export type ComponentAccess = 'none' | 'get' | 'set' | 'both'

/** What a component may do as a privileged entity (XEP-0356), with the accounts of its host. */
export interface ComponentPermissions {
  readonly roster: ComponentAccess
  /** Whether it gets roster pushes, where it may read rosters. */
  readonly push: boolean
  readonly message: 'none' | 'outgoing'
  readonly presence: 'none' | 'managed_entity'
  /** By namespace of the payload. */
  readonly iq: Readonly<Record<string, ComponentAccess>>
}

/** What one connection manager knows of a component, for `component list`. */
export interface ComponentState {
  readonly domain: string
  /** Addresses of its connections. */
  readonly connections: readonly string[]
  /** Stanzas that wait to be written. */
  readonly queued: number
}

/** A stream with another server, or what waits for one, for `s2s list`. */
export interface RemoteStream {
  readonly direction: 'in' | 'out'
  readonly local: string
  readonly remote: string
  readonly state: string
  /** `external` or `dialback`; `bidi` where it is a stream that the other server opened (XEP-0288); empty before. */
  readonly authentication: string
  /** `TLSv1.3` and so on, or `none`. */
  readonly tls: string
  /** Stanzas that wait to be written. */
  readonly queued: number
  readonly address: string
  /** Why there is none, where there was a try. */
  readonly problem: string
}
