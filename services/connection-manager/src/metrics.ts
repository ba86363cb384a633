import {
  type BoundCounter,
  counter,
  gauge,
  type MetricHandles,
  type Metrics,
} from '@tactus/telemetry'

/** What a connection manager counts; the registry in docs/generated/metrics.md is made of this. */
export const connectionMetrics = {
  streams: gauge('Client streams by what they have reached.', {
    state: ['negotiating', 'bound'],
  }),
  connections: counter('Client connections by what became of them at the door.', {
    outcome: ['accepted', 'refused'],
  }),
  stanzas: counter('Stanzas that crossed client streams.', { direction: ['in', 'out'] }),
  bytes: counter('Bytes of client streams, without TLS.', { direction: ['in', 'out'] }),
  authentications: counter('SASL exchanges by how they ended.', {
    mechanism: 16,
    outcome: 12,
  }),
  streamErrors: counter('Stream errors sent to clients.', { condition: 25 }),
  handshakes: counter('TLS hand-shakes by how they ended.', { outcome: ['succeeded', 'failed'] }),
  busRetries: counter('Publishes that were refused or unanswered, and repeated.'),
  gaps: counter('Deliveries that were missing and read from the queue.', {
    outcome: ['filled', 'missing'],
  }),
  repeats: counter('Sessions whose inputs were published again for want of a commit.'),
  registrations: counter('In-band registrations by how they ended.', { outcome: 12 }),
  boshRequests: counter('Requests over BOSH by who answered them.', {
    outcome: ['here', 'forwarded', 'unavailable', 'refused'],
  }),
  boshRepeats: counter('Answers over BOSH that were given once more.'),
  boshTakeovers: counter('BOSH sessions of other instances that were asked for.', {
    outcome: ['resumed', 'refused'],
  }),
  boshViolations: counter('BOSH sessions ended for a rule that the client broke.', {
    condition: ['item-not-found', 'policy-violation'],
  }),
  boshSessions: gauge('BOSH sessions held.'),
  retained: gauge('Inputs that wait for their commit.'),
} as const

/** The handles of {@link connectionMetrics}, those of every stanza settled beforehand. */
export type ConnectionMetrics = MetricHandles<typeof connectionMetrics> & {
  readonly stanzaIn: BoundCounter
  readonly stanzaOut: BoundCounter
}

export function declareMetrics(metrics: Metrics): ConnectionMetrics {
  const handles = metrics.declare('xmpp_c2s', connectionMetrics)
  return {
    ...handles,
    stanzaIn: handles.stanzas.with({ direction: 'in' }),
    stanzaOut: handles.stanzas.with({ direction: 'out' }),
  }
}
