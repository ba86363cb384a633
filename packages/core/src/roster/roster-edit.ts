import type { Roster, RosterItem } from '@tactus/storage'
import { isNoRelation, looksEqual, noRelation, type Relation } from './subscription.ts'

/** What an account has that never touched its roster. */
export const emptyRoster: Roster = { version: 0, items: new Map(), removed: new Map() }

/** How many removals are remembered for clients that ask for changes only (RFC 6121 §2.6). */
export const removalsKept = 200

/**
 * True for an item that clients see. An item that exists only because of an unanswered request of the contact is
 * kept with version 0 and never shown (RFC 6121 §3.1.3).
 */
export function isListed(item: RosterItem): boolean {
  return item.version > 0
}

/** How the account and this contact stand to each other. */
export function relationTo(roster: Roster, contact: string): Relation {
  const item = roster.items.get(contact)
  if (!item) return noRelation
  const { subscription, ask, approved, pendingIn } = item
  return { subscription, ask, approved, pendingIn: pendingIn !== undefined }
}

/** A changed roster, and the item that interested resources are told of. */
export interface RosterEdit {
  readonly roster: Roster
  /** The item as it is now, when clients see a difference. */
  readonly changed: RosterItem | undefined
}

/** Adds an item or changes its name and groups (RFC 6121 §2.3, §2.4). */
export function describeItem(
  roster: Roster,
  item: {
    readonly jid: string
    readonly name: string | undefined
    readonly groups: readonly string[]
  },
  now: number,
): RosterEdit {
  const { jid, name, groups } = item
  const { name: _, ...known } = roster.items.get(jid) ?? blankItem(jid)
  return list(roster, { ...known, groups, ...(name !== undefined && { name }) }, now)
}

/**
 * Puts a new relation into the roster. `request` is the subscription request that waits, when one does.
 *
 * An item appears with the first thing that clients may know of the contact, and a mere request that is gone leaves
 * nothing behind.
 */
export function relate(
  roster: Roster,
  contact: string,
  change: {
    readonly relation: Relation
    readonly request: Uint8Array | undefined
    readonly now: number
  },
): RosterEdit {
  const { relation, now } = change
  const before = roster.items.get(contact)
  const pendingIn = relation.pendingIn ? (change.request ?? before?.pendingIn) : undefined
  const { subscription, ask, approved } = relation
  const item = { ...(before ?? blankItem(contact)), subscription, ask, approved, pendingIn }
  const differs = !looksEqual(relationTo(roster, contact), relation)
  if (differs) return list(roster, item, now)
  if (isNoRelation(relation) && !isListed(item)) return unchanged(without(roster, contact))
  if (pendingIn === before?.pendingIn) return unchanged(roster)
  return unchanged(withItem(roster, item))
}

/** Takes an item out (RFC 6121 §2.5) and remembers that it was there. */
export function removeItem(roster: Roster, contact: string, now: number): Roster {
  const version = nextVersion(roster, now)
  const removed = new Map(roster.removed).set(contact, version)
  if (removed.size > removalsKept)
    for (const [other, at] of removed) if (at === oldestRemoval(roster)) removed.delete(other)
  return { ...without(roster, contact), version, removed }
}

/** Items that clients see. */
export function listedItems(roster: Roster): readonly RosterItem[] {
  return [...roster.items.values()].filter(isListed)
}

/** Contacts whose request the account has not answered. */
export function waitingRequests(roster: Roster): readonly RosterItem[] {
  return [...roster.items.values()].filter(({ pendingIn }) => pendingIn !== undefined)
}

/** One thing that happened to the roster after a version that a client has. */
export type RosterChange =
  | { readonly version: number; readonly item: RosterItem }
  | { readonly version: number; readonly removed: string }

/**
 * What happened after `since`, oldest first (RFC 6121 §2.6.3); undefined when it is not known exactly, or when the
 * whole roster is shorter: then the client gets all of it.
 *
 * Versions are the time of the change (or one more than the last), so that a version which an earlier account of the
 * same name gave out is older than everything here: `createdAt` is when this account began.
 */
export function changesSince(
  roster: Roster,
  since: number,
  createdAt: number,
): readonly RosterChange[] | undefined {
  if (since > roster.version || since < createdAt) return undefined
  if (roster.removed.size >= removalsKept && since < oldestRemoval(roster)) return undefined
  const items = listedItems(roster)
  const changes: RosterChange[] = items
    .filter(({ version }) => version > since)
    .map((item) => ({ version: item.version, item }))
  for (const [removed, version] of roster.removed)
    if (version > since) changes.push({ version, removed })
  if (changes.length > Math.max(items.length, 1)) return undefined
  return changes.sort((one, other) => one.version - other.version)
}

function list(roster: Roster, item: RosterItem, now: number): RosterEdit {
  const version = nextVersion(roster, now)
  const changed = { ...item, version }
  const removed = new Map(roster.removed)
  removed.delete(item.jid)
  return { roster: { ...withItem(roster, changed), version, removed }, changed }
}

function oldestRemoval(roster: Roster): number {
  return Math.min(...roster.removed.values())
}

function unchanged(roster: Roster): RosterEdit {
  return { roster, changed: undefined }
}

function nextVersion(roster: Roster, now: number): number {
  return Math.max(roster.version + 1, now)
}

function withItem(roster: Roster, item: RosterItem): Roster {
  return { ...roster, items: new Map(roster.items).set(item.jid, item) }
}

function without(roster: Roster, contact: string): Roster {
  if (!roster.items.has(contact)) return roster
  const items = new Map(roster.items)
  items.delete(contact)
  return { ...roster, items }
}

function blankItem(jid: string): RosterItem {
  return {
    jid,
    groups: [],
    subscription: 'none',
    ask: false,
    approved: false,
    pendingIn: undefined,
    version: 0,
  }
}
