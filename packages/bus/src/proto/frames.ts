import type { Stanza } from '@tactus/xml'

/*
 * Frames are what travels on the bus: data, never code (design §5). A stanza is carried as its
 * canonical bytes; in memory the parsed `Stanza` itself is handed over, so nothing is parsed twice.
 *
 * JIDs are prepared strings. `entity` is the bare JID whose partition processes the frame.
 */

/** An input of one entity: what a partition stream carries and the owner runs. */
export type InputFrame =
  | SessionOpen
  | SessionStanza
  | SessionEnable
  | SessionState
  | SessionResume
  | SessionClose
  | SessionAck
  | SessionFlow
  | SessionAsk
  | Half
  | Multicast
  | Command

interface FromSession {
  readonly entity: string
  /** The session's id, its source in the sense of design §3.4. */
  readonly session: string
  /** Which attachment of the session speaks; lower than the owner's is void. */
  readonly epoch: number
  /** Number of this input among the session's inputs, from 1; the owner takes exactly last+1. */
  readonly seq: number
}

/** A client finished authentication and asks for a resource (RFC 6120 §7). Always seq 1, epoch 1. */
export interface SessionOpen extends FromSession {
  readonly kind: 'session.open'
  /** Delivery stream (instance id) of the connection manager that holds the socket. */
  readonly cm: string
  /** Wanted resourcepart, prepared; undefined lets the owner make one. */
  readonly resource: string | undefined
  /** Version of the credentials the client proved; a changed password voids the open (B13). */
  readonly credentials: number
  readonly anonymous: boolean
  /** For logs, `session list` and limits: address, TLS version, mechanism, transport. */
  readonly info: Readonly<Record<string, string>>
}

/** One message, presence or iq that the client sent. */
export interface SessionStanza extends FromSession {
  readonly kind: 'session.stanza'
  readonly stanza: Stanza
}

/** `<enable/>` of XEP-0198; the answer comes down the delivery stream at its exact position. */
export interface SessionEnable extends FromSession {
  readonly kind: 'session.enable'
  readonly resume: boolean
  /** Seconds the client would like to be resumable for. */
  readonly max: number | undefined
}

/**
 * `<active/>` or `<inactive/>` of XEP-0352: numbered, because what follows it must meet its effects (§5.1), but no stanza,
 * so that it does not count for XEP-0198. Since protocol 2.
 */
export interface SessionState extends FromSession {
  readonly kind: 'session.state'
  readonly state: 'active' | 'inactive'
}

/** `<resume/>` of XEP-0198, from any connection manager. Not numbered: `attempt` identifies a repeat. */
export interface SessionResume {
  readonly kind: 'session.resume'
  readonly entity: string
  readonly session: string
  /** Random per resumption attempt: a repeat is answered again, not run again. */
  readonly attempt: string
  readonly cm: string
  /** The client's count of handled stanzas, modulo 2^32. */
  readonly h: number
  readonly info: Readonly<Record<string, string>>
}

/** The stream ended. `dropped` may be resumed where stream management allows, `closed` may not. */
export interface SessionClose extends FromSession {
  readonly kind: 'session.close'
  readonly reason: 'closed' | 'dropped' | 'error'
}

/** What the client acknowledged, or (without stream management) what was written to its socket. Lossy. */
export interface SessionAck {
  readonly kind: 'session.ack'
  readonly entity: string
  readonly session: string
  readonly epoch: number
  /** Out-number up to which everything is done. */
  readonly n: number
}

/** A socket stalled (the owner then only appends to the queue) or can take more again. */
export interface SessionFlow {
  readonly kind: 'session.flow'
  readonly entity: string
  readonly session: string
  readonly epoch: number
  readonly state: 'stalled' | 'ready'
  /** Highest out-number the connection manager holds; on `ready` the owner goes on above it. */
  readonly n: number
}

/**
 * How far is this session? Asked when nothing was heard of its inputs for a while: the owner tells `committed`, or
 * `session.end` where it knows no such attachment, so that no socket stays open that leads nowhere. Since protocol 3.
 */
export interface SessionAsk {
  readonly kind: 'session.ask'
  readonly entity: string
  readonly session: string
  readonly epoch: number
  /** Instance that asks: of a session that the owner does not know, it does not know that either. */
  readonly cm: string
}

/** The second half: a stanza on its way into the recipient's partition (design §4). */
export interface Half {
  readonly kind: 'half'
  readonly entity: string
  readonly stanza: Stanza
  /** Stable id made in the sender's half from (source, number); the archive, carbons and push use it. */
  readonly id: string
  /** When the sender's half ran, milliseconds since 1970. */
  readonly at: number
  /** True for what may not be lost once acknowledged (design §3.6). */
  readonly durable: boolean
  /** Passages left; a frame at 0 is dropped and counted. Starts at 16. */
  readonly hops: number
}

/** One stanza for many entities of one partition; the `to` of each is filled in by the owner. */
export interface Multicast {
  readonly kind: 'multicast'
  /** Bare or full JIDs, all in this partition. */
  readonly recipients: readonly string[]
  readonly stanza: Stanza
  readonly id: string
  readonly at: number
  readonly durable: boolean
  readonly hops: number
}

/** An operator's or another service's request to change an entity (API, tactusctl, registration). */
export interface Command {
  readonly kind: 'command'
  readonly entity: string
  /** Unique per request; a repeat of a seen one is answered again where possible, never run again. */
  readonly source: string
  readonly name: string
  /** JSON value, validated against the command's schema by the owner. */
  readonly input: unknown
  /** Instance whose delivery stream gets the `command.reply`. */
  readonly replyTo: string
}

/** What a connection manager (or another instance) reads from its delivery stream. */
export type OutputFrame =
  | Deliver
  | SessionOpened
  | SessionRefused
  | SessionEnabled
  | SessionResumed
  | SessionEnd
  | SessionPause
  | Committed
  | Gap
  | CommandReply
  | Remote

/** Stanzas for sessions on this instance. */
export interface Deliver {
  readonly kind: 'deliver'
  readonly stanza: Stanza
  readonly targets: readonly DeliverTarget[]
}

/** One receiver of a delivery. */
export interface DeliverTarget {
  readonly session: string
  readonly epoch: number
  /** Out-number in the session's queue, from 1. */
  readonly n: number
  /** Value for the stanza's `to`, where the shared payload must be addressed anew. */
  readonly to: string | undefined
}

/** The resource is bound. */
export interface SessionOpened {
  readonly kind: 'session.opened'
  readonly session: string
  /** The full JID. */
  readonly jid: string
}

/** The resource could not be bound; the stanza error condition says why. */
export interface SessionRefused {
  readonly kind: 'session.refused'
  readonly session: string
  readonly condition: string
  readonly text: string | undefined
}

/** Answer to `<enable/>`: everything after out-number `n` counts. */
export interface SessionEnabled {
  readonly kind: 'session.enabled'
  readonly session: string
  readonly epoch: number
  readonly n: number
  /** Resumption id, undefined when resumption was refused or not asked for. */
  readonly id: string | undefined
  readonly max: number | undefined
}

/** Answer to `<resume/>`. */
export interface SessionResumed {
  readonly kind: 'session.resumed'
  readonly session: string
  readonly attempt: string
  readonly outcome:
    | {
        readonly resumed: true
        readonly jid: string
        readonly epoch: number
        /** Stanzas of the client handled so far, modulo 2^32. */
        readonly h: number
        /** Last input taken; the new connection manager goes on at seq+1. */
        readonly seq: number
        /** Out-numbers to be sent again from the queue: (from, to]. */
        readonly from: number
        readonly to: number
        /** Out-number at which stream management began, so that h = n − base. */
        readonly base: number
      }
    | { readonly resumed: false; readonly condition: string; readonly h: number | undefined }
}

/** The owner ends the session: the stream is closed with this stream error (or none), nothing is sent after. */
export interface SessionEnd {
  readonly kind: 'session.end'
  readonly session: string
  readonly epoch: number
  readonly condition: string | undefined
  readonly text: string | undefined
}

/** The account has made the server work more than it may: the session is not read for so long. Lossy. */
export interface SessionPause {
  readonly kind: 'session.pause'
  readonly session: string
  readonly epoch: number
  readonly milliseconds: number
}

/** What one step committed of this instance's inputs: `[session, seq, h]`. */
export interface Committed {
  readonly kind: 'committed'
  readonly sessions: readonly (readonly [session: string, seq: number, h: number])[]
}

/** The owner missed inputs of a session: publish again from `expected`. */
export interface Gap {
  readonly kind: 'gap'
  readonly session: string
  readonly epoch: number
  readonly expected: number
}

/** Answer to a command. */
export interface CommandReply {
  readonly kind: 'command.reply'
  readonly source: string
  readonly result:
    | { readonly ok: true; readonly output: unknown }
    | { readonly ok: false; readonly error: string; readonly message: string }
}

/**
 * A stanza for one remote domain: what the stream of an outgoing shard carries, whoever holds the shard at the moment
 * (design §4). Since protocol 4.
 */
export interface Remote {
  readonly kind: 'remote'
  /** Domain of the sender, which is served here. */
  readonly from: string
  /** The remote domain. */
  readonly to: string
  /** Addresses at the remote domain; each gets the stanza with its own `to`. */
  readonly recipients: readonly string[]
  readonly stanza: Stanza
  readonly id: string
  readonly at: number
  readonly durable: boolean
}
