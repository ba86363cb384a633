export { boshSpecifications } from './bosh/specifications.ts'
export { componentMetrics } from './component/metrics.ts'
export { componentSpecifications } from './component/specifications.ts'
export {
  type ConnectionManager,
  type ConnectionManagerOptions,
  startConnectionManager,
} from './connection-manager.ts'
export type { DrainOptions } from './drain.ts'
export { connectionMetrics } from './metrics.ts'
export { remoteMetrics } from './s2s/metrics.ts'
export { remoteSpecifications } from './s2s/specifications.ts'
export type { Settings } from './settings.ts'
