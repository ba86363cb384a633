import type { Bus } from '@tactus/bus'
import { type Env, sleep } from '@tactus/env'
import { StreamError } from '@tactus/stanza'
import type { Services } from './services.ts'
import { Session } from './session/session.ts'
import type { Settings } from './settings.ts'
import type { Connection } from './stream/connection.ts'

/** How an instance leaves. */
export interface DrainOptions {
  /** Where clients on TCP are sent (`see-other-host`); without it they come back to where they came from. */
  readonly seeOtherHost?: string
  /** What clients are told; `system-shutdown` when absent. */
  readonly condition?: 'reset' | 'system-shutdown'
  /** Milliseconds over which the streams are ended, so that not all come back at once; configured when absent. */
  readonly over?: number
  /** Aborts when the time for leaving is over. */
  readonly deadline?: AbortSignal
  /** Aborts when the instance is to stay after all: who is still here is left in peace. */
  readonly cancelled?: AbortSignal
}

const beat = 100
/**
 * How long the last commits and the clients' last words are waited for. What was published is with
 * its owner anyway; and where there is no owner, our death tells it as well.
 */
const patience = 5_000

/** The longest that a drain over a window takes, in milliseconds, with time for what a busy machine adds. */
export function longestDrain({ window, jitter }: Settings['drain']): number {
  return window * (1 + jitter) + 2 * patience
}

/** Ends all streams, a few at a time, and waits until the owners have taken what the clients sent. */
export async function drainConnections(
  { env, log, sessions, settings, bus, instance }: Services,
  connections: ReadonlySet<Connection>,
  options: DrainOptions,
): Promise<void> {
  const { seeOtherHost, condition = 'system-shutdown', deadline, cancelled } = options
  const { window, jitter } = settings.drain
  const over = options.over ?? window
  const farewell = (): StreamError =>
    seeOtherHost === undefined
      ? new StreamError(condition)
      : new StreamError('see-other-host', undefined, { otherHost: seeOtherHost })
  // After a reset no session is known anywhere.
  const stays = condition === 'reset' || (await isAlone(bus, instance))
  const where = { ...settings.drain, isAlone: stays }
  const all = [...connections]
  const perBeat = Math.max(10, Math.ceil((all.length * beat) / Math.max(beat, over)))
  const hurried = AbortSignal.any([deadline, cancelled].filter((signal) => signal !== undefined))
  log.info('drain_started', { streams: all.length })
  for (let at = 0; at < all.length && !cancelled?.aborted; at += perBeat) {
    for (const connection of all.slice(at, at + perBeat)) leave(connection, farewell(), where)
    if (at + perBeat < all.length) await sleep(env.clock, varied(beat, jitter, env), hurried)
  }
  const patient = env.clock.monotonic() + patience
  const isLate = (): boolean => hurried.aborted || env.clock.monotonic() > patient
  // After a reset nobody takes what clients said last: the owners are gone with the bus.
  const isDone = (): boolean =>
    connections.size === 0 && (condition === 'reset' || sessions.size === 0)
  while (!isDone() && !isLate()) await sleep(env.clock, beat, hurried)
  const left = { sessions: sessions.size, streams: connections.size }
  log.info(cancelled?.aborted ? 'drain_cancelled' : 'drain_finished', left)
}

/** Whether there is no other instance at which a session could go on. */
async function isAlone(bus: Bus, instance: string): Promise<boolean> {
  const instances = await bus.instances().catch(() => [])
  return !instances.some(
    ({ id, role, info }) =>
      id !== instance && role === 'connection-manager' && info.draining !== 'true',
  )
}

/** Where clients may go instead. */
type Elsewhere = Settings['drain'] & { readonly isAlone: boolean }

function leave(
  connection: Connection,
  error: StreamError,
  { seeOtherUri, seeOtherBosh, isAlone }: Elsewhere,
): void {
  const { handler, framing, transport } = connection
  if (handler instanceof Session) handler.settle()
  const ending = handler instanceof Session ? 'dropped' : 'error'
  // RFC 7395 §3.6.1: said instead of an error, which would end the client's efforts.
  if (framing.name === 'websocket' && seeOtherUri !== undefined)
    connection.finish(ending, { seeOtherUri })
  // XEP-0124 §17.2: the session ends there, and begins anew at the other place.
  else if (framing.name === 'bosh' && seeOtherBosh !== undefined)
    connection.finish('error', { seeOtherUri: seeOtherBosh })
  else if (!isAlone && transport.carrier?.handOver()) return
  else connection.fail(error, ending)
}

/** A duration give or take `jitter`, a share from 0 to 1. */
function varied(duration: number, jitter: number, env: Env): number {
  const chance = Buffer.from(env.random(4)).readUInt32BE(0) / 2 ** 32
  return duration * (1 + jitter * (2 * chance - 1))
}
