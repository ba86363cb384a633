import type { Input } from '@tactus/cluster'
import type { FullJid } from '@tactus/jid'
import { sessionStore as sessionRows } from '@tactus/storage'
import type { Core } from './core.ts'
import type { EntityScope } from './entity-scope.ts'
import { endSession, hibernationTimer } from './session-end.ts'
import { acknowledge, takeInput } from './session-inputs.ts'
import {
  counterStore,
  type SessionCounters,
  type SessionRecord,
  type StreamManagement,
  sessionStore,
} from './session-state.ts'

type InputOf<K extends Input['kind']> = Extract<Input, { kind: K }>

/** `<enable/>` (XEP-0198 §3): everything after this point counts, in both directions. */
export function enableManagement(
  core: Core,
  scope: EntityScope,
  input: InputOf<'session.enable'>,
): void {
  const taken = takeInput(scope, input)
  if (!taken) return
  const { record, counters } = taken
  const { resumeWithin, resumeAtMost } = core.limits
  const wanted = input.max === undefined ? resumeWithin : input.max * 1_000
  const max = Math.min(wanted, Math.max(resumeWithin, resumeAtMost))
  const management: StreamManagement = { base: counters.out, resumable: input.resume, max }
  scope.turn.set(sessionStore, input.session, { ...record, management })
  scope.turn.output(record.cm, {
    kind: 'session.enabled',
    session: input.session,
    epoch: record.epoch,
    n: counters.out,
    id: input.resume ? input.session : undefined,
    max: input.resume ? Math.floor(max / 1_000) : undefined,
  })
}

/** The stream is gone: the session waits to be resumed where it may be, else it ends. */
export function closeSession(
  core: Core,
  scope: EntityScope,
  input: InputOf<'session.close'>,
): void {
  const taken = takeInput(scope, input)
  if (!taken) return
  // C21: an orderly close ends the session at once.
  if (input.reason === 'dropped') loseConnection(core, scope, input.session, taken.record)
  else end(core, scope, input.session)
}

/** The instance that held the socket is dead (design §3.8): only what is still attached to it is meant. */
export function loseInstance(core: Core, scope: EntityScope, instance: string): void {
  for (const [id, record] of scope.all(sessionStore)) {
    if (!record.attached || record.cm !== instance) continue
    // It may only have been thought dead: then it must not hold on to what is no longer its own.
    scope.turn.output(instance, {
      kind: 'session.end',
      session: id,
      epoch: record.epoch,
      condition: 'reset',
      text: undefined,
    })
    loseConnection(core, scope, id, record)
  }
}

function loseConnection(core: Core, scope: EntityScope, id: string, record: SessionRecord): void {
  const { management } = record
  if (!management?.resumable) return end(core, scope, id)
  scope.turn.set(sessionStore, id, { ...record, attached: false, stalled: false })
  scope.turn.detach(record.cm, id)
  scope.timer(hibernationTimer(id), scope.now + management.max, '')
  core.metrics.session('hibernated')
  const session = scope.sessionById(id)
  if (session) core.hooks.fact('session.hibernated', { scope, session })
}

function end(core: Core, scope: EntityScope, id: string): void {
  endSession(core, scope, id, { condition: undefined, text: undefined, notify: false })
}

/** Nobody came back in time (C15). */
export function expireSession(core: Core, scope: EntityScope, id: string): void {
  const record = scope.turn.get(sessionStore, id)
  if (!record || record.attached) return
  end(core, scope, id)
}

/** `<resume/>` (XEP-0198 §5; design §3.7), from whatever connection manager the client found. */
export function resumeSession(
  core: Core,
  scope: EntityScope,
  input: InputOf<'session.resume'>,
): void {
  const { turn } = scope
  const record = turn.get(sessionStore, input.session)
  const counters = turn.get(counterStore, input.session)
  const refuse = (condition: string, h: number | undefined): void => {
    turn.output(input.cm, {
      kind: 'session.resumed',
      session: input.session,
      attempt: input.attempt,
      outcome: { resumed: false, condition, h },
    })
  }
  // C10: the last count is known for 48 h, so that the client knows what to send again.
  if (!record?.management?.resumable || !counters)
    return refuse('item-not-found', scope.get(sessionRows, input.session)?.h)
  if (record.resumed?.attempt === input.attempt) return answer(scope, input, record, counters)
  if (record.overtaken?.includes(input.attempt)) return refuse('item-not-found', counters.h)
  const acked = ackedNumber(scope, input.session, counters)
  // C1, C2: serial arithmetic; a count beyond what was sent is a client that cannot be right.
  const handled = (input.h - (acked - record.management.base)) >>> 0
  if (handled > counters.out - acked)
    return refuse('handled-count-too-high', (counters.out - record.management.base) >>> 0)
  acknowledge(scope, input.session, acked + handled)
  if (record.attached) leaveOldInstance(scope, input.session, record)
  // XEP-0352 §5.2: it is active again. What was held back follows what it lacks, by the same way: out of the queue.
  const active: SessionRecord = { ...record, attached: false, inactive: false }
  turn.set(sessionStore, input.session, active)
  scope.deliverHeld(input.session)
  const current = turn.get(counterStore, input.session)
  if (!current) return refuse('item-not-found', counters.h)
  const resumed: SessionRecord = {
    ...active,
    cm: input.cm,
    epoch: record.epoch + 1,
    attached: true,
    stalled: false,
    info: input.info,
    resumed: { attempt: input.attempt, from: acked + handled },
    overtaken: overtaken(record),
  }
  turn.set(sessionStore, input.session, resumed)
  turn.attach(input.cm, input.session)
  turn.timer(hibernationTimer(input.session), undefined)
  core.metrics.session('resumed')
  answer(scope, input, resumed, current)
  core.hooks.fact('session.resumed', { scope, session: scope.view(input.session, resumed) })
}

/** More attempts than one that was frozen can have been overtaken by, short of an attack on itself. */
const attemptsKept = 8

function overtaken({ resumed, overtaken = [] }: SessionRecord): readonly string[] {
  return resumed ? [resumed.attempt, ...overtaken].slice(0, attemptsKept) : overtaken
}

/** C11: what the old connection still sends is void, and it gets nothing any more. */
function leaveOldInstance(scope: EntityScope, id: string, record: SessionRecord): void {
  scope.turn.output(record.cm, {
    kind: 'session.end',
    session: id,
    epoch: record.epoch,
    condition: 'conflict',
    text: 'resumed elsewhere',
  })
  scope.turn.detach(record.cm, id)
}

/** Out-number up to which the client has acknowledged. */
function ackedNumber(scope: EntityScope, id: string, counters: SessionCounters): number {
  const { oldest } = scope.turn.backlog(id)
  return oldest === undefined ? counters.out : oldest - 1
}

function answer(
  scope: EntityScope,
  input: InputOf<'session.resume'>,
  record: SessionRecord,
  counters: SessionCounters,
): void {
  scope.turn.output(input.cm, {
    kind: 'session.resumed',
    session: input.session,
    attempt: input.attempt,
    outcome: {
      resumed: true,
      jid: `${scope.entity}/${record.resource}` as FullJid,
      epoch: record.epoch,
      h: counters.h,
      seq: counters.seq,
      from: record.resumed?.from ?? counters.out,
      to: counters.out,
      base: record.management?.base ?? 0,
    },
  })
}
