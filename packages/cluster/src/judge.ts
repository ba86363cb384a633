import type { Clock } from '@tactus/env'

/**
 * Who is dead: missing for `ttl` of uninterrupted contact between this judge and the bus, on the judge's monotonic
 * clock (design §3.8). So a bus that was away, and a judge that was stopped, kill nobody.
 *
 * A bus that was away was away for the others too, and each of them finds back to it in its own time: for `ttl` more
 * after contact is back, absence proves nothing.
 */
export class Judge {
  readonly #clock: Clock
  readonly #ttl: number
  /** Since when each of the missing is missing. */
  readonly #missing = new Map<string, number>()
  #contact = Number.NEGATIVE_INFINITY
  /** No verdict before this. */
  #patience = Number.NEGATIVE_INFINITY
  #lost = false

  constructor(clock: Clock, ttl: number) {
    this.#clock = clock
    this.#ttl = ttl
  }

  /** One look at the announcements; `watched` are those whose absence matters. */
  observe(present: ReadonlySet<string>, watched: Iterable<string>): void {
    const now = this.#clock.monotonic()
    if (this.#lost) this.#patience = now + 2 * this.#ttl
    if (this.#lost || now - this.#contact > this.#ttl) this.#missing.clear()
    this.#lost = false
    this.#contact = now
    const before = new Map(this.#missing)
    this.#missing.clear()
    for (const id of watched) if (!present.has(id)) this.#missing.set(id, before.get(id) ?? now)
  }

  /** A look failed: time without contact does not count. */
  lostContact(): void {
    this.#lost = true
  }

  isDead(id: string): boolean {
    const since = this.#missing.get(id)
    const now = this.#clock.monotonic()
    return since !== undefined && now - since >= this.#ttl && now >= this.#patience
  }
}
