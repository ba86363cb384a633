import type { Input } from '@tactus/cluster'
import { type FullJid, tryParseJid } from '@tactus/jid'
import { accountStore } from '@tactus/storage'
import type { Core } from './core.ts'
import type { EntityScope } from './entity-scope.ts'
import { settle } from './mailbox.ts'
import { endSession } from './session-end.ts'
import {
  counterStore,
  type SessionCounters,
  type SessionRecord,
  sessionStore,
} from './session-state.ts'

type InputOf<K extends Input['kind']> = Extract<Input, { kind: K }>
type Numbered = InputOf<'session.stanza' | 'session.enable' | 'session.state' | 'session.close'>

/** A resource is bound, or refused, in the account's partition (RFC 6120 §7; interleavings B13). */
export function openSession(core: Core, scope: EntityScope, input: InputOf<'session.open'>): void {
  const { turn } = scope
  const refuse = (condition: string, text?: string): void => {
    core.metrics.session('refused')
    turn.output(input.cm, { kind: 'session.refused', session: input.session, condition, text })
  }
  const known = turn.get(sessionStore, input.session)
  if (known) {
    // The same open again: its answer was lost, or the connection manager repeated it.
    turn.output(input.cm, {
      kind: 'session.opened',
      session: input.session,
      jid: fullJid(scope, known.resource),
    })
    return
  }
  if (!mayOpen(scope, input)) return refuse('not-authorized')
  const resource = input.resource ?? Buffer.from(scope.random(9)).toString('base64url')
  const jid = tryParseJid(fullJid(scope, resource))
  if (!jid) return refuse('bad-request', 'the resource is not allowed')
  // RFC 6120 §7.7.2.2: the newcomer gets the resource; a client that lost its connection comes back this way.
  const held = scope.session(resource)
  if (held)
    endSession(core, scope, held.id, { condition: 'conflict', text: undefined, notify: true })
  if (!makeRoom(core, scope))
    return refuse(
      'resource-constraint',
      `an account has at most ${core.limits.resources} resources`,
    )
  const record: SessionRecord = {
    resource,
    cm: input.cm,
    epoch: input.epoch,
    attached: true,
    stalled: false,
    anonymous: input.anonymous,
    interested: false,
    since: scope.now,
    tag: Buffer.from(scope.random(12)).toString('base64url'),
    info: input.info,
    management: undefined,
    resumed: undefined,
  }
  turn.set(sessionStore, input.session, record)
  turn.set(counterStore, input.session, { seq: input.seq, h: 0, out: 0 })
  turn.attach(input.cm, input.session)
  turn.committed(input.cm, input.session, input.seq, 0)
  turn.output(input.cm, {
    kind: 'session.opened',
    session: input.session,
    jid: fullJid(scope, resource),
  })
  core.metrics.session('bound')
  core.hooks.fact('session.bound', { scope, session: scope.view(input.session, record) })
}

function fullJid(scope: EntityScope, resource: string): FullJid {
  return `${scope.entity}/${resource}` as FullJid
}

/** The account may have been deleted, disabled or given another password since the client proved the old one. */
function mayOpen(scope: EntityScope, input: InputOf<'session.open'>): boolean {
  if (scope.service) return false
  if (input.anonymous) return scope.host.anonymous
  const account = scope.get(accountStore)
  return account !== undefined && !account.disabled && account.version === input.credentials
}

/** Over the limit, the oldest that waits for a resumption goes first; a session in use is never the one to go. */
function makeRoom(core: Core, scope: EntityScope): boolean {
  const sessions = scope.sessions()
  if (sessions.length < core.limits.resources) return true
  const waiting = sessions.find(({ attached }) => !attached)
  if (!waiting) return false
  endSession(core, scope, waiting.id, { condition: undefined, text: undefined, notify: false })
  return true
}

/** What a taken input needs to know of its session. */
export interface Taken {
  readonly record: SessionRecord
  readonly counters: SessionCounters
}

/**
 * Takes exactly the input after the last one (design §3.4): a lower number was seen, a higher one shows a gap, one of
 * an older attachment is void. Undefined when it is not to be run.
 */
export function takeInput(scope: EntityScope, input: Numbered): Taken | undefined {
  const { turn } = scope
  const record = turn.get(sessionStore, input.session)
  const counters = turn.get(counterStore, input.session)
  if (!record || !counters || input.epoch !== record.epoch) return undefined
  if (input.seq <= counters.seq) {
    turn.committed(record.cm, input.session, counters.seq, counters.h)
    return undefined
  }
  if (input.seq > counters.seq + 1) {
    turn.output(record.cm, {
      kind: 'gap',
      session: input.session,
      epoch: record.epoch,
      expected: counters.seq + 1,
    })
    return undefined
  }
  const counts = input.kind === 'session.stanza' && record.management !== undefined
  const next = { ...counters, seq: input.seq, h: counts ? (counters.h + 1) >>> 0 : counters.h }
  turn.set(counterStore, input.session, next)
  turn.committed(record.cm, input.session, next.seq, next.h)
  return { record, counters: next }
}

/** The client said whether anybody looks at it (XEP-0352 §4.2); what was held back comes before all that follows (§5.1). */
export function changeState(scope: EntityScope, input: InputOf<'session.state'>): void {
  const taken = takeInput(scope, input)
  if (!taken) return
  const inactive = input.state === 'inactive'
  if ((taken.record.inactive === true) !== inactive)
    scope.turn.set(sessionStore, input.session, { ...taken.record, inactive })
  if (!inactive) scope.deliverHeld(input.session)
}

/** The client has (or its socket was given) everything up to `n`: out of the queue, out of the mailbox. */
export function acknowledge(scope: EntityScope, session: string, n: number): void {
  const { turn } = scope
  const settled = settleUpTo(scope, session, n)
  if (!settled) return
  // Not whether the queue is empty: with lively contacts it may never be.
  const waits = settled.length === 0 || turn.queue(session).some(({ meta }) => meta.mailbox)
  const drained = waits ? undefined : scope.sessionById(session)
  if (drained) scope.emit('session.drained', { session: drained })
}

/** Mailbox rows that were settled; undefined where nothing of the queue is that old. */
function settleUpTo(scope: EntityScope, session: string, n: number): readonly string[] | undefined {
  const { turn } = scope
  const { oldest } = turn.backlog(session)
  if (oldest === undefined || oldest > n) return undefined
  const done = turn.queue(session).filter((entry) => entry.n <= n)
  const settled = done.flatMap(({ meta }) => meta.mailbox ?? [])
  settle(scope, session, settled)
  turn.trim(session, n)
  return settled
}

export function acknowledgeInput(scope: EntityScope, input: InputOf<'session.ack'>): void {
  const record = scope.turn.get(sessionStore, input.session)
  if (record?.epoch === input.epoch) acknowledge(scope, input.session, input.n)
}

/** What an acknowledgement does at least, where those that watch it failed: nothing may wait for ever. */
export function discharge(scope: EntityScope, input: InputOf<'session.ack'>): void {
  const record = scope.turn.get(sessionStore, input.session)
  if (record?.epoch === input.epoch) settleUpTo(scope, input.session, input.n)
}

/** A connection manager heard nothing of its inputs: it is told how far they are, or that they lead nowhere. */
export function answerAsk(scope: EntityScope, input: InputOf<'session.ask'>): void {
  const { turn } = scope
  const { session, epoch, cm } = input
  const record = turn.get(sessionStore, session)
  const counters = turn.get(counterStore, session)
  if (record && counters && record.epoch === epoch && record.cm === cm)
    turn.committed(cm, session, counters.seq, counters.h)
  else turn.output(cm, { kind: 'session.end', session, epoch, condition: 'reset', text: undefined })
}

/** A socket stalled or can take more: design §3.9. */
export function changeFlow(scope: EntityScope, input: InputOf<'session.flow'>): void {
  const { turn } = scope
  const record = turn.get(sessionStore, input.session)
  if (record?.epoch !== input.epoch || !record.attached) return
  const stalled = input.state === 'stalled'
  if (record.stalled !== stalled) turn.set(sessionStore, input.session, { ...record, stalled })
  if (stalled) return
  // The newest is enough: the connection manager sees what it lacks below it and reads that from the queue.
  const newest = turn.queued(input.session).at(-1)
  if (newest && newest.n > input.n)
    turn.output(record.cm, {
      kind: 'deliver',
      stanza: newest.stanza,
      targets: [{ session: input.session, epoch: record.epoch, n: newest.n, to: undefined }],
    })
}
