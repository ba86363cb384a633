import type { Executor } from './executor.ts'
import type { StepTransaction, TransactionOutcome } from './storage.ts'

/**
 * Why a step touched no row of its router: an earlier attempt committed it, or the router is fenced.
 *
 * The order matters: a step that was committed before the fence is complete, and the taker finds its record. A router
 * that is not listed was fenced so long ago that it was forgotten.
 */
export async function refusedOutcome(
  executor: Executor,
  { router, step }: StepTransaction,
): Promise<TransactionOutcome> {
  const [found] =
    (await executor.transaction([
      { sql: 'SELECT step, fenced FROM router WHERE id = ?', params: [router] },
    ])) ?? []
  const row = found?.rows[0]
  return row && Number(row.step) >= step ? 'committed' : 'fenced'
}
