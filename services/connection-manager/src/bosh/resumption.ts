import type { SessionResume } from '@tactus/bus'
import { partitionOf, partitionStream } from '@tactus/cluster'
import { bare, type FullJid, parseJid } from '@tactus/jid'
import { StreamError } from '@tactus/stanza'
import { type ResponseHeader, StreamCounters } from '@tactus/stream'
import type { Services } from '../services.ts'
import { Session } from '../session/session.ts'
import type { ResumeAnswer } from '../session/session-registry.ts'
import type { Connection } from '../stream/connection.ts'
import type { StreamHandler } from '../stream/handler.ts'
import type { BoshRecord } from './record.ts'

/** What a resumption tells when its owner has answered: stanzas it has handled, or undefined where there is no session. */
export type Resumed = (handled: number | undefined) => void

/** Until the owner has answered, the handler of a session that was taken over (design §3.7). */
export class Resumption implements StreamHandler {
  readonly #services: Services
  readonly #connection: Connection
  readonly #record: BoshRecord
  readonly #resumed: Resumed

  constructor(options: {
    readonly services: Services
    readonly connection: Connection
    readonly record: BoshRecord
    readonly resumed: Resumed
  }) {
    this.#services = options.services
    this.#connection = options.connection
    this.#record = options.record
    this.#resumed = options.resumed
  }

  /** Asks the owner. What is under way of it at the old instance is void from then on. */
  start(): void {
    const { services, account, stream } = this.#where()
    const { session, acknowledged, base, info } = this.#record
    const frame: SessionResume = {
      kind: 'session.resume',
      entity: account,
      session,
      attempt: Buffer.from(services.env.random(16)).toString('base64url'),
      cm: services.instance,
      h: (acknowledged - base) >>> 0,
      info,
    }
    services.sessions.resume(stream, frame, (answer) => this.#answered(answer))
  }

  opened(): never {
    throw new StreamError('policy-violation')
  }

  element(): never {
    throw new StreamError('policy-violation')
  }

  header(): ResponseHeader {
    return { from: this.#record.terms.to, to: undefined, id: '' }
  }

  closing(): void {}
  ended(): void {}
  expired(): void {}
  stalled(): void {}
  drained(): void {}

  #answered({ outcome, link }: ResumeAnswer): Session | undefined {
    if (!this.#connection.isOpen) return undefined
    if (!outcome.resumed || !link) {
      this.#resumed(undefined)
      return undefined
    }
    const { given, acknowledged } = this.#record
    const { base, to, h, jid } = outcome
    const counters = new StreamCounters({ base, acknowledged, handled: h })
    const session = new Session(this.#services, this.#connection, {
      link,
      jid: jid as FullJid,
      resumed: { counters, from: given, to, acknowledged },
    })
    this.#connection.handler = session
    this.#connection.setLimits(this.#services.settings.client)
    const { streams } = this.#services.metrics
    streams.with({ state: 'negotiating' }).dec()
    streams.with({ state: 'bound' }).inc()
    this.#resumed(h)
    return session
  }

  #where(): { services: Services; account: ReturnType<typeof bare>; stream: string } {
    const services = this.#services
    const account = bare(parseJid(this.#record.jid))
    const stream = partitionStream(partitionOf(account, services.settings.partitions))
    return { services, account, stream }
  }
}
