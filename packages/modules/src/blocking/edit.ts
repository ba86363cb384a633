import type { Scope } from '@tactus/core'
import { type BareJid, bare, type Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { blockListStore } from '@tactus/storage'
import { isListed } from './matching.ts'
import { type Report, reportStore } from './store.ts'
import type { BlockItem } from './wire.ts'

const emptyList: ReadonlySet<string> = new Set()

/** The addresses that the scope's account blocked. */
export function blockListOf(scope: Scope): ReadonlySet<string> {
  return scope.get(blockListStore) ?? emptyList
}

/**
 * Whether the account wants nothing to do with an address.
 *
 * Its own resources and its own host are never shut out (XEP-0191 §4), not even by the host's domain: the host serves it.
 */
export function isBlocked(scope: Scope, jid: Jid): boolean {
  const list = scope.get(blockListStore)
  if (!list || list.size === 0) return false
  const other: BareJid = bare(jid)
  return other !== scope.entity && other !== scope.host.name && isListed(list, jid)
}

/**
 * Puts addresses on the list, and takes back what they know of the account's presence.
 *
 * @throws {StanzaError} `not-allowed` for the account itself; `policy-violation` when the list is full
 */
export function block(scope: Scope, items: readonly BlockItem[], limit: number): void {
  const list = blockListOf(scope)
  for (const { jid } of items)
    if (bare(jid) === scope.entity)
      throw new StanzaError('not-allowed', 'an account does not block itself')
  const fresh = [...new Set(items.map(({ jid }) => jid))].filter((jid) => !list.has(jid))
  if (fresh.length === 0) return
  if (list.size + fresh.length > limit)
    throw new StanzaError('policy-violation', `A block list may have ${limit} addresses.`)
  // Before they are on the list: what they are told must still reach them.
  scope.emit('addresses.blocked', { addresses: fresh, by: 'blocking' })
  scope.set(blockListStore, '', new Set([...list, ...fresh]))
}

/** Takes addresses off the list, all of them where none is named, and shows them the account's presence again. */
export function unblock(scope: Scope, items: readonly BlockItem[]): void {
  const list = blockListOf(scope)
  const named = items.length > 0 ? items.map(({ jid }) => jid) : ([...list] as Jid[])
  const gone = new Set<Jid>(named.filter((jid) => list.has(jid)))
  if (gone.size === 0) return
  const rest = new Set([...list].filter((jid) => !gone.has(jid as Jid)))
  scope.set(blockListStore, '', rest.size > 0 ? rest : undefined)
  scope.emit('addresses.unblocked', { addresses: [...gone], by: 'blocking' })
}

/** Keeps the complaints of a request for the operators; beyond `limit`, the account's oldest make way. */
export function report(scope: Scope, items: readonly BlockItem[], limit: number): void {
  const fresh: Report[] = items.flatMap(({ jid, complaint }) =>
    complaint ? [{ id: scope.makeId(), at: scope.now, jid, ...complaint }] : [],
  )
  if (fresh.length === 0) return
  const kept = [...(scope.get(reportStore) ?? []), ...fresh]
  scope.set(reportStore, '', kept.slice(-limit))
}
