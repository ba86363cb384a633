import type { LiveStore } from '@tactus/cluster'
import { Stanza } from '@tactus/xml'
import { liveStore } from './live-store.ts'
import type { SessionPresence } from './scope.ts'

/** What rarely changes of a session. Key: session id. */
export interface SessionRecord {
  readonly resource: string
  /** Delivery stream of the connection manager that holds the socket, or held it last. */
  readonly cm: string
  /** Raised by every resumption; inputs of a lower one are void (design §3.7). */
  readonly epoch: number
  readonly attached: boolean
  /** The socket takes no more: deliveries go to the queue only. */
  readonly stalled: boolean
  readonly anonymous: boolean
  readonly interested: boolean
  /** The mailbox is being handed over in portions; records of older releases lack it. */
  readonly catchingUp?: boolean
  /** The client said that nobody looks at it (XEP-0352); absent means active. */
  readonly inactive?: boolean
  /** Contacts are not to know of it (XEP-0186); absent means that they may. */
  readonly invisible?: 'probing' | 'silent'
  readonly since: number
  /** Public prefix of the ids made from this session's inputs; the session id itself is secret. */
  readonly tag: string
  readonly info: Readonly<Record<string, string>>
  /** Stream management, once enabled. */
  readonly management: StreamManagement | undefined
  /** The last resumption attempt, so that a repeat is answered again and not run again. */
  readonly resumed: { readonly attempt: string; readonly from: number } | undefined
  /** Attempts before it, newest first: void, should an instance that was frozen repeat one. Older records lack it. */
  readonly overtaken?: readonly string[]
}

/** XEP-0198 as the owner sees it. */
export interface StreamManagement {
  /** Out-number at which the client's count began: h = n − base. */
  readonly base: number
  readonly resumable: boolean
  /** Milliseconds it waits for a resumption. */
  readonly max: number
}

/** What changes with every stanza. Key: session id. */
export interface SessionCounters {
  /** Last input taken. */
  readonly seq: number
  /** Stanzas handled since stream management was enabled, modulo 2^32. */
  readonly h: number
  /** Last out-number given. */
  readonly out: number
}

/** Bound resources of an account. */
export const sessionStore: LiveStore<SessionRecord> = liveStore('s')
/** Their counters, apart because they are written with every step. */
export const counterStore: LiveStore<SessionCounters> = liveStore('c')
/** State that modules declared for a session. Key: `<session id> <module>`. */
export const moduleSessionStore: LiveStore<Readonly<Record<string, unknown>>> = liveStore('x')

/** Availability of the bound resources. Key: session id. */
export const presenceStore: LiveStore<SessionPresence> = {
  kind: 'live',
  name: 'p',
  encode: ({ stanza, priority, since }) => [stanza.bytes, priority, since],
  decode(stored) {
    const [bytes, priority, since] = stored as [Uint8Array, number, number]
    return { stanza: Stanza.parse(bytes), priority, since }
  },
}

/**
 * Mailbox rows that another session settled while they wait in this one's queue: when it ends, nobody needs them again.
 * Key: `<session id> <mailbox id>`.
 */
export const settledStore: LiveStore<true> = liveStore('m')

/** Commands that already ran, so that a repeat is answered again. Key: the request's source. */
export const commandStore: LiveStore<unknown> = liveStore('cmd')
