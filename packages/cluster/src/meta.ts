import type { Operation } from '@tactus/bus'
import type { PartitionState } from './state.ts'

/** A note for the next owner of a partition. */
export function metaOperation(partition: PartitionState, name: string, value: string): Operation {
  return { op: 'hset', key: partition.metaKey, fields: [[name, Buffer.from(value)]] }
}
