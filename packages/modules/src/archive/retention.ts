import {
  type JobContext,
  type JobDefinition,
  type LiveStore,
  liveStore,
  type Scope,
} from '@tactus/core'
import {
  archiveKey,
  archiveStore,
  archiveTable,
  expiredMessages,
  type Retention,
} from '@tactus/storage'
import { archiveOwner, settingsOf } from './settings.ts'

const day = 86_400_000
/** Messages that are removed in one step. */
const portion = 500

/** How long and how much is kept where an account has no limits of its own; 0 is no limit. */
export interface RetentionDefaults {
  readonly days: number
  readonly messages: number
}

/** Says that the next look at an archive is arranged; the key is `''`. */
export const lookStore: LiveStore<true> = liveStore('archive-look')

/** Name of the timer of the next look. */
export const lookTimer = 'archive-look'

/** The spec of the job that finds what has to go. */
export interface ExpirySpec {
  readonly job: 'expiry'
  readonly owner: string
  readonly retention: Retention
}

/**
 * Arranges the next look at an archive that has limits, once a day.
 *
 * Asked for with every message, so that what a lost bus forgot is arranged again.
 */
export function arrangeLook(scope: Scope, defaults: RetentionDefaults): void {
  if (scope.get(lookStore) || !limitsOf(scope, defaults)) return
  scope.set(lookStore, '', true)
  // Spread over the day: many accounts begin at the same moment, after an update for one.
  const share = (scope.random(1)[0] ?? 0) / 256
  scope.timer(lookTimer, scope.now + day * (0.5 + share / 2))
}

/** Looks for what has to go (XEP-0313 §3.2). */
export function look(scope: Scope, defaults: RetentionDefaults): void {
  const retention = limitsOf(scope, defaults)
  if (!retention || !scope.accountExists()) return scope.set(lookStore, '', undefined)
  const spec: ExpirySpec = { job: 'expiry', owner: archiveOwner(scope), retention }
  scope.job('archive', 'archive-expiry', spec)
}

/** Removes what the look found; a full portion asks for another look at once. */
export const expiryJob: JobDefinition<ExpirySpec, readonly string[]> = {
  run: ({ owner, retention }: ExpirySpec, { reader }: JobContext) =>
    expiredMessages(reader, owner, retention, portion),

  done(scope, { owner }, result) {
    const gone = result.ok ? result.value : []
    for (const id of gone) scope.turn.remove(archiveStore, archiveTable, archiveKey, { owner, id })
    scope.timer(lookTimer, scope.now + (gone.length === portion ? 0 : day))
  },
}

function limitsOf(scope: Scope, defaults: RetentionDefaults): Retention | undefined {
  const settings = settingsOf(scope)
  const days = settings.days ?? defaults.days
  const messages = settings.messages ?? defaults.messages
  if (days === 0 && messages === 0) return undefined
  return {
    before: days === 0 ? undefined : scope.now - days * day,
    messages: messages === 0 ? undefined : messages,
  }
}
