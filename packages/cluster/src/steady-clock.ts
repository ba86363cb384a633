import type { Clock } from '@tactus/env'

/** Differences up to this are taken over at once: clocks that are kept drift by less. */
const trusted = 1000
/** How far a look at the clock follows one that jumped, ms. */
const slew = 50

/**
 * A wall clock that does not jump (D3): monotonic time from a base that follows the wall clock slowly.
 *
 * Timers are kept on it, so that a clock set forward by an hour fires nothing early.
 */
export class SteadyClock {
  readonly #clock: Clock
  #base: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#base = clock.now() - clock.monotonic()
  }

  now(): number {
    return this.#base + this.#clock.monotonic()
  }

  /** What to add to the wall clock. */
  offset(): number {
    return this.now() - this.#clock.now()
  }

  /** Follows the wall clock; to be called regularly. */
  adjust(): void {
    const behind = -this.offset()
    this.#base += Math.abs(behind) <= trusted ? behind : Math.sign(behind) * slew
  }
}
