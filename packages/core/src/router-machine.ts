import type { Input, LiveStore, Machine, Turn } from '@tactus/cluster'
import { bare, isFull, type Jid, parseJid } from '@tactus/jid'
import { errorReply, StanzaError } from '@tactus/stanza'
import {
  accountStore,
  type DurableStore,
  mailboxStore,
  sessionStore as sessionRows,
} from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import { type CommandRegistry, commandTimer, replyFailure } from './command-registry.ts'
import { CommandError } from './commands.ts'
import type { Core } from './core.ts'
import { EntityScope } from './entity-scope.ts'
import { heldStore } from './held.ts'
import { type Arriving, bounce, receiveStanza } from './inbound.ts'
import type { JobContext, JobDefinition } from './module.ts'
import { sendFromSession } from './outbound.ts'
import { isRefusal, SilentRefusal } from './refusal.ts'
import { isDurable } from './routing.ts'
import { abandonSession, noteProgress } from './session-end.ts'
import {
  acknowledgeInput,
  answerAsk,
  changeFlow,
  changeState,
  discharge,
  openSession,
  takeInput,
} from './session-inputs.ts'
import {
  commandStore,
  counterStore,
  moduleSessionStore,
  presenceStore,
  sessionStore,
  settledStore,
} from './session-state.ts'
import {
  closeSession,
  enableManagement,
  expireSession,
  loseInstance,
  resumeSession,
} from './stream-management.ts'

type TimerHandler = (event: { readonly scope: EntityScope; readonly data: string }) => void
type InputOf<K extends Input['kind']> = Extract<Input, { kind: K }>
type AnyStore = LiveStore<unknown> | DurableStore<unknown>

/** What the module host found declared, as the machine needs it. */
export interface MachineParts {
  readonly core: Core
  readonly commands: CommandRegistry
  readonly timers: ReadonlyMap<string, TimerHandler>
  readonly jobs: ReadonlyMap<string, Readonly<Record<string, JobDefinition<unknown, unknown>>>>
  readonly stores: readonly AnyStore[]
  readonly jobContext: JobContext
}

/** Milliseconds; whoever is not read for longer seems dead. The rest of a debt is paid when the next stanza comes. */
const longestPause = 10_000

/** The spec of a noted job: which module's, and which of its jobs. */
interface NotedJob {
  readonly module: string
  readonly spec: { readonly job: string }
}

/** The XMPP half of a router: dispatches each input of an entity (design §4). */
export class RouterMachine implements Machine {
  readonly stores: readonly AnyStore[]
  readonly #parts: MachineParts
  readonly #core: Core

  constructor(parts: MachineParts) {
    this.#parts = parts
    this.#core = parts.core
    const own = [
      sessionStore,
      counterStore,
      presenceStore,
      moduleSessionStore,
      settledStore,
      heldStore,
      commandStore,
      accountStore,
      mailboxStore,
      sessionRows,
    ]
    this.stores = [...new Set([...(own as unknown as AnyStore[]), ...parts.stores])]
  }

  run(turn: Turn): void {
    this.#dispatch(new EntityScope(this.#core, turn), turn.input)
  }

  #dispatch(scope: EntityScope, input: Input): void {
    const core = this.#core
    switch (input.kind) {
      case 'session.stanza':
        return this.#fromSession(scope, input)
      case 'half':
        return receiveStanza(core, scope, input)
      case 'multicast':
        return this.#multicast(scope, input)
      case 'session.ack':
        return acknowledgeInput(scope, input)
      case 'session.flow':
        return changeFlow(scope, input)
      case 'session.ask':
        return answerAsk(scope, input)
      case 'session.open':
        return openSession(core, scope, input)
      case 'session.close':
        return closeSession(core, scope, input)
      case 'session.enable':
        return enableManagement(core, scope, input)
      case 'session.state':
        return changeState(scope, input)
      case 'session.resume':
        return resumeSession(core, scope, input)
      case 'instance.dead':
        return loseInstance(core, scope, input.instance)
      case 'remote.again':
        return scope.remote(input.frame)
      case 'command':
        return this.#parts.commands.runWrite(scope, input)
      case 'timer':
        return this.#timer(scope, input)
      case 'job':
        return this.#jobDone(scope, input)
    }
  }

  #fromSession(scope: EntityScope, input: InputOf<'session.stanza'>): void {
    const taken = takeInput(scope, input)
    if (!taken) return
    // XEP-0286 §4: what it sends has woken its radio, so what was held back costs nothing now.
    scope.deliverHeld(input.session)
    const session = scope.sessionById(input.session)
    if (!session) return
    if (isDurable(input.stanza)) noteProgress(scope, input.session, taken)
    sendFromSession(this.#core, scope, session, input.stanza)
    this.#charge(scope, input)
    this.#core.metrics.stanza(kindOf(input.stanza.name), 'routed')
  }

  /** Who makes the server work more than it may is not read for a while; nothing is refused. */
  #charge(scope: EntityScope, { session, epoch }: InputOf<'session.stanza'>): void {
    const debt = this.#core.costs.charge(scope.entity, scope.cost, scope.now)
    const milliseconds = Math.min(debt, longestPause)
    const record = scope.turn.get(sessionStore, session)
    if (milliseconds === 0 || !record) return
    this.#core.metrics.session('throttled')
    scope.turn.output(record.cm, { kind: 'session.pause', session, epoch, milliseconds })
  }

  /** A multicast lists every recipient of the partition; this turn is about those of one entity. */
  #multicast(scope: EntityScope, input: InputOf<'multicast'>): void {
    for (const recipient of input.recipients) {
      if (bare(recipient as Jid) !== scope.entity) continue
      const stanza = isShared(input.stanza, recipient)
        ? input.stanza
        : input.stanza.with({ to: recipient })
      this.#receiveOne(scope, { ...input, stanza, to: recipient })
    }
  }

  /** Other resources of the account must not miss what one of them may not get. */
  #receiveOne(scope: EntityScope, arriving: Arriving & { readonly to: string }): void {
    try {
      receiveStanza(this.#core, scope, arriving)
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (!(error instanceof SilentRefusal))
        bounce(scope, arriving.stanza.with({ to: arriving.to }), asStanzaError(error))
    }
  }

  #timer(scope: EntityScope, input: InputOf<'timer'>): void {
    const [kind = '', id = ''] = input.name.split(' ')
    if (kind === 'hibernation') return expireSession(this.#core, scope, id)
    if (kind === commandTimer) return scope.set(commandStore, id, undefined)
    this.#parts.timers.get(kind)?.({ scope, data: input.data })
  }

  #jobDone(scope: EntityScope, input: InputOf<'job'>): void {
    const noted = input.spec as NotedJob
    this.#parts.jobs.get(noted.module)?.[noted.spec.job]?.done(scope, noted.spec, input.result)
  }

  async runJob(spec: unknown): Promise<unknown> {
    const noted = spec as NotedJob
    const job = this.#parts.jobs.get(noted.module)?.[noted.spec.job]
    if (!job) throw new Error(`module ${noted.module} has no job ${noted.spec.job}`)
    return await job.run(noted.spec, this.#parts.jobContext)
  }

  /** The turn of an input was dropped: its sender is told, its source goes on (design §3.10). */
  failed(turn: Turn, error: unknown): void {
    const { input } = turn
    this.#report(turn, error)
    if (!this.#core.domains.get(domainOf(turn.entity))) return this.#notServed(turn)
    const scope = new EntityScope(this.#core, turn)
    switch (input.kind) {
      case 'session.stanza':
        return this.#refuse(scope, input, error)
      case 'half':
        return refuseHalf(scope, input, error)
      case 'command':
        return replyFailure(turn, input, error)
      case 'session.open':
        return refuseSession(turn, input, 'internal-server-error')
      case 'session.resume':
        return refuseResumption(turn, input)
      case 'session.state':
        takeInput(scope, input)
        return
      case 'session.enable':
        // What its client was promised is not there: it is to begin anew.
        return abandonSession(scope, input.session, 'internal-server-error')
      case 'session.ack':
        return void discharge(scope, input)
      case 'session.close':
        return abandonSession(scope, input.session)
      case 'timer':
        return input.name.startsWith('hibernation ')
          ? abandonSession(scope, input.name.split(' ')[1] ?? '')
          : undefined
      case 'instance.dead':
        for (const [id, record] of scope.all(sessionStore))
          if (record.attached && record.cm === input.instance) abandonSession(scope, id)
        return
      default:
        return
    }
  }

  /** The entity's host is gone from the configuration, or never was there: whoever waits is told. */
  #notServed(turn: Turn): void {
    const { input } = turn
    const host = domainOf(turn.entity)
    if (input.kind === 'command') {
      const served = this.#core.hosts.list().map(({ name }) => name)
      const text = `${host} is not served here; ${served.join(', ')} ${served.length === 1 ? 'is' : 'are'}`
      return replyFailure(turn, input, new CommandError('not-found', text))
    }
    if (input.kind === 'session.open') refuseSession(turn, input, 'item-not-found')
  }

  #refuse(scope: EntityScope, input: InputOf<'session.stanza'>, error: unknown): void {
    if (!takeInput(scope, input)) return
    this.#charge(scope, input)
    if (error instanceof SilentRefusal) return
    const session = scope.sessionById(input.session)
    const reply =
      session && errorReply(input.stanza.with({ from: session.jid }), asStanzaError(error))
    if (!session || !reply) return
    // RFC 6120 §10.3.3: what had no `to` was for the account.
    scope.deliver(session, reply.from === undefined ? reply.with({ from: scope.entity }) : reply)
  }

  #report(turn: Turn, error: unknown): void {
    if (!('stanza' in turn.input)) return
    const outcome = isRefusal(error) ? 'refused' : 'failed'
    this.#core.metrics.stanza(kindOf(turn.input.stanza.name), outcome)
  }
}

/**
 * Whether all recipients get the same object, so that it is encoded once for each instance and kept once on the bus: what
 * is for single resources and in no mailbox, such as a room's presence and messages.
 */
function isShared(stanza: Stanza, recipient: string): boolean {
  return isFull(recipient as Jid) && (stanza.name === 'presence' || stanza.type === 'groupchat')
}

function refuseHalf(scope: EntityScope, { stanza }: InputOf<'half'>, error: unknown): void {
  if (!(error instanceof SilentRefusal)) bounce(scope, stanza, asStanzaError(error))
}

function refuseSession(turn: Turn, input: InputOf<'session.open'>, condition: string): void {
  const { cm, session } = input
  turn.output(cm, { kind: 'session.refused', session, condition, text: undefined })
}

/** The client binds anew; its session waits on for another attempt. */
function refuseResumption(turn: Turn, input: InputOf<'session.resume'>): void {
  const { cm, session, attempt } = input
  const outcome = { resumed: false, condition: 'internal-server-error', h: undefined } as const
  turn.output(cm, { kind: 'session.resumed', session, attempt, outcome })
}

function domainOf(entity: string): string {
  const jid = parseJid(entity)
  return jid.slice(jid.indexOf('@') + 1)
}

function asStanzaError(error: unknown): StanzaError {
  return error instanceof StanzaError ? error : new StanzaError('internal-server-error')
}

function kindOf(name: string): 'message' | 'presence' | 'iq' {
  return name === 'message' || name === 'presence' ? name : 'iq'
}
