import type { Duties } from '@tactus/core'
import { bare, type Jid, parseJid } from '@tactus/jid'
import { isSubscriptionType, presenceType, StanzaError } from '@tactus/stanza'
import { becomeAvailable, becomeUnavailable } from './availability.ts'
import type { PresenceConfig } from './config.ts'
import { forget, remember } from './directed.ts'
import { sendSubscriptionStanza } from './subscriptions.ts'

type Outbound = Duties['presence.outbound']

/**
 * Presence that a resource sends (RFC 6121 §3, §4).
 *
 * @throws {StanzaError} `bad-request` for a type that does not exist or needs an address; `policy-violation` for one
 * that is too large
 */
export function sendPresence(event: Outbound, config: PresenceConfig): void {
  const { presence } = event
  if (presence.bytes.length > config.bytes)
    throw new StanzaError('policy-violation', `Presence may have ${config.bytes} bytes.`)
  if (presence.to === undefined) announce(event)
  else direct(event, parseJid(presence.to), config)
}

function announce({ scope, session, presence }: Outbound): void {
  switch (presenceType(presence)) {
    case 'available':
      becomeAvailable(scope, session, presence)
      return
    case 'unavailable':
      becomeUnavailable(scope, session, presence)
      return
    default:
      throw new StanzaError('bad-request')
  }
}

function direct({ scope, session, presence }: Outbound, to: Jid, config: PresenceConfig): void {
  const type = presenceType(presence)
  if (type === undefined) throw new StanzaError('bad-request')
  if (isSubscriptionType(type)) {
    sendSubscriptionStanza(scope, { presence, contact: bare(to), type }, config)
    return
  }
  // §4.6.3: whoever learned of this resource by name is told when it goes.
  if (type === 'available') remember(scope, session, to, config.directed)
  if (type === 'unavailable') forget(scope, session, to)
  scope.send(presence.with({ to }))
}
