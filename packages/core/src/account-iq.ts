import { bare, type Jid } from '@tactus/jid'
import { iqResult, StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import type { Core } from './core.ts'
import type { Host } from './hosts.ts'
import { deferred, type IqRequest, type Target } from './module.ts'
import type { Scope, Session } from './scope.ts'

/** Who asks whom, as the dispatcher needs it. */
export interface IqAddresses {
  readonly from: Jid
  readonly to: Jid
  readonly host: Host
  readonly session: Session | undefined
}

/**
 * Checks the syntax of an IQ (RFC 6120 §8.2.3): `id`, a known type, exactly one child where the type asks for it.
 *
 * @throws {StanzaError} `bad-request`
 */
export function checkIq(stanza: Stanza): void {
  const refuse = (text: string): never => {
    throw new StanzaError('bad-request', text)
  }
  if (stanza.id === undefined) refuse('an iq needs an id')
  const children = stanza.children.length
  switch (stanza.type) {
    case 'get':
    case 'set':
      if (children !== 1) refuse('a request has exactly one child element')
      return
    case 'result':
      if (children > 1) refuse('a result has at most one child element')
      return
    case 'error':
      return
    default:
      refuse('the type of an iq is get, set, result or error')
  }
}

/**
 * Runs the handler of a request that this server answers itself, for an account or for a domain.
 *
 * Undefined when there is nothing to be sent: results and errors, and answers that come later.
 * @throws {StanzaError} `service-unavailable` for a namespace that nobody handles (RFC 6120 §8.4)
 */
export function answerIq(
  core: Core,
  scope: Scope,
  stanza: Stanza,
  target: Target,
  addresses: IqAddresses,
): Stanza | undefined {
  if (stanza.type !== 'get' && stanza.type !== 'set') return undefined
  const [span] = stanza.children
  const payload = span && stanza.child(span.name, span.ns)
  if (!payload) throw new StanzaError('service-unavailable')
  const request: IqRequest = {
    scope,
    stanza,
    payload,
    from: addresses.from,
    to: addresses.to,
    session: addresses.session,
    own: bare(addresses.from) === scope.entity,
    host: addresses.host,
    target,
  }
  if (isTakenOver(core, request)) return undefined
  const handler = core.iq.find(stanza.type, target, span.ns, span.name)
  if (!handler) throw new StanzaError('service-unavailable')
  const answer = handler(request)
  return answer === deferred ? undefined : iqResult(stanza, answer)
}

/** Services answer for themselves. */
function isTakenOver(core: Core, request: IqRequest): boolean {
  if (request.target !== 'account' && request.target !== 'domain') return false
  let isTaken = false
  const takeOver = (): void => {
    isTaken = true
  }
  core.hooks.duty('request.answering', { request, takeOver })
  return isTaken
}
