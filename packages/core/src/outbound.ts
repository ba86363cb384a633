import {
  bare,
  domainpart,
  isFull,
  type Jid,
  localpart,
  resourcepart,
  tryParseJid,
} from '@tactus/jid'
import { isRequest, StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { answerIq, checkIq } from './account-iq.ts'
import type { Core } from './core.ts'
import type { EntityScope } from './entity-scope.ts'
import { receiveMessage } from './inbound-message.ts'
import type { Session } from './scope.ts'

/**
 * The first half of what a resource sends (design §4): in the sender's partition.
 *
 * @throws {StanzaError} the sender gets the error, nothing else of this turn happens
 */
export function sendFromSession(
  core: Core,
  scope: EntityScope,
  session: Session,
  received: Stanza,
): void {
  // RFC 6120 §8.1.2.1: the server stamps the full JID, whatever the client wrote.
  const stanza = received.with({ from: session.jid })
  const to = recipient(stanza)
  core.hooks.decide('stanza.may-send', { scope, session, stanza })
  switch (stanza.name) {
    case 'message':
      sendMessage(core, scope, session, stanza, to ?? scope.entity)
      return
    case 'presence':
      sendPresence(core, scope, session, stanza)
      return
    default:
      sendIq(core, scope, session, stanza, to ?? scope.entity)
  }
}

function sendPresence(core: Core, scope: EntityScope, session: Session, stanza: Stanza): void {
  const presence =
    stanza.type === undefined
      ? core.hooks.rewrite('presence.sending', stanza, { scope, session })
      : stanza
  if (!core.hooks.duty('presence.outbound', { scope, session, presence }))
    throw new StanzaError('service-unavailable')
}

function recipient(stanza: Stanza): Jid | undefined {
  if (stanza.to === undefined) return undefined
  const to = tryParseJid(stanza.to)
  if (!to) throw new StanzaError('jid-malformed', 'the address in `to` is no JID')
  return to
}

function sendMessage(
  core: Core,
  scope: EntityScope,
  session: Session,
  stanza: Stanza,
  to: Jid,
): void {
  const id = scope.stanzaId()
  const message = core.hooks.rewrite('message.sending', stanza.with({ to }), { scope, session, id })
  if (bare(to) === scope.entity)
    receiveMessage(core, scope, { stanza: message, to, id, at: scope.now })
  else if (localpart(to) === undefined && core.hosts.get(domainpart(to))) refuseForDomain(message)
  else scope.send(message, { id })
  core.hooks.fact('message.sent', { scope, session, message, id })
}

/** A host reads no messages (RFC 6121 §8.4 leaves it to us); an error must not be answered. */
function refuseForDomain(message: Stanza): void {
  if (message.type !== 'error') throw new StanzaError('service-unavailable')
}

function sendIq(core: Core, scope: EntityScope, session: Session, stanza: Stanza, to: Jid): void {
  checkIq(stanza)
  const host = core.hosts.get(domainpart(to))
  const own = bare(to) === scope.entity
  if (own && isFull(to)) return deliverToOwnResource(scope, stanza, resourcepart(to))
  if (own && !isRequest(stanza))
    return core.hooks.fact('iq.answered', { scope, from: session.jid, answer: stanza })
  if (host && (own || localpart(to) === undefined)) {
    const target = own ? 'account' : 'domain'
    const answer = answerIq(core, scope, stanza, target, { from: session.jid, to, host, session })
    if (answer) scope.deliver(scope.session(session.resource) ?? session, answer)
    return
  }
  scope.send(stanza.with({ to }))
}

function deliverToOwnResource(
  scope: EntityScope,
  stanza: Stanza,
  resource: string | undefined,
): void {
  const target = resource === undefined ? undefined : scope.session(resource)
  if (target) scope.deliver(target, stanza)
  else if (stanza.type === 'get' || stanza.type === 'set')
    throw new StanzaError('service-unavailable')
}
