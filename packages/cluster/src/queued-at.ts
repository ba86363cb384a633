import { unpack } from 'msgpackr'
import type { QueueMeta } from './machine.ts'

/**
 * When what is in a session's queue was put there, milliseconds since 1970; `meta` as the bus hands it out. Undefined where
 * it does not say: that must keep nothing from being delivered.
 */
export function queuedAt(meta: Uint8Array): number | undefined {
  if (meta.length === 0) return undefined
  return (unpack(meta) as Partial<QueueMeta>).at
}
