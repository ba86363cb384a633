import type { IqAnswer, IqRequest } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import type { Action, PubsubFeature } from './feature.ts'
import { owning } from './features/owning.ts'
import { people } from './features/people.ts'
import { publishing } from './features/publishing.ts'
import { retrieving } from './features/retrieving.ts'
import { subscribing } from './features/subscribing.ts'
import type { Service } from './service.ts'
import { NS_PUBSUB, unsupported } from './wire.ts'

/** The parts of XEP-0060 that are there. */
const features: readonly PubsubFeature[] = [publishing, retrieving, subscribing, owning, people]

const actions = new Map(
  features.flatMap((feature) => feature.actions).map((action) => [keyOf(action), action]),
)

/** The disco features of all parts, and of these. */
export function announced(...others: readonly string[]): readonly string[] {
  const names = [...features.flatMap(({ announces }) => announces), ...others]
  return names.map((name) => `${NS_PUBSUB}#${name}`)
}

/**
 * Runs what a request asks for.
 *
 * @throws {StanzaError} `feature-not-implemented` with `unsupported` for what is not there
 */
export function dispatch(
  service: Service,
  request: Pick<IqRequest, 'scope' | 'from' | 'stanza' | 'payload' | 'session'>,
): IqAnswer {
  const { scope, from, stanza, payload: pubsub, session } = request
  const type = stanza.type === 'get' ? 'get' : 'set'
  const ns = pubsub.getNS() === NS_PUBSUB ? 'pubsub' : 'owner'
  // Nothing of a guest outlives the visit.
  if (type === 'set' && scope.host.anonymous) throw new StanzaError('not-allowed')
  const children = pubsub.getChildElements().filter((child) => child.getNS() === pubsub.getNS())
  for (const action of children) {
    const known = actions.get(keyOf({ type, ns, name: action.name }))
    if (known) return known.handle({ service, scope, stanza, from, session, pubsub, action })
  }
  const [first] = children
  if (!first) throw new StanzaError('bad-request')
  throw unsupported(first.name)
}

function keyOf({ type, ns, name }: Pick<Action, 'type' | 'ns' | 'name'>): string {
  return `${type} ${ns} ${name}`
}
