import type { Sealed } from './sealed.ts'
import type { WorkItem } from './state.ts'
import { Step } from './step.ts'
import type { Workload } from './workload.ts'

/**
 * Takes a step back that cannot be written, with the one computed on top of it: inputs to the front of their queues,
 * what was cached of their entities forgotten.
 *
 * @returns the step to go on with, and the inputs that began the thrown away one
 */
export function throwAway(
  workload: Workload,
  refused: { readonly step: Step; readonly sealed: Sealed | undefined; readonly open: Step },
  applied: number,
): { readonly next: Step; readonly roots: readonly WorkItem[] } {
  const { step, sealed, open } = refused
  const thrown = step === open ? [step] : [step, open]
  if (sealed) {
    for (const entity of step.viaStream) entity.viaStream -= 1
    workload.empty.push(...sealed.empty)
  }
  const next = new Step(step.number)
  for (const each of thrown) {
    next.extra.push(...each.extra)
    forget(workload, each, applied)
  }
  const consumed = thrown.flatMap((each) => each.consumed).filter(isRoot)
  for (const item of consumed.toReversed()) {
    item.entry?.unmark(item.unit)
    workload.giveBack(item)
  }
  workload.release(undefined)
  return { next, roots: step.consumed.filter(isRoot) }
}

function forget(workload: Workload, step: Step, applied: number): void {
  workload.dropInline(step.inline)
  for (const entry of step.entries) entry.partition.noted.add(entry.position)
  for (const entity of step.entities) {
    entity.dropCache()
    entity.touched = applied
  }
}

/** What others made is made again when they run again. */
const isRoot = ({ origin }: WorkItem): boolean => origin !== 'inline'
