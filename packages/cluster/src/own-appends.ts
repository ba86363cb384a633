import type { Operation, Position, StreamName } from '@tactus/bus'
import { isShardStream, partitionOfStream } from './partition.ts'
import type { Sealed } from './sealed.ts'
import type { PartitionState } from './state.ts'
import type { Workload } from './workload.ts'

/**
 * Notes what an applied step wrote to partition streams: until it is read back, nothing may overtake it.
 *
 * `arriving` are partitions that are being acquired: what was sent to them meanwhile belongs to their barrier.
 * @returns where each stream that the record is needed for must have passed before it may be forgotten
 */
export function noteAppends(
  sealed: Sealed,
  positions: readonly Position[],
  workload: Workload,
  arriving: ReadonlyMap<number, PartitionState>,
): Map<string, Position> {
  const waits = new Map<StreamName, Position>()
  for (const [index, stream] of sealed.appends.entries()) {
    const position = positions[index]
    if (position === undefined || !sealed.needed.has(stream)) continue
    waits.set(stream, position)
    const id = partitionOfStream(stream)
    if (id === undefined) continue
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

/**
 * The streams for whose sake a record is kept (design §3.6): partitions, and shards that got what may not be lost. What
 * is on a delivery stream stands in a session's queue.
 */
export function neededFor(operations: readonly Operation[]): ReadonlySet<StreamName> {
  const streams = new Set<StreamName>()
  for (const operation of operations) {
    if (operation.op !== 'append') continue
    const { stream, frames } = operation
    if (
      partitionOfStream(stream) !== undefined ||
      (isShardStream(stream) && frames.some(isDurable))
    )
      streams.add(stream)
  }
  return streams
}

const isDurable = (frame: object): boolean => 'durable' in frame && frame.durable === true
