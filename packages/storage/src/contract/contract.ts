import { archiveCases } from './archive.ts'
import { migrationCases } from './migrations.ts'
import { ownershipCases } from './ownership.ts'
import { stepCases } from './steps.ts'
import { storeCases } from './stores.ts'
import type { StorageCase } from './support.ts'

/**
 * What every storage promises, as cases that a test runs on each.
 *
 * Data, not tests, so that a server which imports the port loads no test runner.
 */
export const storageContract: readonly StorageCase[] = [
  ...migrationCases,
  ...stepCases,
  ...ownershipCases,
  ...storeCases,
  ...archiveCases,
]
