import type { ItemQueue } from './item-queue.ts'
import type { Outlet } from './outlet.ts'
import { fits } from './peer-limits.ts'
import type { Returned, RouteLimits } from './route-ports.ts'
import type { Item } from './shard.ts'
import type { Suspicion } from './suspicion.ts'

/** Stanzas that may be with the other server and not acknowledged. */
export const mostUnacked = 1_000

/** Why what came last may not wait. `isFull`: for all domains together. */
export function overflow(
  queue: ItemQueue,
  remote: string,
  { stanzas, bytes: most }: RouteLimits,
  isFull: boolean,
): Returned | undefined {
  const condition = 'resource-constraint'
  if (isFull) return { condition, text: 'too much waits for other servers' }
  const isOver = queue.length > stanzas || queue.bytes > Math.max(most, queue.lastBytes)
  return isOver ? { condition, text: `too much waits for ${remote}` } : undefined
}

/** Why a stanza is not sent: it is too large for the other side (XEP-0478 §4), or ends its streams. */
export function unfit(
  item: Item,
  {
    isBegun,
    outlet,
    remote,
    suspicion,
  }: {
    /** Some of its recipients have it: then it is not for giving up. */
    readonly isBegun: boolean
    readonly outlet: Outlet
    readonly remote: string
    readonly suspicion: Suspicion
  },
): Returned | undefined {
  if (isBegun) return undefined
  const condition = 'policy-violation'
  if (!fits(item.frame, outlet.mostBytes))
    return { condition, text: `${remote} takes stanzas of ${outlet.mostBytes} bytes at most` }
  if (!suspicion.isGuilty(item)) return undefined
  suspicion.passed(1)
  return { condition, text: `${remote} ends its streams over it` }
}
