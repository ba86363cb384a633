import type { EngineHooks, EngineStatus } from '@tactus/cluster'
import { isRefusal } from '@tactus/core'
import { counter, gauge, histogram, type Logger, type Metrics } from '@tactus/telemetry'

/** What a router tells of its steps; docs/generated/metrics.md is made of this. */
export const engineMetrics = {
  steps: counter('Steps that were committed.', { rows: ['with', 'without'] }),
  inputs: counter('Inputs of entities that were run and committed.'),
  operations: counter('Operations that steps applied to the bus.'),
  commitSeconds: histogram('From the end of a step to its commit.'),
  partitions: gauge('Partitions that this router owns.'),
  lag: gauge('Inputs that wait in the streams of its partitions, a heartbeat ago.'),
  oldestSeconds: gauge('Age of the oldest input that was read and is not committed.'),
  problems: counter('What went wrong inside, by event; the log has the details.', { event: 32 }),
} as const

/**
 * The engine's hooks: metrics and log in one place, so that they cannot drift.
 *
 * @param status what the engine is at now; undefined between two lives
 */
export function engineHooks(
  metrics: Metrics,
  log: Logger,
  status: () => EngineStatus | undefined,
  onOwned: () => void,
): EngineHooks {
  const figures = metrics.declare('xmpp_engine', engineMetrics)
  const withRows = figures.steps.with({ rows: 'with' })
  const withoutRows = figures.steps.with({ rows: 'without' })
  metrics.onScrape(() => {
    const partitions = status()?.partitions ?? []
    figures.partitions.set(partitions.length)
    figures.lag.set(partitions.reduce((sum, { lag }) => sum + lag, 0))
    figures.oldestSeconds.set(Math.max(0, ...partitions.map(({ age }) => age)) / 1_000)
  })
  return {
    step({ inputs, operations, rows, commit }) {
      ;(rows ? withRows : withoutRows).inc()
      figures.inputs.inc(inputs)
      figures.operations.inc(operations)
      figures.commitSeconds.observe(commit / 1_000)
    },
    problem(event, error, details) {
      // A handler refuses by throwing: its sender is told, nobody else needs to know.
      if (isRefusal(error)) return
      figures.problems.with({ event }).inc()
      log.error(event, { ...details, ...(error !== undefined && { err: error }) })
    },
    owned(partitions, change) {
      log.info('partitions_changed', { change, count: partitions.length })
      if (change !== 'handed_over') onOwned()
    },
  }
}
