export { Health, type HealthCheck, type HealthReport, type Probe } from './health.ts'
export { type Lifecycle, type RunOptions, run } from './lifecycle.ts'
export {
  createLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogOptions,
  type LogWriter,
} from './logger.ts'
export {
  counter,
  gauge,
  histogram,
  type LabelSet,
  type LabelValues,
  latencyBuckets,
  type MetricKind,
  type MetricSpec,
  metricName,
  type NoLabels,
} from './metric-spec.ts'
export {
  type BoundCounter,
  type BoundGauge,
  type BoundHistogram,
  type Labelled,
  type MetricHandle,
  type MetricHandles,
  Metrics,
} from './metrics.ts'
export { type ListenAddress, type OperationsServer, serveOperations } from './operations-server.ts'
export { explainTrouble, type Trouble } from './trouble.ts'
