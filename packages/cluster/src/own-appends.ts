import type { Position } from '@tactus/bus'
import { partitionOfStream } from './partition.ts'
import type { Sealed } from './sealed.ts'
import type { PartitionState } from './state.ts'
import type { Workload } from './workload.ts'

/**
 * Notes what an applied step wrote to partition streams: until it is read back, nothing may overtake it.
 *
 * `arriving` are partitions that are being acquired: what was sent to them meanwhile belongs to their barrier.
 * @returns where each partition stream must have passed before the step's record may be forgotten
 */
export function noteAppends(
  sealed: Sealed,
  positions: readonly Position[],
  workload: Workload,
  arriving: ReadonlyMap<number, PartitionState>,
): Map<string, Position> {
  const waits = new Map<string, Position>()
  for (const [index, stream] of sealed.appends.entries()) {
    const position = positions[index]
    const id = partitionOfStream(stream)
    if (position === undefined || id === undefined) continue
    waits.set(stream, position)
    const partition = workload.partitions.get(id) ?? arriving.get(id)
    if (partition) noteAppend(sealed, position, partition, workload)
  }
  for (const partition of workload.partitions.values())
    if (sealed.number >= partition.arrivedIn) partition.settled = true
  return waits
}

function noteAppend(
  { step, number }: Sealed,
  position: Position,
  partition: PartitionState,
  workload: Workload,
): void {
  if (number <= partition.arrivedIn) partition.raiseBarrier(position)
  const entities = [...step.viaStream].filter((entity) => entity.partition === partition)
  if (entities.length === 0) return
  partition.ownAppends.push({ position, entities })
  workload.readBack(partition)
}
