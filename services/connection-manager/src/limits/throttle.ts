import type { Clock } from '@tactus/env'
import type { Connection } from '../stream/connection.ts'

const period = 100

/** Reads throttled connections again when their debt is paid: one timer for all, none when idle. */
export class Throttle {
  readonly #clock: Clock
  readonly #reason: number
  readonly #waiting = new Map<Connection, number>()
  #armed = false

  /** @param reason what these connections are held for */
  constructor(clock: Clock, reason: number) {
    this.#clock = clock
    this.#reason = reason
  }

  /** Reads nothing from a connection for so many milliseconds from now on, if not longer already. */
  pause(connection: Connection, delay: number): void {
    connection.hold(this.#reason)
    const at = this.#clock.monotonic() + delay
    this.#waiting.set(connection, Math.max(at, this.#waiting.get(connection) ?? 0))
    this.#arm()
  }

  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    this.#clock.after(period, () => {
      this.#armed = false
      const now = this.#clock.monotonic()
      const due = [...this.#waiting].filter(([, at]) => at <= now)
      for (const [connection] of due) this.#waiting.delete(connection)
      if (this.#waiting.size > 0) this.#arm()
      for (const [connection] of due) connection.release(this.#reason)
    })
  }
}
