import { RequestFailed, type WayBack, type WayBackProgress } from '@tactus/bus'
import type { Clock } from '@tactus/env'
import { NS_SERVER } from '@tactus/stanza'
import { tcpFraming } from '@tactus/stream'
import type { Stanza } from '@tactus/xml'
import type { OutgoingListener } from './outgoing-stream.ts'
import type { Outlet } from './outlet.ts'

/** What writing by a way back needs. */
export interface RelayPorts {
  readonly clock: Clock
  /** Milliseconds for which the instance with the stream may not answer. */
  readonly patience: number
  isSure(): boolean
  /** Has stanzas written there; undefined where that is over. Asked twice for the same it does it once. @throws {Error} */
  carry(
    key: string,
    first: number,
    stanzas: readonly Uint8Array[],
  ): Promise<WayBackProgress | undefined>
  detach(key: string): void
}

type RelayListener = Required<
  Pick<OutgoingListener, 'ended' | 'stalled' | 'drained' | 'acknowledged'>
>

interface Waiting {
  readonly n: number
  readonly bytes: Uint8Array
}

const framing = tcpFraming(NS_SERVER)
/** What goes in one request, and what may wait for one. */
const most = { stanzas: 64, bytes: 262_144 }
const mostWaiting = 256
/** Milliseconds after which one that nothing went by is asked whether it is there still. */
const idleFor = 30_000

/**
 * A stream that the other server opened to whatever instance of ours (XEP-0288).
 *
 * Its instance keeps nothing: what was not acknowledged when the stream or the instance is gone is here, and in the shard.
 */
export class RelayOutlet implements Outlet {
  readonly isManaged: boolean
  readonly mostBytes: number | undefined
  readonly #key: string
  readonly #ports: RelayPorts
  readonly #listener: RelayListener
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #isOpen = true
  #delivered: number
  #next: number
  #last: number
  #isAsking = false
  #isStalled = false
  #askedAt = 0
  #failingSince: number | undefined

  constructor(way: WayBack, ports: RelayPorts, listener: RelayListener) {
    const { key, isManaged, mostBytes, count } = way
    this.#key = key
    this.isManaged = isManaged
    this.mostBytes = mostBytes
    this.#delivered = count
    this.#next = count + 1
    this.#last = count
    this.#ports = ports
    this.#listener = listener
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get hasRoom(): boolean {
    return this.#waiting.length < mostWaiting && this.#waitingBytes < most.bytes
  }

  get delivered(): number {
    return this.#delivered
  }

  send(stanza: Stanza, n: number): void {
    const bytes = framing.stanza(stanza.inNamespace(NS_SERVER))
    this.#waiting.push({ n, bytes })
    this.#waitingBytes += bytes.length
    this.#last = n
  }

  flushed(): void {
    void this.#ask()
  }

  look(): void {
    const isDue = this.#ports.clock.monotonic() - this.#askedAt > idleFor
    if (this.#delivered < this.#last || this.#isStalled || isDue) void this.#ask()
  }

  isMute(): boolean {
    // Whoever has the stream sees to that.
    return false
  }

  close(): void {
    this.#end()
  }

  drop(): void {
    this.#end()
  }

  #end(message?: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#ports.detach(this.#key)
    if (message !== undefined) this.#listener.ended({ message, final: undefined })
  }

  async #ask(): Promise<void> {
    if (this.#isAsking || !this.#isOpen || !this.#ports.isSure()) return
    this.#isAsking = true
    this.#askedAt = this.#ports.clock.monotonic()
    try {
      const batch = this.#batch()
      const answer = await this.#ports.carry(this.#key, this.#next, batch)
      this.#failingSince = undefined
      if (answer) this.#got(answer)
      else this.#end('the other side ended its stream')
    } catch (error) {
      this.#failed(error)
    }
    this.#isAsking = false
    const mayGoOn = this.#failingSince === undefined && !this.#isStalled && this.#isOpen
    if (mayGoOn && this.#waiting.length > 0) void this.#ask()
  }

  #batch(): readonly Uint8Array[] {
    let bytes = 0
    const batch: Uint8Array[] = []
    for (const waiting of this.#isStalled ? [] : this.#waiting) {
      bytes += waiting.bytes.length
      if (batch.length > 0 && (batch.length >= most.stanzas || bytes > most.bytes)) break
      batch.push(waiting.bytes)
    }
    return batch
  }

  #got({ next, delivered, isStalled, isOver }: WayBackProgress): void {
    if (!this.#isOpen) return
    const taken = this.#waiting.findIndex(({ n }) => n >= next)
    for (const { bytes } of this.#waiting.splice(0, taken < 0 ? this.#waiting.length : taken))
      this.#waitingBytes -= bytes.length
    this.#next = next
    this.#delivered = Math.max(this.#delivered, delivered)
    if (isStalled !== this.#isStalled) {
      this.#isStalled = isStalled
      if (isStalled) this.#listener.stalled()
      else this.#listener.drained()
    }
    this.#listener.acknowledged()
    if (isOver && delivered >= next - 1)
      this.#end('the other side counts what it gets from here on')
  }

  #failed(error: unknown): void {
    const now = this.#ports.clock.monotonic()
    this.#failingSince ??= now
    const isOver =
      error instanceof RequestFailed || now - this.#failingSince >= this.#ports.patience
    if (isOver) this.#end('the instance with the stream does not answer')
  }
}
