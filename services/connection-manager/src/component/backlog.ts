import type { Env } from '@tactus/env'
import { NS_COMPONENT } from '@tactus/stanza'
import type { Item, Shard } from '../s2s/shard.ts'
import { WrittenMarks } from '../session/written.ts'
import type { ComponentStream } from './component-stream.ts'

/** Why a stanza for a component goes back to its sender. */
export type Refusal = 'remote-server-timeout' | 'remote-server-not-found' | 'resource-constraint'

/** What waits of one component on this instance, over all its shards. */
export interface Waiting {
  stanzas: number
  bytes: number
}

/** What a backlog asks of what holds it. */
export interface BacklogPorts {
  readonly env: Env
  readonly limits: { readonly stanzas: number; readonly bytes: number }
  /** Shared by all shards of the component. */
  readonly waiting: Waiting
  /** Milliseconds that a stanza may wait; undefined where there is no such component any more. */
  patience(): number | undefined
  /** The connection that this shard should go by. */
  stream(): ComponentStream | undefined
  /** Whether what is written now cannot be another instance's to write. */
  isSure(): boolean
  written(item: Item): void
  bounced(item: Item, condition: Refusal, text: string): void
}

interface Sent {
  readonly item: Item
  readonly n: number
}

/**
 * What waits of one shard of a component, and the connection that it goes by.
 *
 * XEP-0114 knows no acknowledgements: what the system has taken for a connection counts as delivered. What it had not taken
 * when a connection ended goes by the next one, so that some of it may arrive twice, and none is lost on the way out.
 */
export class Backlog {
  readonly shard: Shard
  readonly #ports: BacklogPorts
  #queue: Item[] = []
  #sent: Sent[] = []
  #stream: ComponentStream | undefined
  #marks = new WrittenMarks()
  #n = 0

  constructor(shard: Shard, ports: BacklogPorts) {
    this.shard = shard
    this.#ports = ports
  }

  get queued(): number {
    return this.#queue.length + this.#sent.length
  }

  add(item: Item): void {
    const { limits, waiting } = this.#ports
    const patience = this.#ports.patience()
    if (patience === undefined)
      return this.#ports.bounced(item, 'remote-server-not-found', `${item.frame.to} is no more`)
    if (patience === 0 && !this.#ports.stream())
      return this.#ports.bounced(item, 'remote-server-timeout', `${item.frame.to} is away`)
    const isFull = waiting.bytes + item.bytes > Math.max(limits.bytes, item.bytes)
    if (waiting.stanzas >= limits.stanzas || isFull)
      return this.#ports.bounced(item, 'resource-constraint', `too much waits for ${item.frame.to}`)
    this.#queue.push(item)
    this.#count(item, 1)
    this.go()
  }

  /** Looks at what was written, what has waited for too long, and what can be written. */
  tick(): void {
    this.#settleWritten()
    this.#expire()
    this.go()
  }

  /** A connection of the component ended. */
  lost(stream: ComponentStream): void {
    if (this.#stream !== stream) return
    this.#settleWritten()
    this.#stream = undefined
    const again = this.#sent.splice(0).map(({ item }) => item)
    this.shard.busy -= again.length
    this.#queue = [...again, ...this.#queue]
    if (this.shard.leaving) return this.leave()
    this.go()
  }

  /** The shard goes to another instance, which reads again what waits; what is with a connection already is still settled. */
  leave(): void {
    this.#settleWritten()
    for (const item of this.#queue.splice(0)) this.#count(item, -1)
  }

  /** Forgets everything: the shard is another's. */
  drop(): void {
    this.leave()
    this.shard.busy -= this.#sent.length
    for (const { item } of this.#sent.splice(0)) this.#count(item, -1)
  }

  go(): void {
    if (this.#queue.length === 0 || !this.#ports.isSure()) return
    const stream = this.#choose()
    if (!stream) return
    const { connection } = stream
    while (!stream.isStalled && connection.isOpen) {
      const item = this.#queue.shift()
      if (!item) return
      this.#n += 1
      this.#sent.push({ item, n: this.#n })
      this.shard.busy += 1
      const stanza = item.frame.stanza.inNamespace(NS_COMPONENT)
      for (const to of item.frame.recipients) {
        const bytes = connection.framing.stanza(stanza.to === to ? stanza : stanza.with({ to }))
        this.#marks.mark(this.#n, connection.sendBytes(bytes), connection.bytesWritten)
      }
    }
  }

  /** Another connection takes over behind what the one before was given, so that order stays. */
  #choose(): ComponentStream | undefined {
    const wanted = this.#ports.stream()
    if (!wanted || wanted === this.#stream) return wanted
    this.#settleWritten()
    if (this.#sent.length > 0) return this.#stream
    this.#stream = wanted
    this.#marks = new WrittenMarks(this.#n)
    return wanted
  }

  #settleWritten(): void {
    if (!this.#stream || this.#sent.length === 0) return
    const { connection } = this.#stream
    const upTo = this.#marks.advance(connection.bytesWritten - connection.transport.writableLength)
    const after = this.#sent.findIndex(({ n }) => n > upTo)
    for (const { item } of this.#sent.splice(0, after < 0 ? this.#sent.length : after)) {
      this.#count(item, -1)
      this.shard.busy -= 1
      this.#ports.written(item)
    }
  }

  #expire(): void {
    const patience = this.#ports.patience()
    const oldest = this.#ports.env.clock.now() - (patience ?? 0)
    for (;;) {
      const [item] = this.#queue
      if (!item || (patience !== undefined && item.frame.at >= oldest)) return
      this.#queue.shift()
      this.#count(item, -1)
      const condition = patience === undefined ? 'remote-server-not-found' : 'remote-server-timeout'
      this.#ports.bounced(item, condition, `${item.frame.to} does not take it`)
    }
  }

  #count({ bytes }: Item, by: 1 | -1): void {
    this.#ports.waiting.stanzas += by
    this.#ports.waiting.bytes += by * bytes
  }
}
