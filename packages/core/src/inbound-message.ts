import { type Jid, resourcepart } from '@tactus/jid'
import { messageType, StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import type { Core } from './core.ts'
import { putIntoMailbox } from './mailbox.ts'
import { isStorable, reachable, routeMessage } from './routing.ts'
import type { Scope, Session } from './scope.ts'

/** A message in the partition of its recipient. */
export interface ArrivingMessage {
  readonly stanza: Stanza
  readonly to: Jid
  readonly id: string
  readonly at: number
}

/**
 * The second half of a message (RFC 6121 §8.5): in the recipient's partition, once.
 *
 * @throws {StanzaError} `service-unavailable` where the RFC asks for an error
 */
export function receiveMessage(core: Core, scope: Scope, arriving: ArrivingMessage): void {
  const { stanza: message, id, at } = arriving
  const reached = recipients(scope, arriving)
  if (!reached) return
  // A guest has no mailbox: nothing of the account outlives the visit.
  const stored = isStorable(message) && !scope.host.anonymous
  const waits = stored && mayWait(core, scope, message, reached)
  const stamped = core.hooks.rewrite('message.receiving', message, { scope, id })
  if (stored) putIntoMailbox(scope, id, stamped, at)
  const now = waits ? notBehind(reached) : reached
  for (const session of now)
    scope.deliver(session, stamped, stored && !waits ? { mailbox: id } : {})
  core.hooks.fact('message.received', {
    scope,
    message: stamped,
    id,
    reached,
    stored: stored && reached.length === 0,
  })
}

/** Sessions that a message is for: none of them when it has to wait, undefined when it is dropped. */
function recipients(scope: Scope, { stanza, to }: ArrivingMessage): readonly Session[] | undefined {
  const resource = resourcepart(to)
  const sessions = scope.sessions()
  const open =
    resource === undefined ? sessions.filter((session) => scope.mayGet(session, stanza)) : sessions
  const route = routeMessage(messageType(stanza), open, resource)
  if (route === 'refuse') throw new StanzaError('service-unavailable')
  if (route === 'drop') return undefined
  return route === 'wait' ? [] : route.to
}

/**
 * True when the row is for somebody who is not there yet, so that nobody else's acknowledgement settles it: for an
 * absent account, and for resources that are being handed the mailbox, where it must not overtake older ones.
 *
 * @throws {StanzaError} when it may not wait and nobody else is there
 */
function mayWait(core: Core, scope: Scope, message: Stanza, reached: readonly Session[]): boolean {
  const others = notBehind(reached)
  if (reached.length > 0 && others.length === reached.length) return false
  try {
    core.hooks.decide('message.may-wait', { scope, message })
    return true
  } catch (error) {
    // Others can have it now. A mailbox that is full must not keep it from them.
    if (error instanceof StanzaError && others.length > 0) return false
    throw error
  }
}

/** Hands a message that lost its session to the resources that are there now; its row stays until one has it. */
export function deliverMessage(scope: Scope, message: Stanza, mailbox: string): void {
  const there = reachable(scope.sessions())
  const live = notBehind(there)
  const settles = live.length === there.length
  for (const session of live) scope.deliver(session, message, settles ? { mailbox } : {})
}

function notBehind(sessions: readonly Session[]): readonly Session[] {
  return sessions.filter(({ catchingUp }) => !catchingUp)
}
