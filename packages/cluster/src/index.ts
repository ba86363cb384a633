export { deadLetterMigration } from './dead-letter.ts'
export { Engine, type EngineOptions, type EngineStatus } from './engine.ts'
export type { EngineHooks, Safeguard, StepInfo } from './hooks.ts'
export { jobsKey, liveKey, timersKey } from './keys.ts'
export * from './machine.ts'
export {
  componentOfStream,
  componentShardStream,
  componentShards,
  componentStream,
  deliveryStream,
  entityOf,
  partitionOf,
  partitionOfStream,
  partitionStream,
  shardCount,
  shardOf,
  shardStream,
} from './partition.ts'
export { queuedAt } from './queued-at.ts'
export { readLive, readOccupied } from './read-live.ts'
export type { EndReason } from './router.ts'
export type { StepCaps } from './step.ts'
