import type { SubscriptionType } from '@tactus/stanza'

/** RFC 6121 §2.1.2.5. */
export type Subscription = 'none' | 'to' | 'from' | 'both'

/**
 * How an account and a contact stand to each other, seen from the account (RFC 6121 §3, Appendix A).
 *
 * The nine states of Appendix A are `subscription` with `ask` ("Pending Out") and `pendingIn` ("Pending In").
 */
export interface Relation {
  readonly subscription: Subscription
  /** The account asked and has no answer yet. */
  readonly ask: boolean
  /** The contact asked and has no answer yet. */
  readonly pendingIn: boolean
  /** The contact will be let in when it asks (§3.4). */
  readonly approved: boolean
}

/** No relation at all: what a contact that is not in the roster has. */
export const noRelation: Relation = {
  subscription: 'none',
  ask: false,
  pendingIn: false,
  approved: false,
}

/** What becomes of a subscription stanza that the account sends. */
export interface OutboundOutcome {
  readonly relation: Relation
  /** It goes on to the contact. */
  readonly route: boolean
}

/** What becomes of a subscription stanza that the contact sent. */
export interface InboundOutcome {
  readonly relation: Relation
  /** The account's resources see it. */
  readonly deliver: boolean
  /** The server answers in the account's name, because the account decided before. */
  readonly autoReply: 'subscribed' | undefined
}

/** The account sees the contact's presence. */
export const isTo = ({ subscription }: { readonly subscription: Subscription }): boolean =>
  subscription === 'to' || subscription === 'both'

/** The contact sees the account's presence. */
export const isFrom = ({ subscription }: { readonly subscription: Subscription }): boolean =>
  subscription === 'from' || subscription === 'both'

/** Appendix A.2: the rules for outbound subscription stanzas, and §3.4 for approval in advance. */
export function outbound(relation: Relation, type: SubscriptionType): OutboundOutcome {
  switch (type) {
    case 'subscribe':
      return { route: true, relation: isTo(relation) ? relation : { ...relation, ask: true } }
    case 'unsubscribe':
      return { route: true, relation: { ...withTo(relation, false), ask: false } }
    case 'subscribed':
      return allow(relation)
    case 'unsubscribed':
      return {
        route: isFrom(relation) || relation.pendingIn,
        relation: { ...withFrom(relation, false), pendingIn: false, approved: false },
      }
  }
}

/** Appendix A.3: the rules for inbound subscription stanzas. */
export function inbound(relation: Relation, type: SubscriptionType): InboundOutcome {
  switch (type) {
    case 'subscribe':
      return asked(relation)
    case 'unsubscribe':
      return silently({
        deliver: isFrom(relation) || relation.pendingIn,
        relation: { ...withFrom(relation, false), pendingIn: false },
      })
    case 'subscribed':
      if (!relation.ask) return silently({ deliver: false, relation })
      return silently({ deliver: true, relation: { ...withTo(relation, true), ask: false } })
    case 'unsubscribed':
      return silently({
        deliver: isTo(relation) || relation.ask,
        relation: { ...withTo(relation, false), ask: false },
      })
  }
}

/** True when nothing is to be remembered of a contact that is not a roster item in its own right. */
export function isNoRelation(relation: Relation): boolean {
  const { subscription, ask, pendingIn, approved } = relation
  return subscription === 'none' && !ask && !pendingIn && !approved
}

/** True when two relations are the same for a client: pending in is not part of a roster item (§3.1.3). */
export function looksEqual(one: Relation, other: Relation): boolean {
  return (
    one.subscription === other.subscription &&
    one.ask === other.ask &&
    one.approved === other.approved
  )
}

function allow(relation: Relation): OutboundOutcome {
  if (relation.pendingIn)
    return {
      route: true,
      relation: { ...withFrom(relation, true), pendingIn: false, approved: false },
    }
  // §3.4.2: nobody asked, so it counts as said in advance; the contact does not learn of it.
  if (!isFrom(relation)) return { route: false, relation: { ...relation, approved: true } }
  return { route: false, relation }
}

function asked(relation: Relation): InboundOutcome {
  // A.3.1, note 2: the contact's server has forgotten that it was let in.
  if (isFrom(relation)) return { relation, deliver: false, autoReply: 'subscribed' }
  if (relation.approved)
    return {
      relation: { ...withFrom(relation, true), pendingIn: false, approved: false },
      deliver: false,
      autoReply: 'subscribed',
    }
  return {
    relation: { ...relation, pendingIn: true },
    deliver: !relation.pendingIn,
    autoReply: undefined,
  }
}

function silently(outcome: Omit<InboundOutcome, 'autoReply'>): InboundOutcome {
  return { ...outcome, autoReply: undefined }
}

function withTo(relation: Relation, to: boolean): Relation {
  return { ...relation, subscription: subscriptionOf(to, isFrom(relation)) }
}

function withFrom(relation: Relation, from: boolean): Relation {
  return { ...relation, subscription: subscriptionOf(isTo(relation), from) }
}

function subscriptionOf(to: boolean, from: boolean): Subscription {
  if (to) return from ? 'both' : 'to'
  return from ? 'from' : 'none'
}
