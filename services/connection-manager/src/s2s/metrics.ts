import { counter, gauge, type MetricHandles, type Metrics } from '@tactus/telemetry'

/** What a connection manager counts of other servers. */
export const remoteMetrics = {
  streams: gauge('Streams with other servers.', { direction: ['in', 'out'] }),
  connections: counter('Connections with other servers by what became of them.', {
    direction: ['in', 'out'],
    outcome: ['opened', 'refused', 'failed'],
  }),
  authentications: counter('Proofs of who another server is, by how they ended.', {
    direction: ['in', 'out'],
    mechanism: ['external', 'dialback'],
    outcome: 12,
  }),
  stanzas: counter('Stanzas that crossed streams with other servers.', {
    direction: ['in', 'out'],
  }),
  bytes: counter('Bytes of streams with other servers, without TLS.', { direction: ['in', 'out'] }),
  bounced: counter('Stanzas for other servers that went back to their senders.', { condition: 8 }),
  streamErrors: counter('Stream errors sent to other servers.', { condition: 25 }),
  bans: counter('Domains that were banned for what they sent.'),
  queued: gauge('Stanzas that wait for other servers.'),
  shards: gauge('Outgoing shards that this instance holds.'),
  retries: counter('Commits of this instance that were repeated for want of an answer.'),
} as const

/** The handles of {@link remoteMetrics}. */
export type RemoteMetrics = MetricHandles<typeof remoteMetrics>

export function declareRemoteMetrics(metrics: Metrics): RemoteMetrics {
  return metrics.declare('xmpp_s2s', remoteMetrics)
}
