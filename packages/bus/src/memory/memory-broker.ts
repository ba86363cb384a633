import {
  type Entry,
  IncarnationChanged,
  type InstanceInfo,
  type Position,
  type StreamName,
} from '../bus.ts'
import { MemoryState } from './memory-state.ts'
import { RequestDesk } from './request-desk.ts'

/** A read that waits for entries. */
export interface Waiter {
  readonly positions: ReadonlyMap<StreamName, Position>
  wake(): void
  fail(error: Error): void
}

interface Announcement {
  readonly instance: InstanceInfo
  /** On the announcer's monotonic clock, milliseconds. */
  readonly deadline: number
}

/**
 * What the handles of one memory bus share: the part of Redis.
 *
 * It lives on when a handle is disposed, so that a test or a simulation can let instances die and be followed.
 */
export class MemoryBroker {
  readonly requests: RequestDesk = new RequestDesk()
  readonly announcements: Map<string, Announcement> = new Map()
  readonly waiters: Set<Waiter> = new Set()
  #marker: number | undefined
  #state: MemoryState

  constructor(incarnation = 1) {
    this.#marker = incarnation
    this.#state = this.#empty()
  }

  /** The incarnation whose data is here; undefined after a loss. */
  get marker(): number | undefined {
    return this.#marker
  }

  /** What `incarnation` holds. @throws {IncarnationChanged} */
  state(incarnation: number): MemoryState {
    if (this.#marker !== incarnation) throw changed(incarnation, this.#marker)
    return this.#state
  }

  /** Opens `incarnation`; `create` writes its marker where it is missing or older. @throws {IncarnationChanged} */
  open(incarnation: number, create: boolean): void {
    if (this.#marker === incarnation) return
    if (!create || (this.#marker ?? 0) > incarnation) throw changed(incarnation, this.#marker)
    this.#lose()
    this.#marker = incarnation
  }

  /** Loses everything, marker included, as an emptied Redis does. */
  clear(): void {
    this.#lose()
    this.#marker = undefined
    this.announcements.clear()
  }

  #lose(): void {
    this.#state = this.#empty()
    const error = new IncarnationChanged('the bus was emptied')
    for (const waiter of [...this.waiters]) waiter.fail(error)
  }

  #empty(): MemoryState {
    return new MemoryState((stream) => {
      if (this.waiters.size === 0) return
      for (const waiter of [...this.waiters]) if (waiter.positions.has(stream)) waiter.wake()
    })
  }
}

function changed(mine: number, marker: number | undefined): IncarnationChanged {
  return new IncarnationChanged(
    `incarnation ${mine} is gone: the bus ${marker === undefined ? 'is empty' : `holds ${marker}`}`,
  )
}

/** What `read` answers: at most `count` entries of each stream. */
export function collect(
  state: MemoryState,
  positions: ReadonlyMap<StreamName, Position>,
  count: number,
): Entry[] {
  const entries: Entry[] = []
  for (const [name, position] of positions)
    state.streams.get(name)?.collect(position, count, entries)
  return entries
}
