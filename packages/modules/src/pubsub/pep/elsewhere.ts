import {
  isFrom,
  isTo,
  type LiveStore,
  liveStore,
  maySeePresence,
  relationTo,
  rosterOf,
  type Scope,
} from '@tactus/core'
import { bare, domainpart, isFull, type Jid, parseJid } from '@tactus/jid'
import { iqRequest, NS_CLIENT, NS_DISCO_INFO } from '@tactus/stanza'
import { type Stanza, xml } from '@tactus/xml'
import { type Announced, announcedIn, announcementOf } from './announcement.ts'
import type { Interests } from './interests.ts'
import { agoIn, interestsIn } from './wire.ts'

/** What is known of a resource on another server; accounts served here look after their own. */
export interface Visitor {
  readonly announced: Announced
  /** Id of the question that is not answered yet. */
  readonly asked?: string
  /** How many seconds ago it had been there before, as it says itself (XEP-0312 §2). */
  readonly ago?: number | undefined
  /** Nodes that it wants notifications of. */
  readonly nodes: readonly string[]
}

/**
 * Resources of contacts on other servers that are there and say what they can do, by their full JID. What came with their
 * presence is lost with Redis, and comes again when one of the account's resources asks for presence (RFC 6121 §4.3).
 */
export const visitorStore: LiveStore<Visitor> = liveStore('pubsub-visitors')

/** Somebody who has to be told what there is. */
export interface Arrived {
  readonly jid: Jid
  readonly names: readonly string[]
  readonly ago: number | undefined
}

interface Terms {
  readonly interests: Interests
  /** Most that are remembered. */
  readonly most: number
}

/**
 * Presence of somebody on another server (XEP-0163 §4.3.2). Answers whom that has brought, if their wishes are known: a
 * resource that was there already and wants the same has not come.
 */
export function visited(
  scope: Scope,
  { from, presence }: { readonly from: Jid; readonly presence: Stanza },
  { interests, most }: Terms,
): Arrived | undefined {
  if (scope.serves(domainpart(from)) || scope.host.anonymous) return undefined
  const { type } = presence
  const isSubscription = type !== undefined && type !== 'unavailable' && type !== 'error'
  if (isSubscription) return undefined
  const announced = type === undefined ? announcedIn(presence) : undefined
  if (announced && isFull(from) && isContact(scope, from))
    return announcing(scope, { jid: from, announced, ago: agoIn(presence) }, { interests, most })
  forget(scope, from)
  return undefined
}

function announcing(
  scope: Scope,
  { jid, announced, ago }: Pick<Visitor, 'announced' | 'ago'> & { readonly jid: Jid },
  { interests, most }: Terms,
): Arrived | undefined {
  const before = scope.get(visitorStore, jid)
  const { key } = announcementOf(announced)
  const isSame = before !== undefined && announcementOf(before.announced).key === key
  if (isSame && before.asked === undefined) return undefined
  if (!before) makeRoom(scope, most)
  const known = interests.recall(key)
  if (!known) {
    ask(scope, jid, { announced, ago })
    return undefined
  }
  scope.set(visitorStore, jid, { announced, nodes: known })
  return arrived(scope, jid, { names: known, ago })
}

/** An answer of such a resource. SECURITY: to what it was asked, and nothing of a hash that is not its own. */
export function visitorAnswered(
  scope: Scope,
  { from, answer }: { readonly from: Jid; readonly answer: Stanza },
  interests: Interests,
): Arrived | undefined {
  const visitor = isFull(from) ? scope.get(visitorStore, from) : undefined
  if (visitor?.asked === undefined || visitor.asked !== answer.id) return undefined
  const { announced, ago } = visitor
  const { key, verify } = announcementOf(announced)
  const query = answer.type === 'result' ? answer.child('query', NS_DISCO_INFO) : undefined
  const verdict = query ? verify(query) : 'forged'
  const names = query && verdict !== 'forged' ? interestsIn(query) : []
  if (verdict === 'verified') interests.remember(key, names)
  scope.set(visitorStore, from, { announced, nodes: names })
  return arrived(scope, from, { names, ago })
}

/** Those that want to hear of a node, of contacts for whom `mayHear` holds. */
export function visitorsFor(
  scope: Scope,
  node: string,
  mayHear: (contact: Jid) => boolean,
): readonly Jid[] {
  return [...scope.all(visitorStore)]
    .filter(([, { nodes }]) => nodes.includes(node))
    .map(([jid]) => parseJid(jid))
    .filter((jid) => maySeePresence(scope, jid) && mayHear(jid))
}

/** A roster item changed. Answers who has to be told what there is: resources of a contact that was let in. */
export function visitorsLetIn(scope: Scope, contact: Jid, wasLetIn: boolean): readonly Arrived[] {
  if (scope.serves(domainpart(contact))) return []
  if (!isContact(scope, contact)) forget(scope, contact)
  if (wasLetIn || !maySeePresence(scope, contact)) return []
  return [...scope.all(visitorStore)]
    .filter(([jid, { nodes }]) => bare(parseJid(jid)) === contact && nodes.length > 0)
    .map(([jid, { nodes }]) => ({ jid: parseJid(jid), names: nodes, ago: undefined }))
}

/** Forgets a resource, or all of an account. */
function forget(scope: Scope, jid: Jid): void {
  for (const known of scope.all(visitorStore).keys())
    if (known === jid || bare(parseJid(known)) === jid) scope.set(visitorStore, known, undefined)
}

/** Forgets them all. */
export function forgetVisitors(scope: Scope): void {
  for (const known of scope.all(visitorStore).keys()) scope.set(visitorStore, known, undefined)
}

/** Whoever is let in later has been remembered. */
function isContact(scope: Scope, jid: Jid): boolean {
  const relation = relationTo(rosterOf(scope), bare(jid))
  return isFrom(relation) || isTo(relation)
}

function arrived(
  scope: Scope,
  jid: Jid,
  { names, ago }: Omit<Arrived, 'jid'>,
): Arrived | undefined {
  return maySeePresence(scope, jid) && names.length > 0 ? { jid, names, ago } : undefined
}

/** Those who went without a word must not keep others out. */
function makeRoom(scope: Scope, most: number): void {
  const known = [...scope.all(visitorStore).keys()]
  for (const jid of known.slice(0, Math.max(0, known.length - most + 1)))
    scope.set(visitorStore, jid, undefined)
}

/** XEP-0060 §9.2. As to many, so that nobody hears of it who is not to hear of the account. */
function ask(scope: Scope, to: Jid, { announced, ago }: Pick<Visitor, 'announced' | 'ago'>): void {
  const id = scope.makeId()
  scope.set(visitorStore, to, {
    announced,
    asked: id,
    nodes: [],
    ...(ago !== undefined && { ago }),
  })
  const query = xml('query', { xmlns: NS_DISCO_INFO, node: announcementOf(announced).node })
  const attrs = { xmlns: NS_CLIENT, type: 'get', id, from: scope.entity, to } as const
  scope.multicast([to], iqRequest(attrs, query), { durable: false })
}
