import type { Job } from './load/job.ts'

/** One measurement: a job without what the target tells. */
export interface Measurement
  extends Pick<
    Job,
    'kind' | 'transport' | 'tls' | 'sessions' | 'concurrency' | 'warmupSeconds' | 'seconds'
  > {
  readonly name: string
  /** Guests instead of accounts. */
  readonly guests?: boolean
}

const times = { warmupSeconds: 2, seconds: 5 }
const common = { tls: false, concurrency: 20, ...times }

/** What `npm run bench` measures. */
export const fullPlan: readonly Measurement[] = [
  { name: 'login', kind: 'login', sessions: 100, ...common },
  { name: 'login-tls', kind: 'login', sessions: 100, ...common, tls: true },
  { name: 'ping-100', kind: 'ping', sessions: 100, ...common },
  { name: 'chat-100', kind: 'chat', sessions: 100, ...common },
  { name: 'chat-1000', kind: 'chat', sessions: 1_000, ...common },
  { name: 'chat-100-websocket', kind: 'chat', transport: 'websocket', sessions: 100, ...common },
  { name: 'chat-100-bosh', kind: 'chat', transport: 'bosh', sessions: 100, ...common },
  { name: 'room-1000', kind: 'room', sessions: 1_000, ...common },
  { name: 'node-1000', kind: 'node', sessions: 1_000, ...common },
  { name: 'idle-5000', kind: 'idle', sessions: 5_000, ...common, guests: true },
  { name: 'idle-5000-tls', kind: 'idle', sessions: 5_000, ...common, guests: true, tls: true },
]

const short = { ...common, warmupSeconds: 0.5, seconds: 1 }

/** A smoke run: that everything works, not how fast it is. */
export const shortPlan: readonly Measurement[] = [
  { name: 'login', kind: 'login', sessions: 10, ...short, concurrency: 5 },
  { name: 'ping-10', kind: 'ping', sessions: 10, ...short },
  { name: 'chat-10', kind: 'chat', sessions: 10, ...short },
  { name: 'chat-10-websocket', kind: 'chat', transport: 'websocket', sessions: 10, ...short },
  { name: 'chat-10-bosh', kind: 'chat', transport: 'bosh', sessions: 10, ...short },
  { name: 'room-10', kind: 'room', sessions: 10, ...short },
  { name: 'node-10', kind: 'node', sessions: 10, ...short },
  { name: 'idle-50', kind: 'idle', sessions: 50, ...short, guests: true },
  { name: 'idle-50-tls', kind: 'idle', sessions: 50, ...short, guests: true, tls: true },
]
