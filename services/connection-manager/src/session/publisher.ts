import type { Bus, InputFrame, StreamName } from '@tactus/bus'
import type { Cancel, Env } from '@tactus/env'
import type { SessionLink, Taken } from './session-link.ts'

/** What the publisher tells about itself. */
export interface PublisherHooks {
  /** A publish was refused or its outcome is unknown, `failures` times in a row; it will be repeated. */
  retried(stream: StreamName, error: unknown, failures: number): void
  /** A partition that took no inputs takes them again; its sockets were not read meanwhile. */
  unblocked(stream: StreamName): void
}

/** Publishes that may be under way to one stream at once; more would only be thrown away on failure. */
const maxInFlight = 4
const firstDelay = 50
/** Who waits longer keeps clients waiting that could be served: a stream takes one try a second easily. */
const maxDelay = 1_000

/** One partition's stream. */
interface Lane {
  readonly stream: StreamName
  links: SessionLink[]
  others: InputFrame[]
  inFlight: number
  failures: number
  /** From a refusal until something is accepted again. */
  isBlocked: boolean
  cancelRetry: Cancel | undefined
}

/**
 * Brings inputs to the partition streams: one entry a turn and stream, whatever the number of
 * sessions.
 *
 * When a publish fails, what it held is published again, and everything of the same sessions after
 * it; what was accepted twice is dropped by the owner, who knows the numbers.
 */
export class Publisher {
  readonly #bus: Bus
  readonly #env: Env
  readonly #hooks: PublisherHooks
  readonly #lanes = new Map<StreamName, Lane>()
  #dirty: Lane[] = []
  #scheduled: NodeJS.Immediate | undefined
  #stopped = false

  constructor(bus: Bus, env: Env, hooks: PublisherHooks) {
    this.#bus = bus
    this.#env = env
    this.#hooks = hooks
  }

  /** The link has something to publish. */
  wake(link: SessionLink): void {
    if (link.queued) return
    link.queued = true
    const lane = this.#lane(link.stream)
    lane.links.push(link)
    this.#schedule(lane)
  }

  /** Publishes a frame that belongs to no session; repeated until it is accepted. */
  post(stream: StreamName, frame: InputFrame): void {
    const lane = this.#lane(stream)
    lane.others.push(frame)
    this.#schedule(lane)
  }

  isBlocked(stream: StreamName): boolean {
    return this.#lanes.get(stream)?.isBlocked ?? false
  }

  [Symbol.dispose](): void {
    this.#stopped = true
    clearImmediate(this.#scheduled)
    for (const lane of this.#lanes.values()) lane.cancelRetry?.()
  }

  #lane(stream: StreamName): Lane {
    const known = this.#lanes.get(stream)
    if (known) return known
    const lane: Lane = {
      stream,
      links: [],
      others: [],
      inFlight: 0,
      failures: 0,
      isBlocked: false,
      cancelRetry: undefined,
    }
    this.#lanes.set(stream, lane)
    return lane
  }

  #schedule(lane: Lane): void {
    if (this.#dirty.includes(lane)) return
    this.#dirty.push(lane)
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined
      const lanes = this.#dirty
      this.#dirty = []
      for (const each of lanes) this.#flush(each)
    })
  }

  #flush(lane: Lane): void {
    if (this.#stopped || lane.cancelRetry || lane.inFlight >= maxInFlight) return
    const frames: InputFrame[] = []
    const { links, others } = lane
    lane.links = []
    lane.others = []
    const taken: [SessionLink, Taken][] = []
    for (const link of links) {
      link.queued = false
      taken.push([link, link.take(frames)])
    }
    frames.push(...others)
    if (frames.length === 0) {
      this.#unblock(lane)
      return
    }
    lane.inFlight += 1
    this.#bus.publish(lane.stream, frames).then(
      () => this.#accepted(lane),
      (error: unknown) => this.#refused(lane, taken, others, error),
    )
  }

  #accepted(lane: Lane): void {
    lane.inFlight -= 1
    lane.failures = 0
    this.#unblock(lane)
    if (lane.links.length > 0 || lane.others.length > 0) this.#schedule(lane)
  }

  #refused(
    lane: Lane,
    taken: readonly [SessionLink, Taken][],
    others: readonly InputFrame[],
    error: unknown,
  ): void {
    lane.inFlight -= 1
    if (this.#stopped) return
    for (const [link, before] of taken) {
      link.untake(before)
      this.wake(link)
    }
    lane.others = [...others, ...lane.others]
    if (lane.cancelRetry) return
    const delay = this.#delay(lane)
    lane.cancelRetry = this.#env.clock.after(delay, () => {
      lane.cancelRetry = undefined
      this.#schedule(lane)
    })
    this.#hooks.retried(lane.stream, error, lane.failures)
    lane.isBlocked = true
  }

  #unblock(lane: Lane): void {
    if (!lane.isBlocked) return
    lane.isBlocked = false
    this.#hooks.unblocked(lane.stream)
  }

  /** Twice as long each time, ± 25 %, so that instances do not come back all at once. */
  #delay(lane: Lane): number {
    const delay = Math.min(maxDelay, firstDelay * 2 ** Math.min(lane.failures, 10))
    lane.failures += 1
    const [byte = 0] = this.#env.random(1)
    return Math.round(delay * (0.75 + byte / 512))
  }
}
