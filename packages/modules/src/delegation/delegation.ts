import {
  type Component,
  covers,
  defineModule,
  type IqRequest,
  requirePresenceAccess,
  type XmppModule,
  xep,
} from '@tactus/core'
import { bare, domainpart, isBare, isFull, localpart } from '@tactus/jid'
import { NS_DISCO_INFO, NS_DISCO_ITEMS } from '@tactus/stanza'
import { z } from 'zod'
import {
  endWaiting,
  forwardRequest,
  takeForwardedAnswer,
  waitingStore,
  waitingTimer,
} from './forwarding.ts'
import {
  endGathering,
  gather,
  gatheringStore,
  gatheringTimer,
  Hearsay,
  type NestedNamespace,
  takeNested,
} from './nesting.ts'
import { answeredKey } from './relay.ts'
import { anyInfo, anyItems, NS_DELEGATION } from './wire.ts'

/**
 * Namespace Delegation: components that answer, by configuration, the requests of whole namespaces in the place of their
 * host and its accounts. What they are told of it at first is the connection manager's.
 *
 * @see {@link https://xmpp.org/extensions/xep-0355.html | XEP-0355}
 */
export const delegation: XmppModule = defineModule({
  name: 'delegation',
  implements: [
    xep('0355', '0.5', {
      status: 'partial',
      note: 'Admin mode only, as §9 allows, for components of the configuration. What an internal feature is replaced for (§7.2.1) goes by its name: the namespace itself and what follows it behind `#`.',
    }),
  ],
  features: { domain: [NS_DELEGATION] },
  config: z.strictObject({
    patience: z.int().min(1).max(600).default(30).meta({
      description:
        'Seconds that a delegated request waits for the component’s answer; then it is refused with `service-unavailable`.',
    }),
    discoveryPatience: z.int().min(1).max(600).default(5).meta({
      description:
        'Seconds that disco#info waits for what components have to say of their namespaces; then it goes without.',
    }),
    waiting: z.int().positive().default(100).meta({
      description: 'Most delegated requests of an entity that wait for answers; more are refused.',
    }),
  }),
  stores: [waitingStore, gatheringStore],

  setup({ config, hooks, components, disco }) {
    const ports = { hearsay: new Hearsay(), disco }
    hooks.claim('request.answering', ({ request, takeOver }) => {
      const managers = components
        .list()
        .filter((of) => of.host === request.host.name && of.delegations !== undefined)
      if (managers.length === 0 || isFull(request.to)) return
      const { waiting, patience, discoveryPatience } = config(request.host)
      const isKnown = (node: string): boolean =>
        disco.describeNode(request.target, { ...request, node }) !== undefined
      const manager = managers.find((of) => isDelegated(request, of, isKnown))
      if (manager) {
        takeOver()
        return forwardRequest(request, manager.domain, { waiting, patience: patience * 1_000 })
      }
      const namespaces = nestedIn(request, managers)
      if (namespaces.length === 0) return
      takeOver()
      gather(ports, request, namespaces, { waiting, patience: discoveryPatience * 1_000 })
    })
    hooks.on('iq.answered', ({ scope, from, answer }) => {
      const key = answeredKey(components, scope, from, answer)
      if (key?.includes('~')) takeNested(ports, scope, key, { from, said: answer })
      else if (key) takeForwardedAnswer(scope, key, from, answer)
    })
    hooks.timer(waitingTimer, ({ scope, data }) => endWaiting(scope, data))
    hooks.timer(gatheringTimer, ({ scope, data }) => endGathering(ports, scope, data))
  },
})

/** §4.3 */
function isDelegated(
  request: IqRequest,
  manager: Component,
  isKnown: (node: string) => boolean,
): boolean {
  const { payload, stanza } = request
  const namespace = payload.getNS() ?? ''
  const has = (attribute: string): boolean => payload.attrs[attribute] !== undefined
  if (isOf(manager, request, namespace)) return false
  if (manager.delegations?.[namespace]?.every(has)) return true
  const special = specialNamespaces[namespace]
  if (!special || request.target !== 'account' || stanza.type !== 'get') return false
  if (!manager.delegations?.[special]?.every(has)) return false
  const { node } = payload.attrs
  if (node) return !isKnown(node)
  // XEP-0030 §8: as without delegation.
  if (special === anyItems) requirePresenceAccess(request.scope, request.from)
  return special === anyItems
}

const specialNamespaces: Readonly<Record<string, string>> = {
  [NS_DISCO_INFO]: anyInfo,
  [NS_DISCO_ITEMS]: anyItems,
}

/**
 * §4.3.1: what the managing entity asks itself is not sent back to it; nor what it asks in an account's name (XEP-0356 §6.3),
 * which is the only request that comes from an account and not from a resource of it. Another component that may ask the
 * same in the same name is taken for it.
 */
function isOf(manager: Component, { from, scope, stanza }: IqRequest, namespace: string): boolean {
  if (bare(from) === manager.domain) return true
  const inName = isBare(from) && localpart(from) !== undefined && scope.serves(domainpart(from))
  return inName && covers(manager.permissions?.iq[namespace], stanza.type)
}

/** §7.2: the namespaces that disco#info has to ask for, if it is that. */
function nestedIn(
  { payload, target, from, stanza }: IqRequest,
  managers: readonly Component[],
): readonly NestedNamespace[] {
  if (payload.getNS() !== NS_DISCO_INFO || payload.name !== 'query' || payload.attrs.node) return []
  if (stanza.type !== 'get' || (target !== 'account' && target !== 'domain')) return []
  return managers
    .filter(({ domain }) => domain !== bare(from))
    .flatMap(({ domain, delegations }) =>
      Object.keys(delegations ?? {})
        .filter((namespace) => namespace !== anyInfo && namespace !== anyItems)
        .map((namespace) => ({ component: domain, namespace })),
    )
}
