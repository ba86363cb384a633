import {
  isFrom,
  isTo,
  listedItems,
  maySeePresence,
  type PubsubPort,
  relationTo,
  rosterOf,
  type Scope,
} from '@tactus/core'
import { bare, domainpart, type Jid } from '@tactus/jid'
import { NS_CLIENT, StanzaError } from '@tactus/stanza'
import { clone, type XmlElement, xml } from '@tactus/xml'
import { mayAccess, requireKnown } from '../access.ts'
import { sendItems } from '../fetch.ts'
import { deliverNotifications, sendLast, settingOf } from '../fields.ts'
import { followPublicly } from '../followers/followers.ts'
import { findNode, itemsOf, type Limits, type Node, type Service } from '../service.ts'
import { NS_ADDRESSES, NS_PUBSUB_EVENT, pubsubError } from '../wire.ts'
import { visitorsFor } from './elsewhere.ts'
import type { Interests } from './interests.ts'
import { isPrivate } from './private-events.ts'
import { arrival, relay } from './wire.ts'

/** An account as a pubsub service of its own (XEP-0163 §2.1). */
export function accountService(
  scope: Scope,
  {
    limits,
    port,
    interests,
  }: { readonly limits: Limits; readonly port: PubsubPort; readonly interests: Interests },
): Service {
  return {
    scope,
    limits,
    port,
    address: scope.entity,
    owner: scope.entity,
    autoCreate: true,
    defaults: {},
    administers: () => false,
    requireCreator(jid) {
      if (bare(jid) === scope.entity) return
      requireKnown(this, jid)
      throw new StanzaError('forbidden')
    },
    requireRoom(_, nodes) {
      if (nodes >= limits.nodes) throw pubsubError('policy-violation', 'max-nodes-exceeded')
    },
    sharesPresence: (jid) => maySeePresence(scope, jid),
    groupsOf: (jid) => rosterOf(scope).items.get(bare(jid))?.groups ?? [],
    announce: (node, message, told) => announce(node, message, { interests, told }),
    peopleChanged: followPublicly,
  }
}

/**
 * XEP-0163 §4.3.2: to the account's own resources that want to know, to contacts here that may see the presence, one frame
 * each, as their own accounts know the rest; and to resources on other servers.
 */
function announce(
  node: Node,
  message: XmlElement,
  { interests, told }: { readonly interests: Interests; readonly told: ReadonlySet<Jid> },
): void {
  const { scope } = node.service
  if (!told.has(scope.entity)) deliverToInterested(scope, { node: node.name, message, interests })
  const visitors = visitorsFor(
    scope,
    node.name,
    (jid) => !told.has(jid) && !told.has(bare(jid)) && mayAccess(node, jid),
  )
  scope.multicast(visitors, clone(message), { durable: false })
  const contacts = listedItems(rosterOf(scope))
    .filter(({ jid }) => scope.serves(domainpart(jid as Jid)))
    .filter((item) => isFrom(item) && mayAccess(node, item.jid as Jid))
    .map(({ jid }) => jid as Jid)
    .filter((jid) => !told.has(jid))
  if (contacts.length === 0) return
  const id = scope.makeId()
  scope.multicast(contacts, relay(clone(message), { from: scope.entity, id }), { durable: false })
}

interface Delivery {
  readonly node: string
  readonly message: XmlElement
  readonly interests: Interests
}

function deliverToInterested(scope: Scope, { node, message, interests }: Delivery): void {
  for (const session of scope.sessions()) {
    if (!interests.wants(scope, session, node)) continue
    const copy = clone(message)
    copy.attrs.to = session.jid
    scope.deliver(session, copy)
  }
}

/**
 * A notification of a contact.
 *
 * SECURITY: it is the contact’s, whatever stands in it, and nobody is heard whose presence the account does not follow.
 */
export function receiveRelayed(
  scope: Scope,
  from: Jid,
  content: XmlElement,
  { interests, port }: { readonly interests: Interests; readonly port: PubsubPort },
): void {
  const message = content.getChild('message', NS_CLIENT)
  const event = message?.getChild('event', NS_PUBSUB_EVENT)
  const node = event?.getChildElements()[0]?.attrs.node
  if (!message || !event || node === undefined || isPrivate(node, port)) return
  const isWanted = scope.sessions().some((session) => interests.wants(scope, session, node))
  // The roster knows accounts only: nothing comes from a resource.
  if (!isWanted || !isTo(relationTo(rosterOf(scope), from))) return
  // Nothing else comes by this way: what is in messages is looked at elsewhere.
  const author = message.getChild('addresses', NS_ADDRESSES)
  const attrs = { xmlns: NS_CLIENT, type: typeOf(message), id: message.attrs.id, from }
  const genuine = xml('message', attrs, clone(event), author && clone(author))
  deliverToInterested(scope, { node, message: genuine, interests })
}

function typeOf(message: XmlElement): string | undefined {
  return message.attrs.type === 'headline' ? 'headline' : undefined
}

/**
 * Sends somebody who has come the last items of those nodes that it may have (XEP-0163 §4.3.4), or all that came to them
 * since it was gone, where it says since when that was (XEP-0312 §2), as many as go into one answer.
 */
export function sendLastItems(
  service: Service,
  to: Jid,
  { names, ago }: { readonly names: readonly string[]; readonly ago: number | undefined },
): void {
  const { scope, limits } = service
  const since = ago === undefined ? undefined : scope.now - ago * 1_000
  const items = names.flatMap((name) => {
    const node = findNode(service, name)
    if (!node || !sendsOnPresence(node) || !mayAccess(node, to)) return []
    const entries = itemsOf(node)
    const missed = since === undefined ? entries.slice(-1) : entries.filter(({ at }) => at > since)
    return missed.slice(-limits.pageItems).map((entry) => ({ node, entry }))
  })
  sendItems(service, to, items.slice(-limits.pageItems))
}

function sendsOnPresence({ config }: Node): boolean {
  return (
    settingOf(config, sendLast) === 'on_sub_and_presence' && settingOf(config, deliverNotifications)
  )
}

/** Asks contacts here, or one of them, for what a resource that has come wants to know. */
export function askContacts(
  scope: Scope,
  {
    jid,
    names,
    ago,
    contact,
  }: {
    readonly jid: Jid
    readonly names: readonly string[]
    readonly ago?: number | undefined
    readonly contact?: Jid
  },
): void {
  const contacts = contact
    ? [contact]
    : listedItems(rosterOf(scope))
        .filter(isTo)
        .map((item) => item.jid as Jid)
  const here = contacts.filter((jid) => scope.serves(domainpart(jid)))
  if (here.length === 0 || names.length === 0) return
  const id = scope.makeId()
  scope.multicast(here, arrival(names, { from: jid, id, ago }), { durable: false })
}
