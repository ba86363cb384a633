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
import { settingsOf } from './settings.ts'

const day = 86_400_000
/** Messages that are removed in one step. */
const portion = 500

/** How long and how much is kept; 0 is no limit. */
export interface RetentionLimits {
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
export function arrangeLook(scope: Scope, limits: RetentionLimits): void {
  if (scope.get(lookStore) || !retentionOf(scope, limits)) return
  scope.set(lookStore, '', true)
  // Spread over the day: many accounts begin at the same moment, after an update for one.
  const share = (scope.random(1)[0] ?? 0) / 256
  scope.timer(lookTimer, scope.now + day * (0.5 + share / 2))
}

/** Looks for what has to go (XEP-0313 §3.2); without `limits` nothing has to. */
export function look(scope: Scope, owner: string, limits: RetentionLimits | undefined): void {
  const retention = limits && retentionOf(scope, limits)
  if (!retention) return scope.set(lookStore, '', undefined)
  const spec: ExpirySpec = { job: 'expiry', owner, retention }
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

/** What holds for an account: its own limits, and where it has none those of the host. */
export function limitsOfAccount(scope: Scope, defaults: RetentionLimits): RetentionLimits {
  const settings = settingsOf(scope)
  return {
    days: settings.days ?? defaults.days,
    messages: settings.messages ?? defaults.messages,
  }
}

function retentionOf(scope: Scope, { days, messages }: RetentionLimits): Retention | undefined {
  if (days === 0 && messages === 0) return undefined
  return {
    before: days === 0 ? undefined : scope.now - days * day,
    messages: messages === 0 ? undefined : messages,
  }
}
