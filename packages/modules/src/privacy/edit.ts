import { rosterOf, type Scope, type Session } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import {
  type ActiveLists,
  adopt,
  defaultName,
  type ListLimits,
  requireRoom,
  rulesOf,
  unchanged,
  withDefault,
  withoutList,
  withRules,
} from './lists.ts'
import type { Choice, Edit, Rule } from './wire.ts'

/** Who asks for a change: the resource, and what else may be active. */
export interface Asking {
  readonly scope: Scope
  readonly session: Session
  readonly active: ActiveLists
}

/**
 * The rules of a list.
 *
 * @throws {StanzaError} `item-not-found`
 */
export function requireList(scope: Scope, name: string): readonly Rule[] {
  const rules = rulesOf(scope, name)
  if (!rules) throw new StanzaError('item-not-found')
  return rules
}

/** §2.4: the list that applies to the one resource that asks. */
export function chooseActive({ scope, session, active }: Asking, { name }: Choice): void {
  if (name !== undefined) requireList(scope, name)
  adopt(scope, unchanged(scope), active, (other) =>
    other.id === session.id ? name : active.of(scope, other),
  )
}

/**
 * §2.5: the list that applies to the account.
 *
 * @throws {StanzaError} `conflict` while another resource goes by the one that was the default
 */
export function chooseDefault(asking: Asking, { name }: Choice): void {
  const { scope, active } = asking
  if (name !== undefined) requireList(scope, name)
  const before = defaultName(scope)
  if (name === before) return
  if (before !== undefined) requireUnused(asking, before)
  adopt(scope, withDefault(scope, name), active, (other) => active.of(scope, other))
}

/**
 * §2.6 to §2.8: makes, changes or removes a list.
 *
 * @throws {StanzaError} `item-not-found` for a list or a group that there is not; `conflict` for the removal of what
 * another resource goes by; `policy-violation` beyond the bounds
 */
export function editList(asking: Asking, { name, rules }: Edit, limits: ListLimits): void {
  const { scope, active } = asking
  if (rules.length === 0) {
    requireList(scope, name)
    requireUnused(asking, name)
    adopt(scope, withoutList(scope, name), active, (other) => {
      const current = active.of(scope, other)
      return current === name ? undefined : current
    })
    return
  }
  requireGroups(scope, rules)
  const changed = withRules(scope, name, rules)
  requireRoom(changed, limits)
  adopt(scope, changed, active, (other) => active.of(scope, other))
}

/** §2.2: what another resource goes by is not taken from it. */
function requireUnused({ scope, session, active }: Asking, name: string): void {
  const byDefault = defaultName(scope)
  const applies = (other: Session) => (active.of(scope, other) ?? byDefault) === name
  if (scope.sessions().some((other) => other.id !== session.id && applies(other)))
    throw new StanzaError('conflict')
}

/** §2.1: a rule is about a group that there is. */
function requireGroups(scope: Scope, rules: readonly Rule[]): void {
  const wanted = rules.flatMap(({ type, value }) => (type === 'group' ? value : []))
  if (wanted.length === 0) return
  const known = new Set([...rosterOf(scope).items.values()].flatMap(({ groups }) => groups))
  if (!wanted.every((group) => known.has(group))) throw new StanzaError('item-not-found')
}
