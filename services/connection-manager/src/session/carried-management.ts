import type { SessionEnabled } from '@tactus/bus'
import { type StreamCounters, unexpected } from '@tactus/stream'
import type { Stanza } from '@tactus/xml'
import type { Carrier } from '../stream/transport.ts'
import type { SessionManagement } from './management.ts'

/**
 * Stream management of a session whose transport tells what the client has: the owner keeps and counts as for
 * XEP-0198, but nothing of it is said in the stream.
 */
export class CarriedManagement implements SessionManagement {
  /** Also before the owner knows: what was written here is not what the client has. */
  readonly isOn = true
  readonly dueAt = undefined
  count: number
  readonly #carrier: Carrier

  constructor(carrier: Carrier, counters?: StreamCounters) {
    this.#carrier = carrier
    this.count = counters?.count ?? 0
  }

  /** @throws {StreamError} always: it was not offered */
  element(element: Stanza): never {
    throw unexpected(element)
  }

  received(): void {
    this.count = (this.count + 1) >>> 0
  }

  committed(): void {
    this.#carrier.committed()
  }

  enabled({ n }: SessionEnabled): void {
    this.#carrier.opened(n)
  }

  wrote(): void {}

  acknowledge(): void {}

  request(): boolean {
    return false
  }

  owes(): boolean {
    return false
  }
}
