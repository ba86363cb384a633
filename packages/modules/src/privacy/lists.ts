import { rosterOf, type Scope, type Session } from '@tactus/core'
import { bare, type Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { blockListStore } from '@tactus/storage'
import { isAllowed } from './rules.ts'
import { encodeLists, noLists, type PrivacyLists, privacyStore } from './store.ts'
import type { Rule } from './wire.ts'

/** Bounds of an account's lists. */
export interface ListLimits {
  readonly lists: number
  readonly bytes: number
}

const nobody: ReadonlySet<string> = new Set()
const none: readonly Rule[] = []
// XEP-0191 §5: the default list of an account whose clients only ever used the blocking command.
const virtualName = 'blocked'

/** The name of the default list, the virtual one included. */
export function defaultName(scope: Scope): string | undefined {
  const isThere = listsOf(scope).byDefault !== undefined || blockedBy(scope).size > 0
  return isThere ? blockListName(scope) : undefined
}

/** The name of the list that has, or will have, what the account blocks. */
export function blockListName(scope: Scope): string {
  const { byDefault, lists } = listsOf(scope)
  // One of that name that is not the default would be hidden.
  return byDefault ?? (lists.has(virtualName) ? `${virtualName} (default)` : virtualName)
}

/** The names of all lists. */
export function listNames(scope: Scope): readonly string[] {
  const byDefault = defaultName(scope)
  return [
    ...new Set([...listsOf(scope).lists.keys(), ...(byDefault === undefined ? [] : [byDefault])]),
  ]
}

/** The rules of a list as clients see them: the default list begins with the block list. */
export function rulesOf(scope: Scope, name: string): readonly Rule[] | undefined {
  const rules = listsOf(scope).lists.get(name)
  return name === defaultName(scope)
    ? [...blockRules(scope, rules), ...shifted(scope, rules)]
    : rules
}

/** What applies to a session, or to the account: a list without its block list, which is enforced as such. */
function rulesFor(scope: Scope, active: string | undefined): readonly Rule[] {
  return rulesIn(listsOf(scope), active)
}

/** True for an account for which no rule says anything. */
export function hasNoLists(scope: Scope): boolean {
  return listsOf(scope).lists.size === 0
}

/** Lets those rules decide over somebody; own resources and the own host are never shut out (§2.1). */
export function allows(
  scope: Scope,
  rules: readonly Rule[],
  jid: Jid,
  subject: Parameters<typeof isAllowed>[2],
): boolean {
  if (rules.length === 0) return true
  const account = bare(jid)
  if (account === scope.entity || account === scope.host.name) return true
  return isAllowed(rules, { jid, item: rosterOf(scope).items.get(account) }, subject)
}

/**
 * Lists with `name` as the default one, or with none (§2.5).
 *
 * The block list goes with the list that was the default, and comes from the one that is (XEP-0191 §5).
 */
export function withDefault(scope: Scope, name: string | undefined): ChangedLists {
  const before = defaultName(scope)
  const lists = new Map(listsOf(scope).lists)
  if (before !== undefined) lists.set(before, rulesOf(scope, before) ?? [])
  const chosen = name === undefined ? undefined : lists.get(name)
  if (name === undefined || !chosen)
    return { lists: { byDefault: undefined, lists }, blocked: nobody }
  const { blocked, rest } = splitRules(scope, chosen)
  lists.set(name, rest)
  return { lists: { byDefault: name, lists }, blocked }
}

/** Lists with one of them added, or replaced by other rules (§2.6, §2.7). */
export function withRules(scope: Scope, name: string, rules: readonly Rule[]): ChangedLists {
  const { byDefault, lists } = listsOf(scope)
  if (name !== defaultName(scope))
    return {
      lists: { byDefault, lists: new Map(lists).set(name, rules) },
      blocked: blockedBy(scope),
    }
  const { blocked, rest } = splitRules(scope, rules)
  return { lists: { byDefault: name, lists: new Map(lists).set(name, rest) }, blocked }
}

/** Lists without one of them (§2.8). */
export function withoutList(scope: Scope, name: string): ChangedLists {
  const { byDefault, lists } = listsOf(scope)
  const others = new Map(lists)
  others.delete(name)
  if (name !== defaultName(scope))
    return { lists: { byDefault, lists: others }, blocked: blockedBy(scope) }
  return { lists: { byDefault: undefined, lists: others }, blocked: nobody }
}

/** All lists after a change, and the addresses of the block list. */
export interface ChangedLists {
  readonly lists: PrivacyLists
  readonly blocked: ReadonlySet<string>
}

/** @throws {StanzaError} `policy-violation` for more, or longer, lists than an account may have */
export function requireRoom({ lists }: ChangedLists, limits: ListLimits): void {
  if (lists.lists.size > limits.lists)
    throw new StanzaError('policy-violation', `An account may have ${limits.lists} lists.`)
  if (Buffer.byteLength(encodeLists(lists)) > limits.bytes)
    throw new StanzaError('policy-violation', `Lists may have ${limits.bytes} bytes altogether.`)
}

/** The lists that are active, by session; kept by the module as state of the session. */
export interface ActiveLists {
  of(scope: Scope, session: Session): string | undefined
  set(scope: Scope, session: Session, name: string | undefined): void
}

/** The rules that apply to a session. */
export function rulesOfSession(
  scope: Scope,
  active: ActiveLists,
  session: Session | undefined,
): readonly Rule[] {
  return rulesFor(scope, session && active.of(scope, session))
}

/**
 * Makes lists those of the account, and tells the other modules who is shut out now and who is let in again.
 *
 * `next` names the list that is active for a session afterwards.
 */
export function adopt(
  scope: Scope,
  { lists, blocked }: ChangedLists,
  active: ActiveLists,
  next: (session: Session) => string | undefined,
): void {
  const known = blockedBy(scope)
  const fresh = [...blocked].filter((jid) => !known.has(jid)) as Jid[]
  const gone = [...known].filter((jid) => !blocked.has(jid)) as Jid[]
  const changes = changesOf(scope, lists, active, next)
  // Before it applies: what they are told must still reach them.
  if (fresh.length > 0) scope.emit('addresses.blocked', { addresses: fresh, by: 'privacy' })
  for (const { session, before, after } of changes)
    scope.emit('session.hidden', { session, from: (jid) => before(jid) && !after(jid) })
  const isEmpty = lists.byDefault === undefined && lists.lists.size === 0
  scope.set(privacyStore, '', isEmpty ? undefined : lists)
  scope.set(blockListStore, '', blocked.size > 0 ? blocked : undefined)
  for (const session of scope.sessions()) active.set(scope, session, next(session))
  if (gone.length > 0) scope.emit('addresses.unblocked', { addresses: gone, by: 'privacy' })
  for (const { session, before, after } of changes)
    scope.emit('session.shown', { session, to: (jid) => !before(jid) && after(jid) })
}

/** Whom the presence of a session reaches by its rules. */
interface Reach {
  readonly session: Session
  before(jid: Jid): boolean
  after(jid: Jid): boolean
}

function changesOf(
  scope: Scope,
  lists: PrivacyLists,
  active: ActiveLists,
  next: (session: Session) => string | undefined,
): readonly Reach[] {
  return scope.sessions().flatMap((session) => {
    const old = rulesOfSession(scope, active, session)
    const now = rulesIn(lists, next(session))
    if (old === now) return []
    const hears = (rules: readonly Rule[]) => (jid: Jid) =>
      allows(scope, rules, jid, 'presence-out')
    return [{ session, before: hears(old), after: hears(now) }]
  })
}

/** The lists as they are. */
export function unchanged(scope: Scope): ChangedLists {
  return { lists: listsOf(scope), blocked: blockedBy(scope) }
}

function listsOf(scope: Scope): PrivacyLists {
  return scope.get(privacyStore) ?? noLists
}

function blockedBy(scope: Scope): ReadonlySet<string> {
  return scope.get(blockListStore) ?? nobody
}

function rulesIn({ byDefault, lists }: PrivacyLists, active: string | undefined): readonly Rule[] {
  const name = active ?? byDefault
  return (name !== undefined && lists.get(name)) || none
}

/** XEP-0191 §5: those that come first and deny all stanzas of an address are the block list. */
function splitRules(
  scope: Scope,
  rules: readonly Rule[],
): { readonly blocked: ReadonlySet<string>; readonly rest: readonly Rule[] } {
  const isOther = ({ type, allow, kinds, value }: Rule) =>
    type !== 'jid' || allow || kinds.length > 0 || bare(value as Jid) === scope.entity
  const end = rules.findIndex(isOther)
  const leading = end < 0 ? rules : rules.slice(0, end)
  const rest = end < 0 ? [] : rules.slice(end)
  return { blocked: new Set(leading.map(({ value }) => value)), rest }
}

function blockRules(scope: Scope, rest: readonly Rule[] = []): readonly Rule[] {
  const addresses = [...blockedBy(scope)].sort()
  const first = Math.max(1, (rest[0]?.order ?? 1) - addresses.length)
  return addresses.map((value, index) => ({
    type: 'jid',
    value,
    allow: false,
    order: first + index,
    kinds: [],
  }))
}

/** The others keep their order where there is room for the blocked ones before them. */
function shifted(scope: Scope, rules: readonly Rule[] = []): readonly Rule[] {
  const { size } = blockedBy(scope)
  const lacking = Math.max(0, size + 1 - (rules[0]?.order ?? 0))
  if (size === 0 || lacking === 0) return rules
  return rules.map((rule) => ({ ...rule, order: rule.order + lacking }))
}
