import { counter, gauge, type MetricHandles, type Metrics } from '@tactus/telemetry'

/** What a connection manager counts of external components. */
export const componentMetrics = {
  streams: gauge('Connections of components that proved their domain.'),
  handshakes: counter('Hand-shakes of components, by how they ended.', {
    outcome: ['success', 'not-authorized', 'host-unknown', 'conflict'],
  }),
  connections: counter('Connections of components by what became of them at the door.', {
    outcome: ['opened', 'refused'],
  }),
  stanzas: counter('Stanzas that crossed connections of components.', {
    direction: ['in', 'out'],
  }),
  bytes: counter('Bytes of connections of components.', { direction: ['in', 'out'] }),
  bounced: counter('Stanzas for components that went back to their senders.', { condition: 4 }),
  streamErrors: counter('Stream errors sent to components.', { condition: 25 }),
  queued: gauge('Stanzas that wait for components.'),
  shards: gauge('Shards of components that this instance holds.'),
} as const

/** The handles of {@link componentMetrics}. */
export type ComponentMetrics = MetricHandles<typeof componentMetrics>

export function declareComponentMetrics(metrics: Metrics): ComponentMetrics {
  return metrics.declare('xmpp_component', componentMetrics)
}
