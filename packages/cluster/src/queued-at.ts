import { unpack } from 'msgpackr'
import type { QueueMeta } from './machine.ts'

/** When what is in a session's queue was put there, milliseconds since 1970; `meta` as the bus hands it out. */
export function queuedAt(meta: Uint8Array): number {
  return (unpack(meta) as QueueMeta).at
}
