import type { Operation } from '@tactus/bus'
import type { PartitionState } from './state.ts'

/** A note for the next owner of a partition. */
export function metaOperation(partition: PartitionState, name: string, value: string): Operation {
  return { op: 'hset', key: partition.metaKey, fields: [[name, Buffer.from(value)]] }
}

/** All that the outbox held for a partition was run again: single notes of it are needed no more. */
export function allReplayed(partition: PartitionState): readonly Operation[] {
  const done = metaOperation(partition, 'replayed', '1')
  const fields = [...partition.rerun]
  if (fields.length === 0) return [done]
  return [done, { op: 'hdel', key: partition.replayedKey, fields }]
}
