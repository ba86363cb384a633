/** Lets so many in at a time; the others wait in their order. */
export class Turnstile {
  readonly #most: number
  #inside = 0
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#most = most
  }

  enter(): Promise<void> {
    if (this.#inside < this.#most) {
      this.#inside += 1
      return Promise.resolve()
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Who waits longest takes the place. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#inside -= 1
  }
}
