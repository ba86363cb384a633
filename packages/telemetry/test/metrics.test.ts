import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counter, gauge, histogram, Metrics, metricName } from '../src/index.ts'

const linesOf = async (metrics: Metrics): Promise<readonly string[]> =>
  (await metrics.expose()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('names are snake_case below their prefix, and counters end in _total', () => {
  assert.equal(metricName('xmpp_c2s', 'streamErrors', 'counter'), 'xmpp_c2s_stream_errors_total')
  assert.equal(metricName('xmpp_c2s', 'streams', 'gauge'), 'xmpp_c2s_streams')
  assert.equal(metricName('xmpp', 'routed_total', 'counter'), 'xmpp_routed_total')
})

test('declared metrics count, with and without labels', async () => {
  const metrics = new Metrics()
  const { streams, closed, delay } = metrics.declare('xmpp_c2s', {
    streams: gauge('Streams that are open.'),
    closed: counter('Streams that ended.', { reason: ['conflict', 'timeout'] }),
    delay: histogram('Time from socket to socket.', { kind: ['message'] }, [0.1, 1]),
  })
  streams.set(3)
  streams.dec()
  const conflict = closed.with({ reason: 'conflict' })
  conflict.inc()
  closed.with({ reason: 'conflict' }).inc(2)
  delay.with({ kind: 'message' }).observe(0.5)
  assert.deepEqual(await linesOf(metrics), [
    'xmpp_c2s_streams 2',
    'xmpp_c2s_closed_total{reason="conflict"} 3',
    'xmpp_c2s_delay_bucket{le="0.1",kind="message"} 0',
    'xmpp_c2s_delay_bucket{le="1",kind="message"} 1',
    'xmpp_c2s_delay_bucket{le="+Inf",kind="message"} 1',
    'xmpp_c2s_delay_sum{kind="message"} 0.5',
    'xmpp_c2s_delay_count{kind="message"} 1',
  ])
})

test('a label keeps to its set, so that no input makes the registry grow', async () => {
  const metrics = new Metrics()
  const { closed, sent } = metrics.declare('xmpp', {
    closed: counter('Streams that ended.', { reason: ['conflict'] }),
    sent: counter('Stanzas sent.', { domain: 2 }),
  })
  for (const reason of ['conflict', 'a', 'b', 'c'] as 'conflict'[]) closed.with({ reason }).inc()
  for (let domain = 0; domain < 1_000; domain++) sent.with({ domain: `d${domain}` }).inc()
  assert.deepEqual(await linesOf(metrics), [
    'xmpp_closed_total{reason="conflict"} 1',
    'xmpp_closed_total{reason="other"} 3',
    'xmpp_sent_total{domain="d0"} 1',
    'xmpp_sent_total{domain="d1"} 1',
    'xmpp_sent_total{domain="other"} 998',
  ])
})

test('instances in one process that declare the same metric share it', async () => {
  const metrics = new Metrics()
  const declare = () => metrics.declare('xmpp', { routed: counter('Stanzas routed.') })
  declare().routed.inc()
  declare().routed.inc()
  assert.deepEqual(await linesOf(metrics), ['xmpp_routed_total 2'])
  assert.throws(
    () => metrics.declare('xmpp', { routed: counter('Stanzas.', { kind: ['iq'] }) }),
    /xmpp_routed_total is declared twice/,
  )
})

test('costly gauges are brought up to date when someone looks', async () => {
  const metrics = new Metrics()
  const { rooms } = metrics.declare('xmpp_muc', { rooms: gauge('Rooms that are open.') })
  let open = 0
  metrics.onScrape(() => rooms.set(++open))
  await metrics.expose()
  assert.deepEqual(await linesOf(metrics), ['xmpp_muc_rooms 2'])
})

test('what is known of every Node process can be had too', async () => {
  assert.match(await new Metrics({ runtime: true }).expose(), /^process_resident_memory_bytes /m)
})
