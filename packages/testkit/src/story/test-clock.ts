import type { Cancel, Clock } from '@tactus/env'
import { realEnv } from '@tactus/env'

interface Arranged {
  readonly due: number
  readonly task: () => void
  cancel: Cancel
}

/** The real clock, which can be set forward: what was arranged for the time between happens at once. */
export class TestClock implements Clock {
  readonly #real: Clock = realEnv().clock
  readonly #arranged = new Set<Arranged>()
  #ahead = 0

  now(): number {
    return this.#real.now() + this.#ahead
  }

  monotonic(): number {
    return this.#real.monotonic() + this.#ahead
  }

  after(delay: number, task: () => void): Cancel {
    const arranged: Arranged = { due: this.monotonic() + delay, task, cancel: () => {} }
    const run = (): void => {
      if (this.#arranged.delete(arranged)) task()
    }
    const cancelReal = this.#real.after(delay, run)
    arranged.cancel = () => {
      this.#arranged.delete(arranged)
      cancelReal()
    }
    this.#arranged.add(arranged)
    return arranged.cancel
  }

  advance(milliseconds: number): void {
    this.#ahead += milliseconds
    const due = [...this.#arranged].filter((arranged) => arranged.due <= this.monotonic())
    for (const arranged of due.sort((one, other) => one.due - other.due)) {
      if (!this.#arranged.has(arranged)) continue
      arranged.cancel()
      arranged.task()
    }
  }
}
