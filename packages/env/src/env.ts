/** Takes back something that was arranged; calling it twice is harmless. */
export type Cancel = () => void

/** Time as the core sees it; the simulation replaces it. All figures are milliseconds. */
export interface Clock {
  /** Wall clock, for stamps that people read. May jump. */
  now(): number
  /** Never runs backwards; for every duration, deadline and verdict. */
  monotonic(): number
  /** Runs `task` once, `delay` from now, unless cancelled. */
  after(delay: number, task: () => void): Cancel
}

/**
 * Everything that makes a run of the core differ from the next: time, chance and death.
 *
 * Production hands in the real ones, the simulation its own, so that a seed replays a run exactly.
 */
export interface Env {
  readonly clock: Clock
  /** Cryptographically strong bytes in production; seeded in the simulation. */
  random(length: number): Uint8Array
  /**
   * Marks a place where the process may be made to die (`FAILPOINT=name:n`, n-th pass).
   *
   * Names are listed in docs/reliability.md; an unset failpoint costs one comparison.
   */
  failpoint(name: string): void
}

/** Waits `delay` milliseconds, or until the signal fires (then it resolves early, it never rejects). */
export function sleep(clock: Clock, delay: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = (): void => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delay, done)
    signal?.addEventListener('abort', done)
  })
}
