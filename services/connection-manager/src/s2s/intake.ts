import { domainpart, type Jid, tryParseJid } from '@tactus/jid'
import { NS_CLIENT, StreamError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import type { Arrived } from '../passage.ts'
import { type Connection, hold } from '../stream/connection.ts'
import type { Mark } from './ledger.ts'

/** A stanza that is let in. */
export interface Accepted extends Arrived, Reception {}

/** What goes with a stanza that is let in. */
export interface Reception {
  readonly marks: readonly Mark[]
  /** It is where it belongs. */
  readonly done: () => void
  /** Its owner has committed it; undefined where nobody wants to know. */
  readonly passed: (() => void) | undefined
}

/** A stanza of another server, and whom it is about. */
export interface Addressed {
  readonly stanza: Stanza
  readonly from: Jid
  readonly to: Jid
  /** The other server's domain, and ours. */
  readonly remote: string
  readonly local: string
}

/** Stanzas, and their bytes, that may be on the way to their partitions before the stream is read no further. */
const mostUnderWay = { stanzas: 128, bytes: 1_048_576 }

/** What came by one stream of another server: each gets an id, and no more is read than can be handed on (design §3.9). */
export class Intake {
  readonly #connection: Connection
  readonly #accept: (accepted: Accepted) => void
  /** Public, for the ids of what it brings; the stream's own id is known to the other side alone. */
  readonly #tag: string
  #taken = 0
  #stanzas = 0
  #bytes = 0

  constructor(
    connection: Connection,
    { tag, accept }: { readonly tag: Uint8Array; readonly accept: (accepted: Accepted) => void },
  ) {
    this.#connection = connection
    this.#tag = Buffer.from(tag).toString('base64url')
    this.#accept = accept
  }

  /** Hands a stanza on, and `marks` with it. */
  take({ stanza, from, to }: Addressed, { marks, done, passed }: Reception): void {
    this.#taken += 1
    const id = `${this.#tag}.${this.#taken.toString(36)}`
    const received = stanza.inNamespace(NS_CLIENT).with({ from, to })
    const { length } = received.bytes
    this.#count(1, length)
    const settle = (): void => {
      this.#count(-1, -length)
      done()
    }
    this.#accept({ stanza: received, from, to, id, marks, done: settle, passed })
  }

  #count(stanzas: number, bytes: number): void {
    this.#stanzas += stanzas
    this.#bytes += bytes
    const isFull = this.#stanzas >= mostUnderWay.stanzas || this.#bytes >= mostUnderWay.bytes
    if (isFull) this.#connection.hold(hold.retention)
    else if (this.#stanzas * 2 <= mostUnderWay.stanzas && this.#bytes * 2 <= mostUnderWay.bytes)
      this.#connection.release(hold.retention)
  }
}

/** Who a stanza is from and to. @throws {StreamError} RFC 6120 §4.9.3.7, §8.1.1.2: between servers both are there */
export function addressed(stanza: Stanza): Addressed {
  const from = addressOf(stanza.from)
  const to = addressOf(stanza.to)
  return { stanza, from, to, remote: domainpart(from), local: domainpart(to) }
}

function addressOf(text: string | undefined): Jid {
  const jid = text === undefined ? undefined : tryParseJid(text)
  if (!jid) throw new StreamError('improper-addressing')
  return jid
}
