import { createHmac } from 'node:crypto'
import type { Affiliation } from '@tactus/core'
import { type DurableStore, stateKey } from '@tactus/storage'

/** A change of one affiliation, and which version of the list it made. */
export interface LoggedChange {
  readonly version: number
  readonly jid: string
  readonly before: Affiliation
}

/** The changes of a room's affiliations, oldest first, without a gap; the last one made the version that stands. */
export type AffiliationLog = readonly LoggedChange[]

/** From one version of the list to the next. */
export interface VersionStep {
  readonly since: number
  readonly until: number
}

/** The last changes of the lists. */
export const affiliationLogTable = 'muc_affiliation_change'

/**
 * What became of the affiliations of a room lately, those that are gone among them; the key within the entity is `''`.
 *
 * It is written with the lists themselves, so no death comes between a change and its version.
 */
export const affiliationLogStore: DurableStore<AffiliationLog> = {
  kind: 'durable',
  name: 'muc-affiliation-log',

  async load(reader, keys) {
    const rows = await reader
      .selectFrom(affiliationLogTable)
      .selectAll()
      .where(
        'entity',
        'in',
        keys.map(({ entity }) => entity),
      )
      .orderBy('version')
      .execute()
    const logs = new Map<string, LoggedChange[]>()
    for (const { entity, version, jid, before } of rows) {
      const key = stateKey(String(entity), '')
      const log = logs.get(key) ?? []
      log.push({
        version: Number(version),
        jid: String(jid),
        before: before as Affiliation,
      })
      logs.set(key, log)
    }
    return logs
  },

  save(changes, rows) {
    const key = ['entity', 'version']
    for (const { entity, before = [], after = [] } of changes) {
      const known = new Set(before)
      const left = new Set(after.map(({ version }) => version))
      for (const { version } of before)
        if (!left.has(version)) rows.delete(affiliationLogTable, key, { entity, version })
      for (const change of after)
        if (!known.has(change)) rows.upsert(affiliationLogTable, key, { entity, ...change })
    }
  },
}

/** The version of the list after these changes; 0 before there were any. */
export function versionOf(log: AffiliationLog = []): number {
  return log.at(-1)?.version ?? 0
}

/** The log with one change more, and no longer than it may be. */
export function withChange(
  log: AffiliationLog = [],
  change: Omit<LoggedChange, 'version'>,
  most: number,
): AffiliationLog {
  return [...log, { version: versionOf(log) + 1, ...change }].slice(-most)
}

/** What happened since a version; undefined where that is not known any more, or never was. */
export function changesSince(
  log: AffiliationLog = [],
  version: number,
): AffiliationLog | undefined {
  const first = log[0]?.version ?? 1
  if (version < first - 1 || version > versionOf(log)) return undefined
  return log.filter((change) => change.version > version)
}

/**
 * A version as it is called on the wire.
 *
 * SECURITY: nobody can name one that it was not told, and so ask who left before it was let in (XEP-0463 §6).
 */
export function versionName(secret: string, version: number): string {
  const number = version.toString(36)
  const proof = createHmac('sha256', secret).update(`affiliations ${number}`).digest('base64url')
  return `${number}.${proof.slice(0, 12)}`
}

/** The version that is called so in this room. */
export function readVersion(secret: string, name: string): number | undefined {
  const number = /^([0-9a-z]{1,8})\.[\w-]{12}$/.exec(name)?.[1]
  const version = number === undefined ? Number.NaN : Number.parseInt(number, 36)
  return !Number.isNaN(version) && versionName(secret, version) === name ? version : undefined
}
