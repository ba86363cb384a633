import type { WayBack, WayBackOffer } from '@tactus/bus'
import type { Env } from '@tactus/env'
import type { Handled } from './handled.ts'
import type { Mark } from './ledger.ts'
import type { OutgoingListener, OutgoingStream } from './outgoing-stream.ts'
import type { Problem } from './problem.ts'
import type { RelayPorts } from './relay-outlet.ts'
import type { Item } from './shard.ts'

/** Bounds of what waits for one remote domain. */
export interface RouteLimits {
  readonly stanzas: number
  readonly bytes: number
  /** Milliseconds that a stanza may wait. */
  readonly delivery: number
  /** Milliseconds after which an unused stream is closed. */
  readonly idle: number
  /** Milliseconds that an acknowledgement may take (XEP-0198). */
  readonly acknowledgement: number
  /** Milliseconds for which the other server may come back for what it had not acknowledged. */
  readonly resumption: number
}

/** One of our domains, and one of others. */
export interface Pair {
  readonly local: string
  readonly remote: string
}

/** A route that wants a stream. */
export interface Dialing {
  /** The last attempt led nowhere. */
  readonly hasFailed: boolean
  /** Id of the stream that may be resumed (XEP-0198 §5). */
  readonly resumes: string | undefined
  /** What came by it (XEP-0288). */
  readonly handled: Handled
}

/** What a route asks of the federation. */
export interface RoutePorts {
  readonly env: Env
  readonly limits: RouteLimits
  /** Begins to make a stream; the listener is told what becomes of it. */
  dial(route: Dialing, listener: OutgoingListener): void
  /** Asks to write by a stream of the other server; `busy` while others are at it. */
  attach(offer: WayBackOffer): Promise<WayBack | 'busy' | undefined>
  /** How to write by it. */
  relay(offer: WayBackOffer): RelayPorts
  /** Whether what is written now cannot be another instance's to write. */
  isSure(): boolean
  /** The other server has it, as far as it tells; `marks` go with it. */
  written(item: Item, marks: readonly Mark[]): void
  /** Goes back to its sender. */
  bounced(item: Item, why: Returned, marks: readonly Mark[]): void
}

/** Why a stanza goes back. */
export type Bounce = NonNullable<Problem['final']> | 'resource-constraint' | 'policy-violation'

/** Why a stanza goes back, for programs and for people. */
export interface Returned {
  readonly condition: Bounce
  readonly text: string
}

/** Milliseconds. */
export const within = {
  /** How long a route that goes to another instance waits for what it wrote. */
  leave: 2_000,
  /** How long the other server may take to come back with a stream that it opened, before it is gone to. */
  comeBack: 10_000,
  /** Who has a stream that may be written to tells it again before. */
  offered: 60_000,
} as const

/** Ends a stream that nobody waits for: one that goes on with an earlier one is left to be resumed by who does. */
export function discard({ connection, management }: OutgoingStream): void {
  if (management.beginning.kind === 'resumed') connection.transport.destroy()
  else connection.finish('closed')
}

/** What happens to whatever a route goes by. */
export interface Heard {
  ended(problem: Problem): void
  stalled(isStalled: boolean): void
  acknowledged(): void
}

/** Hears of it for as long as it is what is gone by. */
export function whileMine(
  isMine: () => boolean,
  heard: Heard,
): Required<Pick<OutgoingListener, 'ended' | 'stalled' | 'drained' | 'acknowledged'>> {
  return {
    ended: (problem) => isMine() && heard.ended(problem),
    stalled: () => isMine() && heard.stalled(true),
    drained: () => isMine() && heard.stalled(false),
    acknowledged: () => isMine() && heard.acknowledged(),
  }
}
