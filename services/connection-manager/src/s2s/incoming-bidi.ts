import { NS_BIDI_FEATURE, StreamError } from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import type { Connection } from '../stream/connection.ts'
import type { IncomingManagement } from './incoming-management.ts'
import { mostBytesOf } from './peer-limits.ts'
import { ReturnWay } from './return-way.ts'
import type { ReturnWays } from './return-ways.ts'

/** What an incoming stream lends for its way back. */
export interface IncomingBidiPorts {
  readonly connection: Connection
  readonly management: IncomingManagement
  /** Undefined where nothing goes back. */
  readonly ways: ReturnWays | undefined
  random(length: number): Uint8Array
  /** Whether a stream of ours to that domain would need no more than what was shown here. */
  isTrusted(remote: string, local: string): boolean
}

/** What goes back on a stream that another server opened (XEP-0288): from when on, and for which pair of domains. */
export class IncomingBidi {
  way: ReturnWay | undefined
  readonly #ports: IncomingBidiPorts
  #isWanted = false
  #mostBytes: number | undefined

  constructor(ports: IncomingBidiPorts) {
    this.#ports = ports
  }

  /** The other side asks for it; before it proves who it is, so that it is known for which pair. */
  wanted(bidi: Stanza): void {
    if (!this.#ports.ways) throw new StreamError('unsupported-stanza-type')
    this.#mostBytes = mostBytesOf(bidi)
    this.#isWanted = true
  }

  /**
   * A pair of domains was proved. The first one's stanzas go back here.
   *
   * SECURITY: only where a stream of our own would have asked for no more. Dialback tells whose server it is that speaks, and
   * not who sits between.
   */
  proved(remote: string, local: string): void {
    const { ways, connection, management, random, isTrusted } = this.#ports
    if (!this.#isWanted || !ways) return
    this.#isWanted = false
    if (!isTrusted(remote, local)) return
    const tag = Buffer.from(random(12)).toString('base64url')
    const mostBytes = this.#mostBytes
    this.way = new ReturnWay({ tag, local, remote, connection, management, random, mostBytes })
    ways.add(this.way)
  }

  /** Whether it is somebody's to care. */
  stalled(isStalled: boolean): boolean {
    if (!this.way) return false
    this.way.isStalled = isStalled
    return true
  }

  ended(): void {
    if (this.way) this.#ports.ways?.delete(this.way)
  }
}

/** What is offered (XEP-0288 §2.1). */
export function bidiFeature(): XmlElement {
  return xml('bidi', { xmlns: NS_BIDI_FEATURE })
}
