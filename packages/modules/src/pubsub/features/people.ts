import type { IqAnswer } from '@tactus/core'
import { bare, type Jid, tryParseJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import {
  affiliationOf,
  requireExisting,
  requireKnown,
  requireOwner,
  subscriptionsFor,
} from '../access.ts'
import { settleSubscription } from '../approval.ts'
import type { PubsubFeature } from '../feature.ts'
import { startList } from '../lists.ts'
import {
  findNode,
  type Node,
  nodesOf,
  type PubsubRequest,
  peopleOf,
  savePeople,
} from '../service.ts'
import type { Affiliation, Subscription } from '../store.ts'
import { NS_PUBSUB_OWNER, ownerElement, pubsubElement, requireNode } from '../wire.ts'
import { storeSubscription } from './subscribing.ts'

/** XEP-0060 §5.7, §8.8 and §8.9: who has to do with a node, as owners see and change it. */
export const people: PubsubFeature = {
  announces: [
    'retrieve-affiliations',
    'modify-affiliations',
    'manage-subscriptions',
    'member-affiliation',
    'outcast-affiliation',
    'publisher-affiliation',
    'publish-only-affiliation',
  ],
  actions: [
    { type: 'get', ns: 'pubsub', name: 'affiliations', handle: ownAffiliations },
    { type: 'get', ns: 'owner', name: 'affiliations', handle: affiliations },
    { type: 'set', ns: 'owner', name: 'affiliations', handle: changeAffiliations },
    { type: 'get', ns: 'owner', name: 'subscriptions', handle: subscriptions },
    { type: 'set', ns: 'owner', name: 'subscriptions', handle: changeSubscriptions },
  ],
}

const given: readonly string[] = ['owner', 'publisher', 'publish-only', 'member', 'outcast', 'none']

/** §5.7: the affiliations of whoever asks. */
function ownAffiliations({ service, action, from, stanza, pubsub }: PubsubRequest): IqAnswer {
  const { node: name } = action.attrs
  const person = bare(from)
  if (!name && person !== service.owner)
    return startList(
      service,
      { kind: 'affiliations', person },
      { from, id: stanza.id, set: pubsub },
    )
  const nodes = name ? [requireExisting(service, findNode(service, name), from)] : nodesOf(service)
  const mine = nodes
    .map((node) => ({ node: node.name, affiliation: affiliationOf(node, from) }))
    .filter(({ affiliation }) => affiliation !== 'none')
    .map((attrs) => xml('affiliation', attrs))
  if (mine.length === 0) requireKnown(service, from)
  return pubsubElement(xml('affiliations', { node: name }, mine))
}

/** §8.9.1 */
function affiliations(request: PubsubRequest): IqAnswer {
  const node = ownNode(request)
  const { owner } = node.service
  const all = new Map<string, string>(peopleOf(node).affiliations)
  if (owner !== undefined) all.set(owner, 'owner')
  const list = [...all].map(([jid, affiliation]) => xml('affiliation', { jid, affiliation }))
  return ownerElement(xml('affiliations', { node: node.name }, list))
}

/** §8.9.2 */
function changeAffiliations(request: PubsubRequest): IqAnswer {
  const node = ownNode(request)
  const before = peopleOf(node)
  const changed = new Map(before.affiliations)
  for (const { attrs } of request.action.getChildren('affiliation', NS_PUBSUB_OWNER)) {
    const jid = bare(requireJid(attrs.jid))
    if (!given.includes(attrs.affiliation ?? '')) throw new StanzaError('bad-request')
    // §8.9.2.4: an owner remains; the account is the owner of its nodes.
    if (jid === node.service.owner) throw new StanzaError('not-acceptable')
    if (attrs.affiliation === 'none') changed.delete(jid)
    else changed.set(jid, attrs.affiliation as Affiliation)
  }
  if (changed.size > node.service.limits.affiliations) throw new StanzaError('policy-violation')
  if (node.service.owner === undefined && ![...changed.values()].includes('owner'))
    throw new StanzaError('not-acceptable')
  const subscribed = [...before.subscriptions].filter(
    ([, { jid }]) => changed.get(bare(jid as Jid)) !== 'outcast',
  )
  savePeople(node, { affiliations: changed, subscriptions: new Map(subscribed) })
  return undefined
}

/** §8.8.1 */
function subscriptions(request: PubsubRequest): IqAnswer {
  const node = ownNode(request)
  const list = [...peopleOf(node).subscriptions.values()].map(({ jid, subid, state }) =>
    xml('subscription', { jid, subid, subscription: state }),
  )
  return ownerElement(xml('subscriptions', { node: node.name }, list))
}

/** §8.8.2; who was waiting for approval gets it, or not, by this (§8.6). */
function changeSubscriptions(request: PubsubRequest): IqAnswer {
  const node = ownNode(request)
  for (const { attrs } of request.action.getChildren('subscription', NS_PUBSUB_OWNER))
    changeSubscription(node, requireJid(attrs.jid), attrs.subscription)
  return undefined
}

function changeSubscription(node: Node, jid: Jid, state: string | undefined): void {
  const known = subscriptionsFor(node, jid)
  if (state === 'none') {
    for (const each of known) settleSubscription(node, each, false)
    return
  }
  if (state !== 'subscribed') throw new StanzaError('bad-request')
  if (known.some((each) => each.state === 'subscribed')) return
  const [waiting] = known
  const subid = waiting?.subid ?? node.service.scope.makeId()
  const subscription: Subscription = { options: {}, ...waiting, jid, subid, state }
  storeSubscription(node, subscription)
  settleSubscription(node, subscription, true)
}

function requireJid(text: string | undefined): Jid {
  const jid = text === undefined ? undefined : tryParseJid(text)
  if (!jid) throw new StanzaError('jid-malformed')
  return jid
}

function ownNode({ service, action, from }: PubsubRequest): Node {
  const node = requireExisting(service, findNode(service, requireNode(action)), from)
  requireOwner(node, from)
  return node
}
