import type { Env } from '@tactus/env'
import type { Problem } from './problem.ts'
import type { Returned } from './route-ports.ts'

/** Milliseconds. */
const first = 1_000
const longest = 120_000
/** How long a final refusal is believed. */
const believed = 30_000

/** When another server is tried again. */
export class BackOff {
  readonly #env: Env
  #failures = 0
  #until = 0
  #refusal: Returned | undefined
  #wokenAt = Number.NEGATIVE_INFINITY

  constructor(env: Env) {
    this.#env = env
  }

  get now(): number {
    return this.#env.clock.monotonic()
  }

  /** The last attempt led nowhere. */
  get hasFailed(): boolean {
    return this.#failures > 0
  }

  get isWaiting(): boolean {
    return this.#until > 0
  }

  /** When it is over. */
  get until(): number {
    return this.#until
  }

  get isOver(): boolean {
    return this.now >= this.#until
  }

  /** Why stanzas need not wait at all. */
  get refusal(): Returned | undefined {
    return this.isOver ? undefined : this.#refusal
  }

  /** A stream that was open since then was worth having: one that lets us in and closes at once must not be tried without end. */
  isEarned(since: number): boolean {
    return this.now - since > longest
  }

  /** There is a stream. */
  succeeded(): void {
    this.#until = 0
    this.#refusal = undefined
  }

  /** There was a stream, and all went by it that there was. */
  forgive(): void {
    this.#failures = 0
  }

  /** Nothing is refused any more. */
  welcome(): void {
    this.#refusal = undefined
  }

  /** Doubled with each failure, and by chance up to a half longer, so that not all come back at once. */
  failed(): void {
    const delay = Math.min(first * 2 ** this.#failures, longest)
    const chance = Buffer.from(this.#env.random(2)).readUInt16BE(0) / 2 ** 16
    this.#until = this.now + delay * (1 + chance / 2)
    this.#failures += 1
  }

  refused({ message }: Problem, condition: Returned['condition']): void {
    this.#refusal = { condition, text: message }
    this.#until = this.now + believed
  }

  wait(milliseconds: number): void {
    this.#until = this.now + milliseconds
  }

  /** The other server has shown that it is there. No more often than a first failure is waited for: it may say so all the time. */
  woken(): void {
    if (this.now - this.#wokenAt < first) return
    this.#wokenAt = this.now
    this.#failures = 0
    this.succeeded()
  }
}
