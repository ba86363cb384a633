import { isFull, type Jid, localpart, parseJid, resourcepart } from '@tactus/jid'
import { errorReply, isRequest, StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { answerIq, checkIq } from './account-iq.ts'
import type { Core } from './core.ts'
import type { EntityScope } from './entity-scope.ts'
import { receiveMessage } from './inbound-message.ts'
import { refuseProbe } from './roster/roster-access.ts'
import { isStorable } from './routing.ts'
import { entityFor, targetOf } from './services.ts'

/** What a second half carries. */
export interface Arriving {
  readonly stanza: Stanza
  /** Whom it is for, where the stanza itself is shared by many and does not say. */
  readonly to?: string
  readonly id: string
  readonly at: number
}

/**
 * The second half (design §4): a stanza in the partition of its recipient.
 *
 * @throws {StanzaError} goes back to the sender
 */
export function receiveStanza(core: Core, scope: EntityScope, arriving: Arriving): void {
  const { stanza } = arriving
  const from = parseJid(stanza.from ?? '')
  const to = parseJid(arriving.to ?? stanza.to ?? scope.entity)
  if (scope.service) return receiveForService(core, scope, arriving, { from, to })
  if (localpart(scope.entity) === undefined)
    return receiveForHost(core, scope, stanza, { from, to })
  if (!scope.accountExists()) return refuseUnknown(core, scope, stanza, from)
  core.hooks.decide('stanza.may-receive', { scope, from, to, stanza })
  switch (stanza.name) {
    case 'message':
      receiveMessage(core, scope, { ...arriving, to })
      return
    case 'presence':
      core.hooks.duty('presence.inbound', { scope, from, to, presence: stanza })
      core.hooks.fact('presence.received', { scope, from, presence: stanza })
      return
    default:
      receiveIq(core, scope, stanza, from, to)
  }
}

/** Requests for a bare JID have handlers; all else is the service's own business. */
function receiveForService(
  core: Core,
  scope: EntityScope,
  { stanza, id, at }: Arriving,
  { from, to }: { readonly from: Jid; readonly to: Jid },
): void {
  const { service } = scope
  if (stanza.name === 'iq') checkIq(stanza)
  if (!service) return
  const entity = scope.entity === service.domain ? entityFor(service, to, stanza) : scope.entity
  if (entity !== scope.entity) return scope.pass(stanza.with({ to }))
  if (stanza.name !== 'iq' || isFull(to))
    return service.definition.receive({ scope, from, to, stanza, id, at })
  if (!isRequest(stanza)) return core.hooks.fact('iq.answered', { scope, from, answer: stanza })
  const addresses = { from, to, host: scope.host, session: undefined }
  const answer = answerIq(core, scope, stanza, targetOf(service, to), addresses)
  if (answer) scope.send(answer)
}

/**
 * RFC 6120 §10.5.1: the host itself is addressed, from another server. Accounts of this one ask in their own entity, so
 * that no host is a hot spot (design §4).
 */
function receiveForHost(
  core: Core,
  scope: EntityScope,
  stanza: Stanza,
  { from, to }: { readonly from: Jid; readonly to: Jid },
): void {
  if (stanza.name === 'presence') {
    if (stanza.type === 'probe') refuseProbe(scope, from)
    return
  }
  if (stanza.name === 'message') {
    // An error is an answer to nothing that a host would have sent.
    if (stanza.type === 'error') return
    if (core.hooks.duty('message.to-host', { scope, from, message: stanza })) return
  }
  if (stanza.name !== 'iq') throw new StanzaError('service-unavailable')
  checkIq(stanza)
  if (!isRequest(stanza)) return core.hooks.fact('iq.answered', { scope, from, answer: stanza })
  if (isFull(to)) throw new StanzaError('service-unavailable')
  const addresses = { from, to, host: scope.host, session: undefined }
  const answer = answerIq(core, scope, stanza, 'domain', addresses)
  if (answer) scope.send(answer)
}

/** RFC 6121 §8.5.1: nobody of that name. Presence is treated as by an account that lets nobody see it. */
function refuseUnknown(core: Core, scope: EntityScope, stanza: Stanza, from: Jid): void {
  if (stanza.name === 'presence') {
    if (stanza.type === 'probe') refuseProbe(scope, from)
    return
  }
  if (stanza.name === 'message' && !isStorable(stanza) && stanza.type !== 'groupchat') return
  core.hooks.decide('account.missing', { scope, from, stanza })
  throw new StanzaError('service-unavailable')
}

function receiveIq(core: Core, scope: EntityScope, stanza: Stanza, from: Jid, to: Jid): void {
  checkIq(stanza)
  const resource = resourcepart(to)
  if (resource === undefined) {
    if (!isRequest(stanza)) return core.hooks.fact('iq.answered', { scope, from, answer: stanza })
    const answer = answerIq(core, scope, stanza, 'account', {
      from,
      to,
      host: scope.host,
      session: undefined,
    })
    if (answer) scope.send(answer)
    return
  }
  const session = scope.session(resource)
  if (session) return scope.deliver(session, stanza)
  // RFC 6121 §8.5.3.2.3
  if (stanza.type === 'get' || stanza.type === 'set') throw new StanzaError('service-unavailable')
}

/** Sends the error of a refused second half back to where the stanza came from. */
export function bounce(scope: EntityScope, stanza: Stanza, error: StanzaError): void {
  const reply = errorReply(stanza, error)
  if (!reply || reply.to === undefined) return
  // The sender of an unaddressed stanza is the account itself; its error has somewhere to go all the same.
  scope.send(reply.from === undefined ? reply.with({ from: scope.entity }) : reply)
}
