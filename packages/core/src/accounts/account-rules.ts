import { type Account, accountStore, mailboxStore } from '@tactus/storage'
import { CommandError } from '../commands.ts'
import { removeContact, rosterOf } from '../roster/roster-access.ts'
import type { Scope, Session } from '../scope.ts'

/** Keys of an account by hash name; never a password. */
export type AccountKeys = Account['keys']

/**
 * Makes the scope's entity an account.
 *
 * @throws {CommandError} `conflict` when there is one, `invalid` where accounts do not outlive their sessions
 */
export function createAccount(scope: Scope, keys: AccountKeys): void {
  if (scope.host.anonymous)
    throw new CommandError('invalid', `${scope.host.name} has anonymous accounts only`)
  if (scope.get(accountStore)) throw new CommandError('conflict', `${scope.entity} exists already`)
  const { now } = scope
  const account: Account = { createdAt: now, disabled: false, version: now, keys, role: 'user' }
  scope.set(accountStore, '', account)
  scope.emit('account.created', {})
}

/**
 * Gives the account another password. All sessions end but the one that asked, because whoever knew the old password
 * may be in them.
 *
 * @throws {CommandError} `not-found`
 */
export function changeKeys(scope: Scope, keys: AccountKeys, asking?: Session): void {
  const account = requireAccount(scope)
  scope.set(accountStore, '', { ...account, keys, version: nextVersion(account, scope.now) })
  for (const session of scope.sessions())
    if (session.id !== asking?.id) scope.endSession(session, 'reset', 'The password was changed.')
}

/**
 * Keeps the account's owner out, or lets them in again (XEP-0133 §4.3, §4.4): no log-in, no session, nothing of it lost.
 *
 * @throws {CommandError} `not-found`
 */
export function setDisabled(scope: Scope, disabled: boolean): void {
  const account = requireAccount(scope)
  if (account.disabled === disabled) return
  scope.set(accountStore, '', { ...account, disabled, version: nextVersion(account, scope.now) })
  if (!disabled) return
  for (const session of scope.sessions())
    scope.endSession(session, 'not-authorized', 'The account was disabled.')
}

/**
 * Ends the account and everything that is kept for it: contacts are told, sessions closed, modules clear what is
 * theirs. Who later gets the same name finds nothing and is nobody's contact.
 *
 * @throws {CommandError} `not-found`
 */
export function deleteAccount(scope: Scope): void {
  requireAccount(scope)
  for (const item of rosterOf(scope).items.values()) removeContact(scope, item)
  // XEP-0077 §3.2 names the condition.
  for (const session of scope.sessions())
    scope.endSession(session, 'not-authorized', 'The account was deleted.')
  scope.emit('account.deleted', {})
  scope.turn.clear(mailboxStore, 'mailbox', { account: scope.entity })
  scope.set(accountStore, '', undefined)
}

/**
 * The scope's account.
 *
 * @throws {CommandError} `not-found`
 */
export function requireAccount(scope: Scope): Account {
  const account = scope.get(accountStore)
  if (!account) throw new CommandError('not-found', `there is no account ${scope.entity}`)
  return account
}

/**
 * The number that follows when credentials change. It is a time, so that no account of the same name, an earlier one
 * included, ever had it: a session that was opened with an older password is told so.
 */
function nextVersion(account: Account, now: number): number {
  return Math.max(account.version + 1, now)
}
