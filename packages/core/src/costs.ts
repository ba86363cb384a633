/** What an account may make the server do. */
export interface CostRate {
  /** Delivery units a second. */
  readonly perSecond: number
  /** Units that may be spent at once after a quiet time. */
  readonly burst: number
}

interface Account {
  units: number
  /** Milliseconds of the step's clock. */
  at: number
}

/** More accounts than this, and those whose units are all there again are forgotten. */
const tracked = 10_000

/**
 * Delivery units of each account: a stanza costs what it makes the server send, so that amplification is charged to its
 * cause (XEP-0205; V49). Kept by the owner in memory: a new owner begins anew, which forgives a debt and never makes one.
 */
export class Costs {
  readonly #rate: CostRate | undefined
  readonly #accounts = new Map<string, Account>()

  /** @param rate undefined charges nobody */
  constructor(rate: CostRate | undefined) {
    this.#rate = rate
  }

  /**
   * Takes units, going into debt where there are not enough: what was asked has been done.
   *
   * @returns milliseconds until the debt is paid; 0 when there is none
   */
  charge(account: string, units: number, now: number): number {
    const rate = this.#rate
    if (!rate) return 0
    const known = this.#accounts.get(account) ?? { units: rate.burst, at: now }
    const left = this.#left(known, rate, now) - units
    this.#accounts.delete(account)
    this.#accounts.set(account, { units: left, at: now })
    if (this.#accounts.size > tracked) this.#forget(rate, now)
    return left >= 0 ? 0 : Math.ceil((-left * 1_000) / rate.perSecond)
  }

  #left({ units, at }: Account, rate: CostRate, now: number): number {
    return Math.min(rate.burst, units + (Math.max(0, now - at) * rate.perSecond) / 1_000)
  }

  /** The longest quiet are first. */
  #forget(rate: CostRate, now: number): void {
    for (const [account, known] of this.#accounts) {
      if (this.#left(known, rate, now) < rate.burst) return
      this.#accounts.delete(account)
    }
  }
}
