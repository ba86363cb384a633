import { commitCases } from './commits.ts'
import { instanceCases } from './instances.ts'
import { liveStateCases } from './live-state.ts'
import { recordCases } from './records.ts'
import { streamCases } from './streams.ts'
import type { ContractCase } from './support.ts'

/**
 * What every implementation of the bus promises, as cases that a test runs on each.
 *
 * Data, not tests: so that nothing of a test runner is loaded by who only imports the bus.
 */
export const busContract: readonly ContractCase[] = [
  ...streamCases,
  ...commitCases,
  ...liveStateCases,
  ...instanceCases,
  ...recordCases,
]
