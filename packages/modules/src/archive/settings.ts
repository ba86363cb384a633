import { rosterOf, type Scope } from '@tactus/core'
import { type BareJid, bare, type Jid } from '@tactus/jid'
import { type KeyValueStore, keyValueStore, type ValueOf } from '@tactus/storage'

/** What is archived of whom nothing is said (XEP-0441 §2.1). */
export type DefaultMode = 'always' | 'never' | 'roster'

/** Preferences as clients see them (XEP-0441 §2). */
export interface Preferences {
  readonly mode: DefaultMode
  readonly always: readonly Jid[]
  readonly never: readonly Jid[]
}

const columns = {
  mode: 'text?',
  always: 'text?',
  never: 'text?',
  generation: 'number',
  days: 'number?',
  messages: 'number?',
} as const

/**
 * What is kept of an account about its archive; the key is `''`. Lists are one address a line.
 *
 * `generation` counts the accounts that had this name before: each has an archive of its own, so that nobody finds
 * what somebody else of the same name left.
 */
export const settingsStore: KeyValueStore<ValueOf<typeof columns>> = keyValueStore({
  name: 'archive-setting',
  table: 'archive_setting',
  columns,
})

/** The value of `settingsStore`. */
export type Settings = ValueOf<typeof columns>

const unset: Settings = {
  mode: undefined,
  always: undefined,
  never: undefined,
  generation: 0,
  days: undefined,
  messages: undefined,
}

/** What the account set, or nothing. */
export function settingsOf(scope: Scope): Settings {
  return scope.get(settingsStore) ?? unset
}

/** Changes some of it. */
export function changeSettings(scope: Scope, patch: Partial<Settings>): void {
  scope.set(settingsStore, '', { ...settingsOf(scope), ...patch })
}

/** The owner of the scope's archive in the table. A space is in no JID. */
export function archiveOwner(scope: Scope): string {
  const { generation } = settingsOf(scope)
  return generation === 0 ? scope.entity : `${scope.entity} ${generation}`
}

/** The preferences in force; `mode` is the host's default where the account said nothing. */
export function preferencesOf(scope: Scope, mode: DefaultMode): Preferences {
  const settings = settingsOf(scope)
  return {
    mode: (settings.mode as DefaultMode | undefined) ?? mode,
    always: addresses(settings.always),
    never: addresses(settings.never),
  }
}

/** Keeps preferences. */
export function savePreferences(scope: Scope, { mode, always, never }: Preferences): void {
  changeSettings(scope, { mode, always: always.join('\n'), never: never.join('\n') })
}

/** Whether the account wants messages from or to somebody archived (XEP-0441 §2.3). */
export function isWanted(scope: Scope, target: Jid, mode: DefaultMode): boolean {
  const preferences = preferencesOf(scope, mode)
  const listed = (list: readonly Jid[]): boolean =>
    list.includes(target) || list.includes(bare(target))
  // Who is in both lists was asked to be left out once.
  if (listed(preferences.never)) return false
  if (listed(preferences.always) || preferences.mode === 'always') return true
  return preferences.mode === 'roster' && isInRoster(scope, bare(target))
}

/** To oneself: a note is for oneself. Who only asked to subscribe is in nobody's roster. */
function isInRoster(scope: Scope, contact: BareJid): boolean {
  return contact === scope.entity || rosterOf(scope).items.has(contact)
}

function addresses(text: string | undefined): readonly Jid[] {
  return text ? (text.split('\n') as Jid[]) : []
}
