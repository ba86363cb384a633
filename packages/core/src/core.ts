import type { BareJid } from '@tactus/jid'
import { counter, type MetricSpec, type Metrics } from '@tactus/telemetry'
import type { ComponentDirectory } from './components.ts'
import type { CostRate, Costs } from './costs.ts'
import type { Hooks } from './hooks.ts'
import type { HostDirectory } from './hosts.ts'
import type { IqDispatch } from './iq-dispatch.ts'
import type { ModuleLog } from './module.ts'
import type { Domains } from './services.ts'

const kinds = ['message', 'presence', 'iq'] as const
const outcomes = ['routed', 'refused', 'failed'] as const
const events = ['bound', 'refused', 'ended', 'hibernated', 'resumed', 'throttled'] as const

/** Figures of routing, handed to telemetry by whoever builds the core. Labels come from closed sets. */
export interface CoreMetrics {
  stanza(kind: (typeof kinds)[number], outcome: (typeof outcomes)[number]): void
  session(event: (typeof events)[number]): void
}

/** Bounds of what an account may hold (reliability: nothing grows without bound). */
export interface CoreLimits {
  /** Bound resources of an account. */
  readonly resources: number
  /** Stanzas that wait unacknowledged for one session; more end it. */
  readonly queueStanzas: number
  /** Their bytes, once nobody reads them: while a session waits to be resumed, or its socket takes no more. */
  readonly queueBytes: number
  /** How long, ms, a session waits to be resumed whose client asks for no other time. */
  readonly resumeWithin: number
  /** The longest that a client may ask for, ms. */
  readonly resumeAtMost: number
  /** What an account may make the server send; undefined is no limit. */
  readonly costs: CostRate | undefined
}

/** The limits of a server that nobody configured. */
export const defaultLimits: CoreLimits = {
  resources: 10,
  queueStanzas: 1_000,
  queueBytes: 2_097_152,
  resumeWithin: 600_000,
  resumeAtMost: 3_600_000,
  costs: { perSecond: 100, burst: 1_000 },
}

/** What every part of the core shares; built once by the module host. */
export interface Core {
  readonly hooks: Hooks
  readonly iq: IqDispatch
  readonly hosts: HostDirectory
  /** The hosts' domains and those of their services. */
  readonly domains: Domains
  /** External components, which are no domains of ours but as near. */
  readonly components: ComponentDirectory
  readonly limits: CoreLimits
  readonly costs: Costs
  readonly metrics: CoreMetrics
  readonly log: ModuleLog
  isAdmin(account: BareJid): boolean
  /** The state of a module's session with the schema's defaults filled in. */
  sessionDefaults(
    module: string,
    stored: Readonly<Record<string, unknown>> | undefined,
  ): Readonly<Record<string, unknown>>
}

/** What the core counts of routing; docs/generated/metrics.md is made of this. */
export const coreMetrics: {
  readonly stanzas: MetricSpec<
    'counter',
    { readonly kind: typeof kinds; readonly outcome: typeof outcomes }
  >
  readonly sessions: MetricSpec<'counter', { readonly event: typeof events }>
} = {
  stanzas: counter('Stanzas that were routed, by kind and by what became of them.', {
    kind: kinds,
    outcome: outcomes,
  }),
  sessions: counter('What happened to sessions.', { event: events }),
}

/** The core's figures in the process' registry. */
export function countedBy(metrics: Metrics): CoreMetrics {
  const { stanzas, sessions } = metrics.declare('xmpp_router', coreMetrics)
  return {
    stanza: (kind, outcome) => stanzas.with({ kind, outcome }).inc(),
    session: (event) => sessions.with({ event }).inc(),
  }
}
