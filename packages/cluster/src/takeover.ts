import { type Bus, decodeRecord, IncarnationChanged } from '@tactus/bus'
import type { Env } from '@tactus/env'
import type { OwnershipStore } from '@tactus/storage'
import { incarnationOf } from './router-id.ts'

/** What a takeover needs. */
export interface TakeoverPorts {
  readonly env: Env
  readonly bus: Bus
  readonly ownership: OwnershipStore
  /** False only where a test proves that the record is needed. */
  readonly useRecord: boolean
}

/**
 * Takes partitions over from a router that is dead or fenced: stages 1 to 3 of design §3.2; reading them is the fourth.
 *
 * Any number of routers may do this at once and die at any point of it: each stage is idempotent, and until the third
 * the partitions still name the dead router, so that nobody reads before its last step is complete.
 * @returns the partitions that fell to `me`
 * @throws {IncarnationChanged} when the bus lost steps of the dead router
 */
export async function takeOver(
  { env, bus, ownership, useRecord }: TakeoverPorts,
  dead: string,
  partitions: readonly number[],
  me: string,
): Promise<readonly number[]> {
  const last = await ownership.fence(dead)
  env.failpoint('takeover:fenced')
  // Steps of another incarnation were lost with it; the outbox is replayed instead (design §3.11).
  if (incarnationOf(dead) === bus.incarnation) {
    const record = last.record && useRecord ? decodeRecord(last.record.record) : undefined
    await bus.fence(dead, record)
    if ((await bus.step(dead)) < last.step && useRecord)
      throw new IncarnationChanged(`steps of ${dead} before ${last.step} are missing`)
  }
  env.failpoint('takeover:redone')
  const mine = await ownership.transfer(partitions, dead, me)
  env.failpoint('takeover:transferred')
  return mine
}
