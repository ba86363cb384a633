import { domainpart, type Jid, tryParseJid } from '@tactus/jid'
import {
  errorReply,
  NS_CLIENT,
  NS_COMPONENT,
  NS_STREAMS,
  StanzaError,
  StreamError,
} from '@tactus/stanza'
import { isStanza, type ResponseHeader } from '@tactus/stream'
import { type Stanza, type StreamHeader, type XmlElement, xml } from '@tactus/xml'
import { type Connection, hold } from '../stream/connection.ts'
import type { StreamHandler } from '../stream/handler.ts'

/** What a component's stream asks of the connection manager. */
export interface ComponentPorts {
  /** Whether there is such a component; looks again where it is not known. */
  isKnown(domain: string): Promise<boolean>
  /** Whether what it said proves its domain. */
  verify(domain: string, streamId: string, digest: string): Promise<boolean>
  /** It proved its domain. @throws {StreamError} where there are too many of its connections */
  attached(stream: ComponentStream): void
  detached(stream: ComponentStream): void
  /** What it is told then. */
  greeting(domain: string): readonly XmlElement[]
  /** How a hand-shake ended. */
  decided(outcome: 'success' | 'not-authorized' | 'host-unknown' | 'conflict'): void
  /** Hands a stanza on; `done` once it is where it goes. @throws {StanzaError} where it may not go there */
  accept(stanza: Stanza, way: { from: Jid; to: Jid; id: string }, done: () => void): void
  random(length: number): Uint8Array
  readonly timeouts: {
    readonly handshake: number
    readonly stalled: number
    readonly keepAlive: number
  }
}

/** Stanzas, and their bytes, that may be on the way to their partitions before the stream is read no further. */
const mostUnderWay = { stanzas: 256, bytes: 1_048_576 }

/**
 * One connection of an external component (XEP-0114).
 *
 * Other than between servers, one domain is all it may speak for (V38), and what it sends is for anybody.
 */
export class ComponentStream implements StreamHandler {
  readonly connection: Connection
  readonly #ports: ComponentPorts
  /** For the ids of what it brings; the stream's own id takes part in the proof and is nobody's business. */
  readonly #tag: string
  #streamId = ''
  #domain: string | undefined
  #attached = false
  #taken = 0
  #underWay = { stanzas: 0, bytes: 0 }
  #stalledUntil: number | undefined

  constructor(connection: Connection, ports: ComponentPorts) {
    this.connection = connection
    this.#ports = ports
    this.#tag = Buffer.from(ports.random(12)).toString('base64url')
    connection.wakeAt(connection.context.wheel.now + ports.timeouts.handshake)
  }

  get domain(): string | undefined {
    return this.#domain
  }

  /** Whether it proved its domain. */
  get isAttached(): boolean {
    return this.#attached
  }

  get isStalled(): boolean {
    return this.#stalledUntil !== undefined
  }

  async opened(header: StreamHeader): Promise<void> {
    if (this.#streamId !== '') throw new StreamError('policy-violation')
    if (header.ns !== NS_STREAMS || header.defaultNs !== NS_COMPONENT)
      throw new StreamError('invalid-namespace')
    const domain = domainOf(header.attrs.to)
    this.#streamId = Buffer.from(this.#ports.random(16)).toString('base64url')
    if (domain === undefined || !(await this.#orUnavailable(this.#ports.isKnown(domain)))) {
      this.#ports.decided('host-unknown')
      throw new StreamError('host-unknown')
    }
    this.#domain = domain
    this.connection.open(this.header())
  }

  async element(element: Stanza): Promise<void> {
    if (this.#attached && isStanza(element, NS_COMPONENT)) return this.#stanza(element)
    if (!this.#attached && element.name === 'handshake' && element.ns === NS_COMPONENT)
      return await this.#handshake(element.element.text())
    // §3: nothing but the hand-shake before the hand-shake.
    throw new StreamError(this.#attached ? 'unsupported-stanza-type' : 'not-authorized')
  }

  /** §3, example 2: `from` is the component's domain. */
  header(): ResponseHeader {
    return { from: this.#domain, to: undefined, id: this.#streamId }
  }

  closing(): void {}

  ended(): void {
    this.#ports.detached(this)
    this.#attached = false
  }

  expired(now: number): void {
    const { wheel } = this.connection.context
    const { keepAlive } = this.#ports.timeouts
    if (!this.#attached) return this.connection.fail(new StreamError('connection-timeout'))
    if (this.#stalledUntil !== undefined && now >= this.#stalledUntil)
      return this.connection.fail(new StreamError('connection-timeout', 'You do not read.'))
    // A component may have nothing to say for ever; white space finds out whether it is there (RFC 6120 §4.6.1).
    if (this.#stalledUntil === undefined) this.connection.keepAlive()
    this.connection.wakeAt(
      Math.min(wheel.now + keepAlive, this.#stalledUntil ?? Number.POSITIVE_INFINITY),
    )
  }

  stalled(): void {
    const { wheel } = this.connection.context
    this.#stalledUntil = wheel.now + this.#ports.timeouts.stalled
    this.connection.wakeAt(this.#stalledUntil)
  }

  drained(): void {
    this.#stalledUntil = undefined
  }

  async #handshake(digest: string): Promise<void> {
    const domain = this.#domain ?? ''
    if (!(await this.#orUnavailable(this.#ports.verify(domain, this.#streamId, digest)))) {
      this.#ports.decided('not-authorized')
      throw new StreamError('not-authorized')
    }
    if (!this.connection.isOpen) return
    this.#ports.attached(this)
    this.#ports.decided('success')
    this.#attached = true
    this.connection.send(xml('handshake', { xmlns: NS_COMPONENT }))
    for (const message of this.#ports.greeting(domain)) this.connection.send(message)
    this.connection.wakeAt(this.connection.context.wheel.now + this.#ports.timeouts.keepAlive)
  }

  /** RFC 6120 §4.9.3.15: what is needed to tell cannot be reached. */
  async #orUnavailable(answer: Promise<boolean>): Promise<boolean> {
    try {
      return await answer
    } catch {
      throw new StreamError('remote-connection-failed')
    }
  }

  #stanza(stanza: Stanza): void {
    const from = tryParseJid(stanza.from ?? '')
    // SECURITY: §3, a component speaks for its own domain and for no other (V38).
    if (!from || domainpart(from) !== this.#domain) throw new StreamError('invalid-from')
    this.#taken += 1
    const received = stanza.inNamespace(NS_CLIENT).with({ from })
    try {
      const to = tryParseJid(stanza.to ?? '')
      if (!to) throw new StanzaError('jid-malformed', 'the address in `to` is no JID')
      const { length } = received.bytes
      const id = `${this.#tag}.${this.#taken.toString(36)}`
      this.#ports.accept(received.with({ to }), { from, to, id }, () => this.#count(-1, -length))
      this.#count(1, length)
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error
      const reply = errorReply(received, error)
      if (reply) this.connection.send(reply.inNamespace(NS_COMPONENT))
    }
  }

  /** Read no further than what can be handed on (design §3.9). */
  #count(stanzas: number, bytes: number): void {
    const under = this.#underWay
    under.stanzas += stanzas
    under.bytes += bytes
    const isFull = under.stanzas >= mostUnderWay.stanzas || under.bytes >= mostUnderWay.bytes
    if (isFull) this.connection.hold(hold.retention)
    else if (under.stanzas * 2 <= mostUnderWay.stanzas && under.bytes * 2 <= mostUnderWay.bytes)
      this.connection.release(hold.retention)
  }
}

function domainOf(text: string | undefined): string | undefined {
  const jid = text === undefined ? undefined : tryParseJid(text)
  return jid !== undefined && domainpart(jid) === jid ? jid : undefined
}
