import type { Services } from '../services.ts'
import type { BoshTransport } from './bosh-transport.ts'
import type { BoshRecord } from './record.ts'
import { RecordWriter } from './record-writer.ts'
import type { Standing } from './standing.ts'

/** That a session is held here: for as long as this instance is the one to write its record. */
export class Tenure {
  readonly #services: Services
  readonly #standing: Standing
  readonly #transport: BoshTransport
  readonly #writer: RecordWriter

  /** @param version of the record as it stands; 0 where there is none */
  constructor(
    services: Services,
    of: {
      readonly sid: string
      readonly version: number
      readonly standing: Standing
      readonly transport: BoshTransport
    },
  ) {
    this.#services = services
    this.#standing = of.standing
    this.#transport = of.transport
    this.#writer = new RecordWriter(services, of.sid, of.version)
  }

  /** Whether another instance could go on with it. */
  get isBound(): boolean {
    return this.#standing.base !== undefined
  }

  /** Writes how things stand. False where another instance has the session; one that is not bound is nobody else's. */
  async renew(): Promise<boolean> {
    const { acknowledged } = this.#standing
    this.#services.env.failpoint('bosh:unrecorded')
    const isOurs = await this.#write(this.#record(this.#services.instance))
    this.#services.env.failpoint('bosh:recorded')
    if (isOurs && this.isBound) {
      this.#standing.sealed = acknowledged
      this.#transport.session?.acknowledged(acknowledged)
    }
    return isOurs
  }

  /** Leaves the session to whoever is asked next. */
  release(): Promise<boolean> {
    return this.#write(this.#record(''))
  }

  /** Takes the record away, or leaves in it what the client has to be told of the end. */
  end(words?: string): Promise<boolean> {
    const { instance } = this.#services
    return this.#write(words === undefined ? undefined : this.#record(instance, words))
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#writer.stop()
  }

  #record(holder: string, over?: string): BoshRecord | undefined {
    const { session, given } = this.#transport
    return session && this.#standing.record({ holder, session, given, over })
  }

  async #write(record: BoshRecord | undefined): Promise<boolean> {
    return !this.isBound || (await this.#writer.write(record))
  }
}
