import { bare, type Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { baseOf, isDerived, isServers } from './attachments/names.ts'
import { accessModel, publishModel, rosterGroups, settingOf } from './fields.ts'
import { findNode, kindOf, type Node, peopleOf, type Service } from './service.ts'
import type { Affiliation, Subscription } from './store.ts'
import { pubsubError } from './wire.ts'

/** XEP-0470 §4.3: what is attached to items is for those whom their node is for. */
function ruling(node: Node): Node {
  const base = baseOf(node.name)
  return (base !== undefined && findNode(node.service, base)) || node
}

/** How somebody stands to a node (XEP-0060 §4.1). */
export function affiliationOf(asked: Node, jid: Jid): Affiliation | 'none' {
  const node = ruling(asked)
  const person = bare(jid)
  if (person === node.service.owner || node.service.administers(person)) return 'owner'
  return peopleOf(node).affiliations.get(person) ?? 'none'
}

/** A subscription of an address, or else of its bare JID; one that is approved before all others. */
export function subscriptionOf(node: Node, jid: Jid): Subscription | undefined {
  const all = [...peopleOf(node).subscriptions.values()]
  const best = (address: Jid): Subscription | undefined => {
    const own = all.filter((each) => each.jid === address)
    return own.find(({ state }) => state === 'subscribed') ?? own[0]
  }
  return best(jid) ?? best(bare(jid))
}

/** All subscriptions of exactly this address. */
export function subscriptionsFor(node: Node, jid: Jid): readonly Subscription[] {
  return [...peopleOf(node).subscriptions.values()].filter((each) => each.jid === jid)
}

/**
 * Refuses who may neither subscribe to the node nor have its items (XEP-0060 §6.1.3, §6.5.9).
 *
 * SECURITY: of an account, a stranger hears the same of every node that is not open, and of those that do not exist:
 * what is there is nobody’s business who does not share the owner's presence.
 * @throws {StanzaError} in the words of the examples there
 */
export function requireAccess(asked: Node, jid: Jid): void {
  const node = ruling(asked)
  const affiliation = affiliationOf(node, jid)
  if (affiliation === 'owner' || affiliation === 'publisher' || affiliation === 'member') return
  if (affiliation === 'outcast' || affiliation === 'publish-only')
    throw new StanzaError('forbidden')
  const model = settingOf(node.config, accessModel)
  if (model === 'open') return
  if (isStranger(node.service, jid)) throw presenceRequired()
  requireModel(node, jid, model)
}

/** Whether somebody may subscribe to the node and have its items. */
export function mayAccess(node: Node, jid: Jid): boolean {
  try {
    requireAccess(node, jid)
    return true
  } catch (error) {
    if (error instanceof StanzaError) return false
    throw error
  }
}

function requireModel(node: Node, jid: Jid, model: string): void {
  const { service, config } = node
  switch (model) {
    case 'presence':
      if (!service.sharesPresence(jid)) throw presenceRequired()
      return
    case 'roster': {
      const allowed = settingOf(config, rosterGroups)
      if (!service.sharesPresence(jid)) throw presenceRequired()
      if (!service.groupsOf(jid).some((group) => allowed.includes(group)))
        throw pubsubError('not-authorized', 'not-in-roster-group')
      return
    }
    case 'authorize':
      if (subscriptionOf(node, jid)?.state !== 'subscribed')
        throw pubsubError('not-authorized', 'not-subscribed')
      return
    default:
      throw pubsubError('not-allowed', 'closed-node')
  }
}

/** The node that is asked for, as far as this one may know of it. @throws {StanzaError} `item-not-found` */
export function requireExisting(service: Service, node: Node | undefined, jid: Jid): Node {
  if (node) return node
  throw isStranger(service, jid) ? presenceRequired() : new StanzaError('item-not-found')
}

/**
 * Refuses strangers what would tell them that there is an account.
 *
 * @throws {StanzaError} what one that does not exist says, too
 */
export function requireKnown(service: Service, jid: Jid): void {
  if (isStranger(service, jid)) throw presenceRequired()
}

/** The same of a node: who may have its items, or was put on its list, may know that it is there. */
export function requireVisible(node: Node, jid: Jid): void {
  const isListed = affiliationOf(node, jid) !== 'none'
  if (isStranger(node.service, jid) && !isListed && !mayAccess(node, jid)) throw presenceRequired()
}

/** Refuses who may not publish (XEP-0060 §7.1.3.1). @throws {StanzaError} `forbidden` */
export function requirePublisher(node: Node, jid: Jid): void {
  if (isDerived(node.name)) {
    if (isServers(node.name)) throw refusal(node, jid)
    return requireAttacher(ruling(node), jid)
  }
  const affiliation = affiliationOf(node, jid)
  if (affiliation === 'owner' || affiliation === 'publisher' || affiliation === 'publish-only')
    return
  const model = settingOf(node.config, publishModel)
  if (affiliation !== 'outcast') {
    if (model === 'open' && mayAccess(node, jid)) return
    if (model === 'subscribers' && subscriptionOf(node, jid)?.state === 'subscribed') return
  }
  throw refusal(node, jid)
}

/**
 * Refuses who may not attach anything to the items of a node.
 *
 * Where only publishers publish, whoever may read may say that it was noticed: that is what it is for (XEP-0470 §4.1).
 */
export function requireAttacher(base: Node, jid: Jid): void {
  const affiliation = affiliationOf(base, jid)
  const model = settingOf(base.config, publishModel)
  const isSubscribed = subscriptionOf(base, jid)?.state === 'subscribed'
  const mayWrite = affiliation === 'owner' || affiliation === 'publisher' || model !== 'subscribers'
  if (!mayAccess(base, jid) || !(mayWrite || isSubscribed)) throw refusal(base, jid)
}

/**
 * Refuses everybody what only the server does (XEP-0465 §5), whether there is such a node or not.
 *
 * @throws {StanzaError} `forbidden`
 */
export function requireUnmanaged(service: Service, name: string): void {
  if (kindOf(service, name, {})?.managed) throw new StanzaError('forbidden')
}

/** Refuses who is not an owner of the node (XEP-0060 §8). @throws {StanzaError} `forbidden` */
export function requireOwner(node: Node, jid: Jid): void {
  if (affiliationOf(node, jid) !== 'owner') throw refusal(node, jid)
}

/** What a stranger of an account hears of all that it does not show (XEP-0060 §6.1.3.2). */
function presenceRequired(): StanzaError {
  return pubsubError('not-authorized', 'presence-subscription-required')
}

function refusal(node: Node, jid: Jid): StanzaError {
  requireVisible(node, jid)
  return new StanzaError('forbidden')
}

/** Of a service, everybody knows that it is there. */
function isStranger(service: Service, jid: Jid): boolean {
  return service.owner !== undefined && !service.sharesPresence(jid)
}
