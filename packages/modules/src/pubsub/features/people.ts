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

/** Who need not be approved. */
const trusted: readonly string[] = ['owner', 'publisher', 'member']
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

/** §8.9.2: all that is asked for happens, or nothing. */
function changeAffiliations(request: PubsubRequest): IqAnswer {
  const node = ownNode(request)
  const wanted = request.action.getChildren('affiliation', NS_PUBSUB_OWNER).map(({ attrs }) => ({
    jid: bare(requireJid(attrs.jid)),
    affiliation: attrs.affiliation ?? '',
  }))
  const isTwice = new Set(wanted.map(({ jid }) => jid)).size < wanted.length
  if (isTwice || wanted.some(({ affiliation }) => !given.includes(affiliation)))
    throw new StanzaError('bad-request')
  const before = peopleOf(node)
  const changed = new Map(before.affiliations)
  for (const { jid, affiliation } of wanted) {
    // An owner remains; the account is the owner of its nodes.
    if (jid === node.service.owner) throw unchangedAffiliations(node, wanted)
    if (affiliation === 'none') changed.delete(jid)
    else changed.set(jid, affiliation as Affiliation)
  }
  if (changed.size > node.service.limits.affiliations) throw new StanzaError('policy-violation')
  if (node.service.owner === undefined && ![...changed.values()].includes('owner'))
    throw unchangedAffiliations(node, wanted)
  savePeople(node, { ...before, affiliations: changed })
  settleAffected(node, new Set(wanted.map(({ jid }) => jid)))
  return undefined
}

/** §8.7.4: who is let in, or shut out, need not wait for approval any more. */
function settleAffected(node: Node, persons: ReadonlySet<string>): void {
  for (const subscription of peopleOf(node).subscriptions.values()) {
    const jid = subscription.jid as Jid
    if (!persons.has(bare(jid))) continue
    const affiliation = affiliationOf(node, jid)
    if (affiliation === 'outcast') settleSubscription(node, subscription, false)
    else if (subscription.state === 'pending' && trusted.includes(affiliation))
      settleSubscription(node, subscription, true)
  }
}

/** §8.9.2.4: an error names what remains as it was, which is everything. */
function unchangedAffiliations(node: Node, wanted: readonly { readonly jid: Jid }[]): StanzaError {
  const list = wanted.map(({ jid }) =>
    xml('affiliation', { jid, affiliation: affiliationOf(node, jid) }),
  )
  const echo = ownerElement(xml('affiliations', { node: node.name }, list))
  return new StanzaError('not-acceptable', undefined, { echo })
}

/** §8.8.1 */
function subscriptions(request: PubsubRequest): IqAnswer {
  const node = ownNode(request)
  const list = [...peopleOf(node).subscriptions.values()].map(({ jid, subid, state }) =>
    xml('subscription', { jid, subid, subscription: state }),
  )
  return ownerElement(xml('subscriptions', { node: node.name }, list))
}

/** §8.8.2; who was waiting for approval gets it, or not, by this (§8.6). All that is asked for happens, or nothing. */
function changeSubscriptions(request: PubsubRequest): IqAnswer {
  const node = ownNode(request)
  const wanted = request.action
    .getChildren('subscription', NS_PUBSUB_OWNER)
    .map(({ attrs }) => ({ ...attrs, jid: requireJid(attrs.jid) }) satisfies Wanted)
  // §8.8.2.4: an error names what remains as it was.
  if (!wanted.every((each) => isPossible(node, each))) throw unchangedSubscriptions(node, wanted)
  for (const each of wanted) changeSubscription(node, each)
  return undefined
}

interface Wanted {
  readonly jid: Jid
  readonly subid?: string
  readonly subscription?: string
}

function isPossible(node: Node, { jid, subid, subscription }: Wanted): boolean {
  const isKnown = subscriptionsFor(node, jid).some((each) => each.subid === subid)
  const isState = subscription === 'none' || subscription === 'subscribed'
  return isState && (subid === undefined || isKnown)
}

function unchangedSubscriptions(node: Node, wanted: readonly Wanted[]): StanzaError {
  const list = wanted.flatMap(({ jid }) => {
    const known = subscriptionsFor(node, jid)
    const states = known.map(({ subid, state }) => ({ jid, subid, subscription: state }))
    return states.length > 0 ? states : [{ jid, subscription: 'none' }]
  })
  const elements = list.map((attrs) => xml('subscription', attrs))
  const echo = ownerElement(xml('subscriptions', { node: node.name }, elements))
  return new StanzaError('not-acceptable', undefined, { echo })
}

function changeSubscription(node: Node, { jid, subid, subscription: state }: Wanted): void {
  const all = subscriptionsFor(node, jid)
  const known = all.filter((each) => subid === undefined || each.subid === subid)
  if (state === 'none') {
    for (const each of known) settleSubscription(node, each, false)
    return
  }
  if (known.some((each) => each.state === 'subscribed')) return
  const [waiting] = known
  const made = waiting ?? { options: {}, jid, subid: node.service.scope.makeId() }
  const subscription: Subscription = { ...made, state: 'subscribed' }
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
