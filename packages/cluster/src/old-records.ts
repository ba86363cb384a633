import { type Bus, decodeRecord, type Position, type StreamName } from '@tactus/bus'
import type { OwnershipStore } from '@tactus/storage'
import { durableInputs } from './durable-inputs.ts'
import { metaKey } from './keys.ts'
import { neededFor } from './own-appends.ts'
import type { Router } from './router.ts'
import { incarnationOf } from './router-id.ts'

/** What looking after dead routers' records needs. */
export interface AdoptionPorts {
  readonly bus: Bus
  readonly ownership: OwnershipStore
  readonly router: Router
  /** Routers whose records are looked after already. */
  readonly adopted: Set<string>
}

/**
 * Sees to it that records of dead routers are forgotten as well (design §3.6).
 *
 * Where their entries went is not known, so the present ends of the streams must be passed. Records of a lost
 * incarnation go when every partition they wrote to has replayed them.
 */
export async function adoptRecords(
  { bus, ownership, router, adopted }: AdoptionPorts,
  fenced: readonly { readonly id: string; readonly step: number }[],
): Promise<void> {
  for (const { id, step } of fenced.filter((each) => !adopted.has(each.id))) {
    if (incarnationOf(id) < bus.incarnation) {
      if (await forgetReplayed(bus, ownership, router, id)) adopted.add(id)
      continue
    }
    // Its last step may be in the store only, until a taker has completed it.
    if ((await bus.step(id)) < step) continue
    for (const kept of await ownership.records(id))
      router.outbox.track(
        id,
        kept.step,
        await ends(bus, neededFor(decodeRecord(kept.record).operations)),
        true,
      )
    adopted.add(id)
  }
}

/** Lets go what every partition has replayed; true when nothing is left. */
async function forgetReplayed(
  bus: Bus,
  ownership: OwnershipStore,
  router: Router,
  id: string,
): Promise<boolean> {
  const kept = await ownership.records(id)
  for (const { step, record } of kept) {
    const inputs = durableInputs(decodeRecord(record), router.workload.count)
    const partitions = new Set(inputs.map(({ partition }) => partition))
    if (!(await areReplayed(bus, partitions))) return false
    router.outbox.track(id, step, new Map(), true)
  }
  return true
}

async function areReplayed(bus: Bus, partitions: ReadonlySet<number>): Promise<boolean> {
  const metas = await bus.hashes(Array.from(partitions, metaKey))
  return [...metas.values()].every((meta) => meta.has('replayed'))
}

async function ends(
  bus: Bus,
  streams: ReadonlySet<StreamName>,
): Promise<Map<StreamName, Position>> {
  const waits = new Map<StreamName, Position>()
  const extents = await bus.extent([...streams])
  for (const [stream, { first, last }] of extents) if (first !== undefined) waits.set(stream, last)
  return waits
}
