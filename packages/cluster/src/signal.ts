/** Wakes one waiting loop; a notice given while nobody waits is kept. */
export class Signal {
  #noticed = false
  #wake: (() => void) | undefined

  notify(): void {
    this.#noticed = true
    this.#wake?.()
    this.#wake = undefined
  }

  /** Resolves at the next notice, or at once when one was given since the last call. */
  async wait(): Promise<void> {
    if (!this.#noticed) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#noticed = false
  }
}
