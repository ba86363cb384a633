import { type KeyValueStore, keyValueStore } from './key-value-store.ts'
import type { Reader } from './storage.ts'

const table = 'gate_entry'

/** What a host has noted of a domain elsewhere. */
interface Noted {
  /** `blocked` is not spoken to; `trusted` is never banned by the server itself. */
  readonly kind: string
  /** Wall clock, ms; undefined for ever. */
  readonly until: number | undefined
  readonly reason: string
  /** Since when, wall clock, ms. */
  readonly at: number
}

/** Domains that a host bans or trusts, by host; the key is the domain, which stands for those below it as well. */
export const gateStore: KeyValueStore<Noted> = keyValueStore({
  name: 'gate',
  table,
  columns: { kind: 'text', until: 'number?', reason: 'text', at: 'number' },
})

/** One of them. */
export interface GateEntry extends Noted {
  readonly host: string
  readonly domain: string
}

/** All of them, by host and domain, those that are over included. */
export async function listGate(reader: Reader): Promise<readonly GateEntry[]> {
  const rows = (await reader
    .selectFrom(table)
    .selectAll()
    .orderBy('entity')
    .orderBy('key')
    .execute()) as {
    readonly entity: string
    readonly key: string
    readonly kind: string
    readonly until: unknown
    readonly reason: string
    readonly at: unknown
  }[]
  return rows.map(({ entity, key, kind, until, reason, at }) => ({
    host: entity,
    domain: key,
    kind,
    until: until === null ? undefined : Number(until),
    reason,
    at: Number(at),
  }))
}
