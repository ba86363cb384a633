import type { LiveStore } from '@tactus/cluster'
import type { BareJid, Jid } from '@tactus/jid'
import type { DurableStore, Migration, Reader } from '@tactus/storage'
import type { MetricHandles, MetricSpec } from '@tactus/telemetry'
import type { Stanza, XmlElement } from '@tactus/xml'
import { z } from 'zod'
import type { CommandDefinition } from './commands.ts'
import type { ComponentDirectory } from './components.ts'
import type { Decisions, Duties, Facts, Rewrites } from './hook-points.ts'
import type { Host } from './hosts.ts'
import type { PubsubPort } from './pubsub.ts'
import type { RoomsPort } from './rooms.ts'
import type { Scope, Session } from './scope.ts'
import type { Service, ServiceDefinition } from './services.ts'

/** A specification that a module implements, in the version that was read. */
export interface Specification {
  readonly xep: string
  readonly version: string
  readonly status: 'complete' | 'partial'
  /** What is left out and why; demanded where partial. */
  readonly note: string | undefined
}

/** Says which XEP, in which version, a module implements. */
export function xep(
  number: string,
  version: string,
  extra: { readonly status?: 'complete' | 'partial'; readonly note?: string } = {},
): Specification {
  return { xep: number, version, status: extra.status ?? 'complete', note: extra.note }
}

/**
 * What answers for a feature: the account (bare JID), the host's own domain, a service's domain, or what has a localpart
 * there (a room).
 */
export type Target = 'account' | 'domain' | `service:${string}` | `entity:${string}`

/** An identity of XEP-0030 §3. */
export interface Identity {
  readonly category: string
  readonly type: string
  readonly name?: string
}

/** An IQ request as its handler sees it. */
export interface IqRequest {
  readonly scope: Scope
  readonly stanza: Stanza
  /** The one child of the request. */
  readonly payload: XmlElement
  readonly from: Jid
  readonly to: Jid
  /** The resource that asked, when it is one of the scope's own account. */
  readonly session: Session | undefined
  /** True when the account asks about itself. */
  readonly own: boolean
  /** The host that is addressed. */
  readonly host: Host
  readonly target: Target
}

/**
 * What a handler answers: the payload of the result, undefined for an empty result, or `deferred` when the answer is
 * sent later (a job). Refuse by throwing StanzaError.
 */
export type IqAnswer = XmlElement | undefined | typeof deferred
/** The answer will be sent by `scope.deliver`/`scope.send` later. */
export const deferred: unique symbol = Symbol('deferred')

type Handler<E, R = void> = (event: E) => R
/** Order among handlers, by module name; the host sorts and refuses cycles. */
export interface Order {
  readonly after?: readonly string[]
  readonly before?: readonly string[]
}

/** Registration of IQ handlers by target, payload namespace and name. `any`: whatever has no handler of its own for it. */
export interface IqRegistry {
  get(target: Target | 'any', ns: string, name: string, handler: Handler<IqRequest, IqAnswer>): void
  set(target: Target | 'any', ns: string, name: string, handler: Handler<IqRequest, IqAnswer>): void
}

/** What a module is given, and all it may touch. */
export interface ModuleContext<C, S, M extends Readonly<Record<string, MetricSpec>>> {
  /** The module's settings for a host (its global ones overlaid by the host's). */
  config(host: Host): C
  readonly iq: IqRegistry
  readonly hooks: {
    on<K extends keyof Facts>(fact: K, handler: Handler<Facts[K]>, order?: Order): void
    decide<K extends keyof Decisions>(
      question: K,
      handler: Handler<Decisions[K]>,
      order?: Order,
    ): void
    rewrite<K extends keyof Rewrites>(
      name: K,
      handler: (stanza: Stanza, event: Rewrites[K]) => Stanza,
      order?: Order,
    ): void
    claim<K extends keyof Duties>(duty: K, handler: Handler<Duties[K]>): void
    /** A timer that this module set; names are the module's own. */
    timer(name: string, handler: Handler<{ readonly scope: Scope; readonly data: string }>): void
  }
  /** Adds a job to the declared ones, where what it does with the result needs what this context has. */
  job<Spec, Result>(name: string, definition: JobDefinition<Spec, Result>): void
  /** Adds a command to the declared ones, where it needs what this context has; one that is internal. */
  command(definition: CommandDefinition): void
  /** Every command of every module; ask in handlers, not in `setup`. */
  commands(): readonly CommandDefinition[]
  /** State of a bound resource, as declared with `session`. */
  readonly session: {
    get(scope: Scope, session: Session): Readonly<S>
    update(scope: Scope, session: Session, patch: Partial<S>): void
  }
  /** disco#info and disco#items of what is served here, for the modules that answer them. */
  readonly disco: {
    /** `node` items and extensions that a module adds beyond the declared ones. */
    info(
      target: Target,
      contribute: Handler<
        {
          readonly scope: Scope
          readonly host: Host
          readonly from: Jid
          readonly account: BareJid | undefined
        },
        DiscoContribution
      >,
    ): void
    items(
      target: Target,
      contribute: Handler<
        { readonly scope: Scope; readonly host: Host; readonly from: Jid },
        readonly DiscoItem[]
      >,
    ): void
    /** Everything that was declared and contributed; what the disco module answers with. `host`: the one addressed. */
    describe(
      target: Target,
      scope: Scope,
      from: Jid,
      host?: Host,
    ): {
      readonly identities: readonly Identity[]
      readonly features: readonly string[]
      readonly forms: readonly XmlElement[]
    }
    list(target: Target, scope: Scope, from: Jid, host?: Host): readonly DiscoItem[]
    /** Adds nodes beyond the entity itself. The contributor refuses who may not know of one: undefined is "no such node". */
    node(target: Target, contribute: Handler<DiscoNodeQuery, DiscoNode | undefined>): void
    /** What a contributor knows of a node; undefined where nobody knows it. */
    describeNode(target: Target, query: DiscoNodeQuery): DiscoNode | undefined
  }
  /** Services below the hosts' domains: adds one, tells those of a host. */
  readonly services: {
    add(definition: ServiceDefinition): void
    of(host: Host): readonly Service[]
  }
  /** External components. */
  readonly components: ComponentDirectory
  /** What rooms can do: features that this module adds. */
  readonly rooms: RoomsPort
  /** Nodes of XEP-0060: types that this module adds, and those that an entity has. */
  readonly pubsub: PubsubPort
  /** The declared metrics, made real under `xmpp_module_<name>_`. */
  readonly metrics: MetricHandles<M>
  readonly log: ModuleLog
  /** True for accounts that may administer the cluster. */
  isAdmin(account: BareJid): boolean
  /** Name, version and uptime of this server. */
  readonly server: {
    readonly name: string
    readonly version: string /** Wall clock, ms. */
    readonly startedAt: number
  }
}

/** What a module adds to a disco#info answer. */
export interface DiscoContribution {
  readonly identities?: readonly Identity[]
  readonly features?: readonly string[]
  /** Data forms of XEP-0128. */
  readonly forms?: readonly XmlElement[]
}
/** Which node is asked about (XEP-0030 §3.2), and by whom. */
export interface DiscoNodeQuery {
  readonly scope: Scope
  readonly host: Host
  readonly from: Jid
  readonly node: string
}
/** A node as it answers disco#info and disco#items. */
export interface DiscoNode {
  readonly info: DiscoContribution
  readonly items: readonly DiscoItem[]
}
/** One entry of a disco#items answer. */
export interface DiscoItem {
  readonly jid: string
  readonly node?: string
  readonly name?: string
}
/** A module's log; `event` is snake_case and past tense. No bodies, no secrets. */
export interface ModuleLog {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void
  error(event: string, fields?: Readonly<Record<string, unknown>>): void
}

/** What a job may use: reads, and commands to other entities; nothing that writes here. */
export interface JobContext {
  readonly reader: Reader
  /**
   * Runs a command of the registry, wherever that has to be; `input` as it travels.
   *
   * A job may run again on another router, so `source` is given by whoever noted it: what changed an entity under it
   * is answered again and not done again. It is a secret.
   * @throws {CommandError}
   */
  runCommand(name: string, input: unknown, source: string): Promise<unknown>
}
/** Work that would take long or wait (design §5): it runs beside the steps, its result comes back to `done`. */
export interface JobDefinition<Spec, Result> {
  run(spec: Spec, context: JobContext): Promise<Result>
  done(
    scope: Scope,
    spec: Spec,
    result:
      | { readonly ok: true; readonly value: Result }
      | { readonly ok: false; readonly error: string },
  ): void
}

const empty: z.ZodObject<Record<never, never>> = z.object({})

/** Everything a module declares; all but the first two are optional. */
export interface Definition<
  C extends z.ZodType,
  S extends z.ZodType,
  M extends Record<string, MetricSpec>,
> {
  /** Key in the configuration, in logs and metrics. */
  readonly name: string
  readonly implements: readonly Specification[]
  /** disco#info features by target. */
  readonly features?: Partial<Record<Target, readonly string[]>>
  readonly identities?: Partial<Record<Target, readonly Identity[]>>
  /** Other modules that must be enabled. */
  readonly requires?: readonly string[]
  /** Settings, mounted at `modules.<name>` and at a host's. */
  readonly config?: C
  /** State of a bound resource; small, survives a resumption. */
  readonly session?: S
  readonly stores?: readonly (LiveStore<unknown> | DurableStore<unknown>)[]
  readonly migrations?: readonly Migration[]
  readonly metrics?: M
  readonly commands?: readonly CommandDefinition[]
  readonly jobs?: Readonly<Record<string, JobDefinition<never, unknown>>>
  setup(context: ModuleContext<z.output<C>, z.output<S>, M>): void
}

/** A module with its generics erased, as the host keeps it. */
export interface XmppModule {
  readonly name: string
  readonly implements: readonly Specification[]
  readonly features: Partial<Record<Target, readonly string[]>>
  readonly identities: Partial<Record<Target, readonly Identity[]>>
  readonly requires: readonly string[]
  readonly config: z.ZodType
  readonly session: z.ZodType
  readonly stores: readonly (LiveStore<unknown> | DurableStore<unknown>)[]
  readonly migrations: readonly Migration[]
  readonly metrics: Readonly<Record<string, MetricSpec>>
  readonly commands: readonly CommandDefinition[]
  readonly jobs: Readonly<Record<string, JobDefinition<unknown, unknown>>>
  setup(context: ModuleContext<unknown, Record<string, unknown>, Record<string, MetricSpec>>): void
}

/**
 * Declares a module: one feature, one folder, nothing imports it but the catalogue (design §7).
 *
 * What is declared here is known before anything runs: documents, disco answers and schemas are made from it.
 */
export function defineModule<
  C extends z.ZodType = typeof empty,
  S extends z.ZodType = typeof empty,
  M extends Record<string, MetricSpec> = Record<never, MetricSpec>,
>(definition: Definition<C, S, M>): XmppModule {
  return {
    name: definition.name,
    implements: definition.implements,
    features: definition.features ?? {},
    identities: definition.identities ?? {},
    requires: definition.requires ?? [],
    config: definition.config ?? empty,
    session: definition.session ?? empty,
    stores: (definition.stores ?? []) as XmppModule['stores'],
    migrations: definition.migrations ?? [],
    metrics: definition.metrics ?? {},
    commands: definition.commands ?? [],
    jobs: (definition.jobs ?? {}) as XmppModule['jobs'],
    setup: definition.setup as XmppModule['setup'],
  }
}
