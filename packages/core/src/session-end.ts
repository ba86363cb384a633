import type { LiveStore, QueueMeta } from '@tactus/cluster'
import { type BareJid, tryParseJid } from '@tactus/jid'
import { delayElement, errorReply, NS_DELAY, StanzaError } from '@tactus/stanza'
import { sessionStore as sessionRows } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import type { Core } from './core.ts'
import { heldOf, heldStore } from './held.ts'
import { deliverMessage } from './inbound-message.ts'
import { isSettled, mailboxIdsInFlight } from './mailbox.ts'
import type { Scope } from './scope.ts'
import {
  counterStore,
  moduleSessionStore,
  presenceStore,
  type SessionCounters,
  type SessionRecord,
  sessionStore,
  settledStore,
} from './session-state.ts'

interface Ending {
  readonly condition: string | undefined
  readonly text: string | undefined
  /** Tells the connection manager to close the stream. */
  readonly notify: boolean
}

/** Ends a session for good: what waits for it goes back or elsewhere, contacts are told by the modules. */
export function endSession(core: Core, scope: Scope, id: string, ending: Ending): void {
  const { turn } = scope
  const record = turn.get(sessionStore, id)
  if (!record) return
  const session = scope.session(record.resource)
  if (!session) return
  const waiting = [...turn.queued(id), ...heldOf(scope, id)].filter(
    ({ meta }) => !isSettled(scope, id, meta.mailbox ?? ''),
  )
  if (ending.notify && record.attached) tellEnd(scope, id, record, ending)
  const counters = turn.get(counterStore, id)
  // Its client may not know yet, and ask to take it up.
  if (counters) noteProgress(scope, id, { record, counters })
  forget(scope, id, record)
  core.metrics.session('ended')
  core.hooks.fact('session.ended', { scope, session, presence: session.presence })
  // Another resource that was sent the same message will hand it back in its turn.
  const elsewhere = mailboxIdsInFlight(scope)
  for (const { stanza, meta } of waiting) giveBack(scope, stanza, meta, elsewhere)
}

/** Ends the session whose queue is full (design §3.9); true when it did. */
export function overflow(core: Core, scope: Scope, id: string): boolean {
  if (!isFull(core, scope, id)) return false
  endSession(core, scope, id, {
    condition: 'policy-violation',
    text: `more than ${core.limits.queueStanzas} stanzas or ${core.limits.queueBytes} bytes wait unacknowledged`,
    notify: true,
  })
  return true
}

/** Times as much may be under way to a client that reads: who comes into ten large rooms gets thousands at once. */
const whileRead = 10

/** What is read is bounded by the time that an acknowledgement may take, so that one large answer ends no session. */
function isFull(core: Core, scope: Scope, id: string): boolean {
  const { count, bytes } = scope.turn.backlog(id)
  const { queueStanzas, queueBytes } = core.limits
  if (count <= queueStanzas && bytes <= queueBytes) return false
  const record = scope.turn.get(sessionStore, id)
  const isRead = record?.attached === true && !record.stalled
  return isRead ? count > queueStanzas * whileRead : true
}

function tellEnd(
  scope: Scope,
  session: string,
  { cm, epoch }: SessionRecord,
  { condition, text }: Pick<Ending, 'condition' | 'text'>,
): void {
  scope.turn.output(cm, { kind: 'session.end', session, epoch, condition, text })
}

function forget(scope: Scope, id: string, record: SessionRecord): void {
  const { turn } = scope
  turn.set(sessionStore, id, undefined)
  turn.set(counterStore, id, undefined)
  turn.set(presenceStore, id, undefined)
  for (const store of [moduleSessionStore, settledStore, heldStore])
    for (const key of turn.all<unknown>(store).keys())
      if (key.startsWith(`${id} `)) turn.set<unknown>(store as LiveStore<unknown>, key, undefined)
  turn.trim(id, undefined)
  turn.timer(hibernationTimer(id), undefined)
  if (record.attached) turn.detach(record.cm, id)
}

/** Name of the timer that ends a session which nobody resumes. */
export function hibernationTimer(id: string): string {
  return `hibernation ${id}`
}

/**
 * What becomes of a stanza that a session never acknowledged (XEP-0198 §4; RFC 6121 §8): messages with a mailbox row
 * go to another resource or wait, requests are answered with an error, the rest is dropped. Never bounced: carbons,
 * groupchat (it would kick the occupant), results.
 */
function giveBack(
  scope: Scope,
  stanza: Stanza,
  { mailbox, copy, at }: QueueMeta,
  elsewhere: ReadonlySet<string>,
): void {
  if (stanza.name === 'message') {
    if (mailbox !== undefined && !copy && !elsewhere.has(mailbox))
      deliverMessage(scope, delayed(scope, stanza, at), mailbox)
    return
  }
  if (stanza.name !== 'iq' || (stanza.type !== 'get' && stanza.type !== 'set')) return
  const from = stanza.from === undefined ? undefined : tryParseJid(stanza.from)
  const reply = from && errorReply(stanza, new StanzaError('service-unavailable'))
  if (reply) scope.send(reply)
}

/** XEP-0198 §4: since when it was tried to deliver; what waited before that says so already. */
function delayed(scope: Scope, message: Stanza, at: number): Stanza {
  const from = scope.host.name as BareJid
  const stamps = message.element.getChildren('delay', NS_DELAY)
  if (stamps.some(({ attrs }) => attrs.from === from)) return message
  return message.append(delayElement({ from, stamp: at }))
}

/**
 * Drops a session whose orderly end, or beginning, failed: nothing of it may stay behind, at its connection manager neither. Its
 * messages keep their mailbox rows; contacts learn of it by the next probe.
 */
export function abandonSession(scope: Scope, id: string, condition = 'reset'): void {
  const record = scope.turn.get(sessionStore, id)
  if (!record) return
  if (record.attached) tellEnd(scope, id, record, { condition, text: undefined })
  forget(scope, id, record)
}

/**
 * Notes in the durable half how far a session's inputs were taken, so that `<failed h='…'/>` is exact even when the
 * live state is lost (design §3.6). With inputs that write rows anyway,
 * and at the end; what came between may be lost with Redis.
 */
export function noteProgress(
  scope: Scope,
  session: string,
  { record, counters }: { readonly record: SessionRecord; readonly counters: SessionCounters },
): void {
  if (record.management === undefined) return
  scope.set(sessionRows, session, { inSeq: counters.seq, h: counters.h, at: scope.now })
}
