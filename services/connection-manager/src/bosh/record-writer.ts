import { IncarnationChanged } from '@tactus/bus'
import { sleep } from '@tactus/env'
import type { Services } from '../services.ts'
import { type BoshRecord, encodeBoshRecord, recordName } from './record.ts'

const retryAfter = 200
/** Milliseconds that a record outlives the longest silence. */
const slack = 60_000

/** Writes the record of one session, for as long as this instance is the one to write it. */
export class RecordWriter {
  readonly #services: Services
  readonly #sid: string
  readonly #ttl: number
  #version: number
  #isStopped = false

  constructor(services: Services, sid: string, version: number) {
    const { wait, inactivity, maxPause } = services.settings.bosh
    this.#services = services
    this.#sid = sid
    this.#version = version
    this.#ttl = (wait + Math.max(inactivity, maxPause)) * 1_000 + slack
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#isStopped = true
  }

  /** Writes the record, or removes it; tries until it is known what became of that. False where another instance has written. */
  async write(record: BoshRecord | undefined): Promise<boolean> {
    const value = record && encodeBoshRecord(record)
    for (let attempt = 1; ; attempt += 1) {
      const isOurs = await this.#try(value, attempt)
      if (isOurs !== undefined) return isOurs
      await sleep(this.#services.env.clock, retryAfter)
    }
  }

  /** Undefined where nobody can say what became of it. */
  async #try(value: Uint8Array | undefined, attempt: number): Promise<boolean | undefined> {
    const { bus, log } = this.#services
    try {
      const isOurs = await bus.replace(recordName(this.#sid), this.#version, value, this.#ttl)
      if (isOurs) this.#version += 1
      return isOurs
    } catch (error) {
      // All is gone with the bus, and the stream about to be ended.
      if (error instanceof IncarnationChanged || this.#isStopped) return true
      if (attempt === 1) log.warn('bosh_record_unwritten', { err: error })
      return undefined
    }
  }
}
