import { bare, domainpart, type Jid } from '@tactus/jid'
import { presenceType } from '@tactus/stanza'
import type { RosterItem } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import type { Kind, Rule } from './wire.ts'

/** Somebody whom a rule may be about. */
export interface Other {
  readonly jid: Jid
  /** Undefined for those that are not in the roster. */
  readonly item: RosterItem | undefined
}

/** What the rules are to decide: undefined stands for a kind that no rule can be limited to. */
export type Subject = Kind | undefined

/** What a stanza to the account is (XEP-0016 §2.1). */
export function inboundSubject(stanza: Stanza): Subject {
  if (stanza.name === 'presence') return isNotification(stanza) ? 'presence-in' : undefined
  return stanza.name === 'message' ? 'message' : 'iq'
}

/** What a stanza of the account is: only presence can be meant by a rule with a kind. */
export function outboundSubject(stanza: Stanza): Subject {
  return stanza.name === 'presence' && isNotification(stanza) ? 'presence-out' : undefined
}

/** §2.1: presence notifications do not include subscriptions, nor probes. */
function isNotification(presence: Stanza): boolean {
  const type = presenceType(presence)
  return type === 'available' || type === 'unavailable'
}

/** §2.2: the first rule that matches decides; where none does, it is allowed. `rules` are in their order. */
export function isAllowed(rules: readonly Rule[], other: Other, subject: Subject): boolean {
  const first = rules.find((rule) => covers(rule, subject) && isAbout(rule, other))
  return first?.allow ?? true
}

function covers({ kinds }: Rule, subject: Subject): boolean {
  return kinds.length === 0 || (subject !== undefined && kinds.includes(subject))
}

function isAbout({ type, value }: Rule, { jid, item }: Other): boolean {
  switch (type) {
    case 'jid':
      return value === jid || value === bare(jid) || value === domainpart(jid)
    case 'group':
      return item?.groups.includes(value) === true
    case 'subscription':
      return (item?.subscription ?? 'none') === value
    default:
      return true
  }
}
