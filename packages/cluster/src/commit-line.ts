import {
  type Bus,
  BusUnavailable,
  encodeRecord,
  IncarnationChanged,
  type Position,
  type StepRecord,
} from '@tactus/bus'
import { type Env, sleep } from '@tactus/env'
import {
  type StepTransaction,
  type Storage,
  StorageRefused,
  StorageUnavailable,
} from '@tactus/storage'
import type { Sealed } from './sealed.ts'

/** A record of the outbox that no stream needs any more. */
export interface Forgettable {
  readonly router: string
  readonly step: number
}

/** The step is written. */
export interface Applied {
  readonly outcome: 'applied'
  /** Empty when an earlier attempt did it. */
  readonly positions: readonly Position[]
  readonly durable: boolean
  /** Its record is in the outbox. */
  readonly kept: boolean
}

/** What became of a step. */
export type StepOutcome =
  | Applied
  | { readonly outcome: 'fenced' }
  | { readonly outcome: 'lost' }
  /** Its rows are at fault; nothing of it was written. */
  | { readonly outcome: 'refused'; readonly error: StorageRefused }

const fenced: StepOutcome = { outcome: 'fenced' }
const lost: StepOutcome = { outcome: 'lost' }

/** Pauses between attempts whose outcome is unknown, ms. */
const firstPause = 20
const longestPause = 2000

/** Writes one step: rows first, then the bus (design §3.3); each is repeated until its outcome is known. */
export class CommitLine {
  readonly #bus: Bus
  readonly #storage: Storage
  readonly #env: Env
  readonly #router: string
  readonly #records: 'all' | 'needed' | 'none'
  readonly #signal: AbortSignal

  constructor(options: {
    readonly bus: Bus
    readonly storage: Storage
    readonly env: Env
    readonly router: string
    /** `needed`: only for what would be lost with a bus that dies with this process. */
    readonly records: 'all' | 'needed' | 'none'
    readonly signal: AbortSignal
  }) {
    this.#bus = options.bus
    this.#storage = options.storage
    this.#env = options.env
    this.#router = options.router
    this.#records = options.records
    this.#signal = options.signal
  }

  async commit(sealed: Sealed, forget: readonly Forgettable[]): Promise<StepOutcome> {
    const record: StepRecord = {
      router: this.#router,
      step: sealed.number,
      operations: sealed.operations,
    }
    const durable = sealed.durable || forget.length > 0
    this.#env.failpoint('step:before-rows')
    if (durable) {
      const rows = await this.#rows({
        router: this.#router,
        step: sealed.number,
        record: this.#isKept(sealed) ? encodeRecord(record) : undefined,
        writes: sealed.writes,
        forget: forget.map(({ router, step }) => ({ router, step })),
      })
      if (rows) return rows
    }
    this.#env.failpoint('step:between')
    return this.#apply(record, durable, durable && this.#isKept(sealed))
  }

  #isKept(sealed: Sealed): boolean {
    if (this.#records !== 'needed') return this.#records === 'all'
    return sealed.needed.size > 0
  }

  /** Undefined when the rows are written. */
  #rows(transaction: StepTransaction): Promise<StepOutcome | undefined> {
    return this.#repeat(async (): Promise<StepOutcome | undefined> => {
      try {
        const written = this.#storage.commit(transaction)
        this.#env.failpoint('step:in-rows')
        return (await written) === 'fenced' ? fenced : undefined
      } catch (error) {
        if (error instanceof StorageRefused) return { outcome: 'refused', error }
        throw error
      }
    })
  }

  #apply(record: StepRecord, durable: boolean, kept: boolean): Promise<StepOutcome> {
    return this.#repeat(async (): Promise<StepOutcome> => {
      const outcome = await this.#bus.commit(record)
      this.#env.failpoint('step:before-reply')
      if ('positions' in outcome)
        return { outcome: 'applied', positions: outcome.positions, durable, kept }
      return outcome.outcome === 'fenced' ? fenced : lost
    })
  }

  /** The same again until the outcome is known; the counters make that safe. */
  async #repeat<T>(attempt: () => Promise<T>): Promise<T | StepOutcome> {
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      try {
        return await attempt()
      } catch (error) {
        if (error instanceof IncarnationChanged) return lost
        if (!(error instanceof BusUnavailable || error instanceof StorageUnavailable)) throw error
      }
      await sleep(this.#env.clock, pause, this.#signal)
      if (this.#signal.aborted) return fenced
    }
  }
}
