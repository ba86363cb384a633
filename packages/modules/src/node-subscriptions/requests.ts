import { type LiveStore, liveStore, type Nodes, type Scope } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { NS_CLIENT, StanzaError } from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import { hasRoom, type ListLimits, takeDown } from './list.ts'
import {
  answeredSubscription,
  errorOf,
  type NodeRequest,
  refusal,
  saysThereIsNone,
  serviceRequest,
} from './wire.ts'

/** A client’s request. */
export interface Asker {
  /** Id of its session. */
  readonly session: string
  /** Id of its iq. */
  readonly id: string
  /** Whom that was for: nobody, or the account itself, or the host. */
  readonly to: string | undefined
}

/** A request that a service has not answered. Key: its id, which nobody else knows. */
interface Asked extends Pick<NodeRequest, 'action' | 'node' | 'subid' | 'isPublic'> {
  readonly service: string
  readonly asker: Asker
}

/** Live state: written in the step that asks, so that whoever takes the account over knows what to do with the answer. */
export const askedStore: LiveStore<Asked> = liveStore('node-subscriptions')
/** First word of the timers’ names. */
export const patienceTimer = 'node-subscriptions-patience'

/** Bounds of an account; times are seconds. */
export interface RequestLimits extends ListLimits {
  readonly requests: number
  readonly patience: number
}

/**
 * Asks a service in the account’s name (§3.2).
 *
 * @throws {StanzaError} where there is no room, or the account has shut the service out
 */
export function ask(
  scope: Scope,
  request: NodeRequest,
  { asker, limits }: { readonly asker: Asker; readonly limits: RequestLimits },
): void {
  const { action, service, node, subid, isPublic = false } = request
  const others = [...scope.all(askedStore).values()]
  if (others.length >= limits.requests) throw refusal(scope.entity, 'resource-constraint')
  const wanted = [...others.filter((each) => each.action === 'subscribe'), { service, node }]
  if (action === 'subscribe' && !hasRoom(scope, wanted, limits))
    throw refusal(scope.entity, 'policy-violation', 'too-many-subscriptions')
  const id = scope.makeId()
  const stanza = serviceRequest(request, scope.entity, id)
  if (!scope.mayHear(service, stanza)) throw refusal(scope.entity, 'not-acceptable')
  scope.set(askedStore, id, { action, service, node, subid, isPublic, asker })
  scope.timer(`${patienceTimer} ${id}`, scope.now + limits.patience * 1_000, id)
  scope.send(stanza)
}

/** SECURITY: only who was asked answers, by an id that nobody else knows. */
export function takeAnswer(
  scope: Scope,
  from: Jid,
  answer: Stanza,
  nodes: Nodes | undefined,
): void {
  const id = answer.id ?? ''
  const asked = scope.all(askedStore).size > 0 ? scope.get(askedStore, id) : undefined
  if (!asked || asked.service !== from) return
  const { action, service, node, subid, isPublic = false } = asked
  scope.set(askedStore, id, undefined)
  scope.timer(`${patienceTimer} ${id}`, undefined)
  if (answer.type !== 'result') {
    // It was given up elsewhere: what is not there is not listed.
    if (action === 'unsubscribe' && saysThereIsNone(answer))
      takeDown(scope, service, { node, subid, state: undefined }, nodes)
    return reply(scope, asked, errorOf(answer, service))
  }
  if (action === 'unsubscribe') takeDown(scope, service, { node, subid, state: undefined }, nodes)
  else {
    const { state, subid } = answeredSubscription(answer) ?? {
      state: 'subscribed' as const,
      subid: undefined,
    }
    takeDown(scope, service, { node, subid, state, isPublic }, nodes)
  }
  // Behind what the devices are told: it needs to say nothing more.
  reply(scope, asked)
}

/** The service does not answer. Who asks again is answered as the first time. */
export function givePatienceUp(scope: Scope, id: string): void {
  const asked = scope.get(askedStore, id)
  if (!asked) return
  scope.set(askedStore, id, undefined)
  const by = asked.service as Jid
  reply(scope, asked, new StanzaError('remote-server-timeout', undefined, { by }).toElement())
}

function reply(scope: Scope, { asker }: Asked, error?: XmlElement): void {
  const session = scope.sessions().find(({ id }) => id === asker.session)
  if (!session) return
  const { id, to: from } = asker
  const type = error ? 'error' : 'result'
  scope.deliver(session, xml('iq', { xmlns: NS_CLIENT, type, id, from, to: session.jid }, error))
}
