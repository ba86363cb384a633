import { metaOperation } from './meta.ts'
import type { Runner } from './runner.ts'
import { type CarefulState, type PartitionState, unitName } from './state.ts'
import type { Step } from './step.ts'
import type { Workload } from './workload.ts'

/** Where the commit line stands. */
export interface LineState {
  readonly open: Step
  readonly committing: boolean
  /** Last applied step. */
  readonly applied: number
}

/**
 * Runs partitions whose owners died over the same input (design §3.10): one input a step, alone in it, and only once
 * a note on the bus says that it is being tried.
 *
 * @returns true when the open step must take nothing else, so that the input gets a step of its own
 */
export function runCareful(workload: Workload, runner: Runner, line: LineState): boolean {
  for (const partition of workload.partitions.values()) {
    const { careful } = partition
    if (!careful || partition.draining || partition.ready.length === 0) continue
    // One partition after the other: what is noted must be what is being tried, or the innocent are counted as well.
    if (!isNoted(partition, careful, line)) return false
    return line.committing || line.open.hasWork || runAlone(partition, runner, line.open)
  }
  return false
}

/** False when the input only found that it needs something loaded. */
function runAlone(partition: PartitionState, runner: Runner, step: Step): boolean {
  const entity = partition.ready.shift()
  if (!entity) return false
  entity.status = 'idle'
  runner.runNext(entity, step)
  step.closed = step.hasWork
  return step.closed
}

/** Whether the note of the partition's next input is applied; writes it where it is missing. */
function isNoted(partition: PartitionState, careful: CarefulState, line: LineState): boolean {
  const item = partition.ready.peek()?.queue.peek()
  if (!item?.entry) return true
  const name = unitName(item.entry.position, item.unit)
  if (careful.trying === name) return careful.noted <= line.applied
  if (line.open.closed) return false
  line.open.extra.push(metaOperation(partition, 'trying', name))
  careful.trying = name
  careful.noted = line.open.number
  return false
}
