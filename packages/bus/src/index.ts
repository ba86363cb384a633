export * from './bus.ts'
export { busContract } from './contract/contract.ts'
export type { ContractCase, ContractOpen, ContractWorld } from './contract/support.ts'
export { type FederationPolicy, isListed, mayFederate } from './federation.ts'
export { type BusLimits, defaultLimits } from './limits.ts'
export { MemoryBroker } from './memory/memory-broker.ts'
export { MemoryBus, type MemoryBusOptions } from './memory/memory-bus.ts'
export { comparePositions } from './position.ts'
export {
  decodeEntry,
  encodeEntry,
  type FaultReason,
  packPlain,
  UnreadableFrame,
  unpackPlain,
} from './proto/codec.ts'
export * from './proto/frames.ts'
export { protocol } from './proto/protocol.ts'
export { decodeRecord, encodeRecord } from './proto/record.ts'
export * from './proto/requests.ts'
export {
  type BusSettings,
  joinRedisBus,
  openRedisBus,
  type RedisBusOptions,
  SettingsDiffer,
} from './redis/open.ts'
export type { Fault } from './redis/readers.ts'
export type { RedisBus } from './redis/redis-bus.ts'
