import assert from 'node:assert/strict'
import type { Bus, DeliverTarget, InputFrame, OutputFrame } from '@tactus/bus'
import { entityOf, partitionOf, partitionStream } from '@tactus/cluster'
import { Stanza, type XmlElement } from '@tactus/xml'
import type { Connection } from './target.ts'

/** XEP-0352 */
const clientState = 'urn:xmpp:csi:0'

/** A bound resource without a socket: speaks the frames that a connection manager speaks, and checks their numbers. */
export class MemoryConnection implements Connection {
  readonly id: string
  readonly account: string
  readonly inbox: Stanza[] = []
  jid = ''
  ended: string | undefined
  readonly #bus: Bus
  readonly #stream: string
  readonly #opened = Promise.withResolvers<void>()
  #seq = 1
  #last = 0

  constructor(bus: Bus, id: string, account: string, partitions: number) {
    this.#bus = bus
    this.id = id
    this.account = account
    this.#stream = partitionStream(partitionOf(entityOf(account), partitions))
  }

  async open(cm: string, resource: string | undefined, credentials: number): Promise<void> {
    await this.#publish({
      kind: 'session.open',
      ...this.#source(),
      cm,
      resource,
      credentials,
      anonymous: false,
      info: { address: '127.0.0.1' },
    })
    await this.#opened.promise
  }

  send(element: XmlElement): void {
    this.#seq += 1
    if (element.getNS() === clientState) {
      const state = element.getName() as 'active' | 'inactive'
      void this.#publish({ kind: 'session.state', ...this.#source(), state })
      return
    }
    void this.#publish({ kind: 'session.stanza', ...this.#source(), stanza: Stanza.from(element) })
  }

  async end(reason: 'closed' | 'dropped'): Promise<void> {
    if (this.ended !== undefined) return
    this.ended = reason
    this.#seq += 1
    await this.#publish({ kind: 'session.close', ...this.#source(), reason })
  }

  take(frame: OutputFrame): void {
    switch (frame.kind) {
      case 'session.opened':
        this.jid = frame.jid
        return this.#opened.resolve()
      case 'session.refused':
        return this.#opened.reject(new Error(`binding was refused: ${frame.condition}`))
      case 'session.end':
        this.ended ??= frame.condition ?? 'closed'
        return
      case 'gap':
        return assert.fail(`the owner says that it lacks input ${frame.expected}`)
      default:
        return
    }
  }

  deliver(stanza: Stanza, { n, to }: DeliverTarget): void {
    assert.equal(n, this.#last + 1, 'deliveries come in order, once, without a gap')
    this.#last = n
    if (this.ended === undefined) this.inbox.push(to === undefined ? stanza : stanza.with({ to }))
  }

  /** Says that everything received was written to the client. */
  acknowledge(): void {
    if (this.ended !== undefined || this.#last === 0) return
    const { entity, session, epoch } = this.#source()
    void this.#publish({ kind: 'session.ack', entity, session, epoch, n: this.#last })
  }

  #source(): { entity: string; session: string; epoch: number; seq: number } {
    return { entity: this.account, session: this.id, epoch: 1, seq: this.#seq }
  }

  #publish(frame: InputFrame): Promise<void> {
    return this.#bus.publish(this.#stream, [frame])
  }
}
