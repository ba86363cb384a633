import type { Bus, Request } from '@tactus/bus'
import type { BareJid } from '@tactus/jid'
import type { Reader } from '@tactus/storage'
import type { z } from 'zod'
import type { ComponentDirectory } from './components.ts'
import type { HostDirectory } from './hosts.ts'
import type { Scope } from './scope.ts'

/** The state of the bus, as `bus status` shows it. */
export interface ClusterStatus {
  readonly incarnation: number
  readonly instances: readonly {
    readonly id: string
    readonly role: string
    readonly info: string
  }[]
  readonly partitions: readonly {
    readonly partition: number
    /** The owning router; null while nobody owns it. */
    readonly router: string | null
    /** Entries that wait in its stream, the one that is being run included. */
    readonly waiting: number
  }[]
}

/** What a read-only command may use. */
export interface ReadContext {
  readonly reader: Reader
  readonly hosts: HostDirectory
  readonly components: ComponentDirectory
  readonly bus: Bus
  /** Wall clock, ms. */
  now(): number
  /** Partitions, owners and what waits in them. */
  status(): Promise<ClusterStatus>
  /** Bound resources of an account, read from live state. */
  sessions(account: BareJid): Promise<readonly LiveSession[]>
  /** Bound resources of all accounts, by address. */
  allSessions(query: SessionQuery): Promise<readonly LiveSession[]>
  /** Accounts of a host that have a bound resource, by address. */
  onlineAccounts(query: OnlineQuery): Promise<readonly OnlineAccount[]>
}

/** Which accounts are wanted; all of them where no limit is given. */
export interface OnlineQuery {
  readonly host: string
  /** Address of the last account of the page before. */
  readonly after?: string | undefined
  readonly limit?: number
  /** Only those somebody uses, or only those nobody does. */
  readonly active?: boolean | undefined
}

/** An account that somebody is logged in to. */
export interface OnlineAccount {
  readonly jid: string
  /** A client is there and has not said that nobody looks at it (XEP-0352). */
  readonly active: boolean
}

/** A bound resource as the last commit left it. */
export interface LiveSession {
  readonly jid: string
  /** False while it waits to be resumed. */
  readonly attached: boolean
  /** Its client is there and has not said that nobody looks at it (XEP-0352). */
  readonly active: boolean
  /** Wall clock, ms. */
  readonly since: number
  readonly info: Readonly<Record<string, string>>
}

/** Which sessions are wanted. */
export interface SessionQuery {
  /** Only accounts of this host. */
  readonly host: string | undefined
  /** Full JID of the last session of the page before. */
  readonly after: string | undefined
  readonly limit: number
}

/**
 * Who may run a command as an account, in-band (XEP-0050): without one, only whoever may run tactusctl.
 *
 * @see mayRun
 */
export interface CommandAccess<G> {
  /**
   * `cluster`: its administrators. `host`: also those of the host that it is about. `account`: also the account that it
   * is about.
   */
  readonly level: 'cluster' | 'host' | 'account'
  /** The address or the domain that it is about; undefined when all are. By default the entity that a write changes. */
  about?(given: G): string | undefined
}

/** What a field of a command's input or form may say of itself, with `.meta()`. */
export interface FieldMeta {
  readonly description?: string
  /** A positional argument of tactusctl. */
  readonly positional?: boolean
  /** Nobody may read it over a shoulder, nor in a log. */
  readonly secret?: boolean
  /** An address. */
  readonly jid?: boolean
  /** Text of several lines. */
  readonly lines?: boolean
  /**
   * What an account fills in by being who it is: `account`, its own address where it may run the command about nobody
   * else; `host`, the host that it talks to, where it is no administrator of the cluster.
   */
  readonly own?: 'account' | 'host'
}

interface Shared {
  /** Words as typed after `tactusctl`: `user add`. */
  readonly name: string
  /** One sentence for help pages and forms. */
  readonly summary: string
  /** Zod object; its fields say more of themselves with `.meta()`, see FieldMeta. */
  readonly input: z.ZodObject
  readonly output: z.ZodType
  /** Not offered to operators: other parts of the server send it. */
  readonly internal?: boolean
  readonly access?: CommandAccess<never>
  /** It destroys what cannot be had back: people are asked twice. */
  readonly irreversible?: boolean
}

/** What the caller's side of a command may use: it runs in tactusctl, the API or a connection manager. */
export interface PrepareContext {
  random(length: number): Uint8Array
}

/**
 * What a caller gives, where that may not travel as it is.
 *
 * A password never gets onto the bus: the caller's side turns it into keys first, which also keeps the slow
 * derivation out of the steps. `form` is what people are asked for and what their arguments are checked against;
 * `prepare` makes the command's `input` of it, before the frame is published.
 */
export interface CallerSide<G, I> {
  readonly form: z.ZodType<G>
  /** @throws {CommandError} `invalid` */
  prepare(given: G, context: PrepareContext): Promise<I>
  /** The same at once, for a caller within a step: few of them are administrators. @throws {CommandError} `invalid` */
  prepareNow(given: G, context: PrepareContext): I
}

/**
 * An admin command, defined once (design §7); it appears in tactusctl, the HTTP API, ad-hoc commands and the docs.
 *
 * A `write` runs as an input of the entity that `entity` names, inside the step; a `read` on any router beside the steps;
 * a `control` is told to one instance, whatever its role, and must be safe to repeat.
 * Refuse with CommandError.
 */
export type CommandDefinition =
  | (Shared & {
      readonly mode: 'write'
      readonly caller?: CallerSide<unknown, unknown>
      entity(input: never): BareJid
      run(scope: Scope, input: never): unknown
    })
  | (Shared & {
      readonly mode: 'read'
      run(context: ReadContext, input: never): Promise<unknown>
    })
  | (Shared & {
      readonly mode: 'control'
      instance(input: never): string
      request(input: never): Request
    })

/** What people are asked for: the caller's form where a command has one (passwords), else its input. */
export function formOf(command: CommandDefinition): z.ZodObject {
  const caller = command.mode === 'write' ? command.caller : undefined
  return (caller?.form as unknown as z.ZodObject | undefined) ?? command.input
}

/** Refuses a command: `code` is stable (`not-found`, `conflict`, `invalid`), the message names what was wrong and what is allowed. */
export class CommandError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Declares a command that changes an entity. */
export function writeCommand<I extends z.ZodObject, O extends z.ZodType>(definition: {
  readonly name: string
  readonly summary: string
  readonly input: I
  readonly output: O
  readonly internal?: boolean
  readonly irreversible?: boolean
  readonly access?: CommandAccess<z.output<I>>
  readonly caller?: CallerSide<unknown, z.input<I>>
  entity(input: z.output<I>): BareJid
  run(scope: Scope, input: z.output<I>): z.input<O>
}): CommandDefinition {
  return { mode: 'write', ...definition } as unknown as CommandDefinition
}

/** Declares a command that only reads. */
export function readCommand<I extends z.ZodObject, O extends z.ZodType>(definition: {
  readonly name: string
  readonly summary: string
  readonly input: I
  readonly output: O
  readonly internal?: boolean
  readonly access?: CommandAccess<z.output<I>>
  run(context: ReadContext, input: z.output<I>): Promise<z.input<O>>
}): CommandDefinition {
  return { mode: 'read', ...definition } as unknown as CommandDefinition
}

/** Declares a command to one instance; what it answers is the command's output. */
export function controlCommand<I extends z.ZodObject, O extends z.ZodType>(definition: {
  readonly name: string
  readonly summary: string
  readonly input: I
  readonly output: O
  readonly access?: CommandAccess<z.output<I>>
  instance(input: z.output<I>): string
  request(input: z.output<I>): Request
}): CommandDefinition {
  return { mode: 'control', ...definition } as unknown as CommandDefinition
}
