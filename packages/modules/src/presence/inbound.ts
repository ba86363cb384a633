import {
  type Duties,
  maySeePresence,
  refuseProbe,
  type Scope,
  sendPresenceOf,
  shows,
} from '@tactus/core'
import { bare, isFull, type Jid, resourcepart } from '@tactus/jid'
import { isSubscriptionType, presenceType, StanzaError } from '@tactus/stanza'
import { deliverToAvailable } from './availability.ts'
import type { PresenceConfig } from './config.ts'
import { forget } from './directed.ts'
import { receiveSubscriptionStanza } from './subscriptions.ts'
import { unavailable } from './wire.ts'

type Inbound = Duties['presence.inbound']

/**
 * Presence that reaches the account (RFC 6121 §3, §4, §8.5).
 *
 * @throws {StanzaError} `bad-request` for a type that does not exist
 */
export function receivePresence(event: Inbound, config: PresenceConfig): void {
  const { scope, from, presence } = event
  const type = presenceType(presence)
  if (type === undefined) throw new StanzaError('bad-request')
  if (isSubscriptionType(type))
    receiveSubscriptionStanza(scope, { presence, contact: bare(from), type }, config)
  else if (type === 'probe') answerProbe(event, config)
  else deliverPresence(event, type)
}

function deliverPresence(
  { scope, from, to, presence }: Inbound,
  type: 'available' | 'error' | 'unavailable',
): void {
  if (!isFull(to)) {
    // §8.5.2.1.2, §8.5.2.2.2: an error is about what one resource sent.
    if (type !== 'error') deliverToAvailable(scope, presence)
    return
  }
  const session = scope.session(resourcepart(to) ?? '')
  if (!session) return
  // A room that the resource left or never got into needs no word at the end.
  if (type !== 'available') forget(scope, session, from)
  scope.deliver(session, presence)
}

/** §4.3.2 */
function answerProbe({ scope, from, to }: Inbound, config: PresenceConfig): void {
  if (!maySeePresence(scope, from)) {
    refuseProbe(scope, from)
    return
  }
  const asked = scope
    .sessions()
    .filter((session) => isAsked(to, session.jid) && shows(scope, session, from))
  for (const session of asked) sendPresenceOf(scope, session, from)
  if (asked.length === 0 && config.answerProbes) sendUnavailability(scope, to, from)
}

function isAsked(to: Jid, resource: Jid): boolean {
  return !isFull(to) || to === resource
}

function sendUnavailability(scope: Scope, about: Jid, to: Jid): void {
  scope.send(unavailable(about).with({ to }))
}
