import { type BareJid, domainpart, type Jid, tryParseJid } from '@tactus/jid'
import {
  NS_CLIENT,
  NS_DIALBACK,
  NS_DIALBACK_FEATURE,
  NS_SASL,
  NS_SERVER,
  NS_STREAM_MANAGEMENT,
  NS_TLS,
  StreamError,
} from '@tactus/stanza'
import {
  acceptHeader,
  type HostStatus,
  initialState,
  isStanza,
  type ResponseHeader,
} from '@tactus/stream'
import { type Stanza, type StreamHeader, type XmlElement, xml } from '@tactus/xml'
import type { Arrived } from '../passage.ts'
import { type Connection, hold } from '../stream/connection.ts'
import type { StreamHandler } from '../stream/handler.ts'
import { type DialbackStream, IncomingDialback } from './incoming-dialback.ts'
import { IncomingManagement, isManagement, type ResumablePorts } from './incoming-management.ts'
import type { Mark } from './ledger.ts'
import type { PeerTls } from './outgoing-stream.ts'
import type { PeerProof } from './peer-proof.ts'

/** What an incoming stream asks of the federation. */
export interface IncomingPorts {
  status(domain: string): HostStatus
  lookAgain(): Promise<void>
  /** Whether this host of ours speaks to that domain at all. */
  speaks(local: string, remote: string): boolean
  /** Whether dialback proves enough without a certificate. */
  unverifiedAllowed(local: string, remote: string): boolean
  isOurKey(local: string, remote: string, streamId: string, key: string): boolean
  /** Asks the authoritative server of a domain whether a key is its own (XEP-0220 §2.2.1). */
  verify(question: {
    readonly local: string
    readonly remote: string
    readonly streamId: string
    readonly key: string
  }): Promise<Verdict>
  /** Hands a stanza to its recipient's partition, and `marks` with it; `done` once it is there. */
  accept(accepted: Accepted): void
  readonly resumable: ResumablePorts
  random(length: number): Uint8Array
  /** A domain was believed, or was not. */
  decided(how: 'external' | 'dialback', outcome: string): void
  readonly tlsRequired: boolean
  readonly timeouts: { readonly negotiation: number; readonly idle: number }
  /** Limits of the reader once it is known who speaks. */
  authenticated(connection: Connection): void
}

/** A stanza that is let in. */
export interface Accepted extends Arrived {
  readonly marks: readonly Mark[]
  readonly done: () => void
}

/** What the authoritative server of a domain said of a key. */
export type Verdict =
  | { readonly kind: 'valid'; readonly verified: boolean }
  | { readonly kind: 'invalid' }
  /** Nobody could be asked. */
  | {
      readonly kind: 'error'
      readonly condition: 'remote-server-not-found' | 'remote-server-timeout'
    }

/** Stanzas, and their bytes, that may be on the way to their partitions before the stream is read no further. */
const mostUnderWay = { stanzas: 128, bytes: 1_048_576 }

/**
 * A stream that another server opened to us: who it speaks for is proved by certificate or by dialback, pair by pair, and
 * each stanza is of such a pair (V36).
 */
export class IncomingStream implements StreamHandler {
  readonly connection: Connection
  readonly #ports: IncomingPorts
  readonly #startTls: (() => void) | undefined
  /** Pairs that were proved, `remote local`. */
  readonly #pairs = new Map<string, 'external' | 'dialback'>()
  /** Public, for the ids of what it brings; the stream's own id is known to the other side alone. */
  readonly #tag: string
  #streamId = ''
  #tls: PeerTls | undefined
  #proof: PeerProof | undefined
  #host: string | undefined
  #remote: string | undefined
  #restarted = false
  #failures = 0
  #underWay = { stanzas: 0, bytes: 0 }
  #taken = 0
  #isClosedByPeer = false
  readonly #management: IncomingManagement
  readonly #dialback: IncomingDialback
  readonly #openedAt: number

  constructor({
    connection,
    ports,
    startTls,
  }: {
    readonly connection: Connection
    readonly ports: IncomingPorts
    /** Undefined where TLS is there already. */
    readonly startTls: (() => void) | undefined
  }) {
    this.connection = connection
    this.#ports = ports
    this.#startTls = startTls
    this.#tag = Buffer.from(ports.random(12)).toString('base64url')
    this.#management = new IncomingManagement({
      send: (element) => connection.send(element),
      pair: () => this.#pairs.keys().next().value,
      resumable: ports.resumable,
      superseded: () => connection.fail(new StreamError('conflict')),
    })
    this.#dialback = new IncomingDialback(this.#forDialback())
    const { wheel } = connection.context
    this.#openedAt = wheel.now
    connection.wakeAt(wheel.now + ports.timeouts.negotiation)
  }

  /** What was proved of each pair of domains, for people. */
  get pairs(): ReadonlyMap<string, 'external' | 'dialback'> {
    return this.#pairs
  }

  get tls(): PeerTls | undefined {
    return this.#tls
  }

  get remote(): string | undefined {
    return this.#remote
  }

  get local(): string | undefined {
    return this.#host
  }

  async opened(header: StreamHeader): Promise<void> {
    const { to } = header.attrs
    if (to !== undefined && this.#ports.status(to) !== 'served') await this.#ports.lookAgain()
    const rules = { contentNs: NS_SERVER, status: (domain: string) => this.#ports.status(domain) }
    const state = acceptHeader({ ...initialState, host: this.#host }, header, rules)
    this.#host = state.host
    await this.#claim(state.claimed)
    this.#streamId = Buffer.from(this.#ports.random(16)).toString('base64url')
    this.connection.open(this.header())
    this.connection.send(this.#features())
  }

  async element(element: Stanza): Promise<void> {
    const { ns } = element
    if (isStanza(element, NS_SERVER)) return this.#stanza(element)
    if (ns === NS_TLS && element.name === 'starttls') return this.#upgrade()
    if (ns === NS_SASL && element.name === 'auth') return this.#external(element)
    if (ns === NS_DIALBACK) return this.#dialback.element(element)
    if (isManagement(element)) return await this.#management.element(element)
    throw new StreamError('unsupported-stanza-type')
  }

  /** TLS is up. */
  secured(protocol: PeerTls['protocol'], proof: PeerProof): void {
    this.#proof = proof
    this.#tls = { protocol, verified: false }
  }

  header(): ResponseHeader {
    if (this.#streamId === '')
      this.#streamId = Buffer.from(this.#ports.random(16)).toString('base64url')
    return { from: this.#host, to: this.#remote, id: this.#streamId }
  }

  closing(): void {
    this.#isClosedByPeer = true
  }

  ended(): void {
    this.#management.ended(this.#isClosedByPeer)
    this.#pairs.clear()
  }

  expired(now: number): void {
    const { negotiation, idle } = this.#ports.timeouts
    const limit =
      this.#pairs.size > 0 ? this.connection.heardAt + idle : this.#openedAt + negotiation
    if (now < limit) return this.connection.wakeAt(limit)
    // RFC 6120 §4.6.1: nobody is at fault when two servers have nothing to say.
    if (this.#pairs.size > 0) this.connection.finish('closed')
    else this.connection.fail(new StreamError('connection-timeout'))
  }

  stalled(): void {
    // Next to nothing is written on this stream: who does not read even that does not play by the rules.
    this.connection.fail(new StreamError('policy-violation'))
  }

  drained(): void {}

  /** The domain that the other side says it is; one that was proved may not become another. */
  async #claim(claimed: BareJid | undefined): Promise<void> {
    if (claimed?.includes('@')) throw new StreamError('invalid-from')
    if (this.#restarted && claimed !== this.#remote) throw new StreamError('invalid-from')
    this.#remote = claimed
    if (!this.#tls || claimed === undefined || this.#host === undefined) return
    const { protocol } = this.#tls
    // SECURITY: nobody has others asked about a domain that is not spoken to anyway.
    if (this.#isSpokenTo) await this.#proof?.learn(this.#host, claimed)
    this.#tls = { protocol, verified: this.#proof?.proves(this.#host, claimed) === true }
  }

  #features(): XmlElement {
    const { tlsRequired } = this.#ports
    const offered: (XmlElement | undefined)[] = []
    if (!this.#tls && this.#startTls)
      offered.push(xml('starttls', { xmlns: NS_TLS }, tlsRequired && xml('required')))
    else {
      if (this.#mayUseExternal)
        offered.push(xml('mechanisms', { xmlns: NS_SASL }, xml('mechanism', {}, 'EXTERNAL')))
      offered.push(xml('dialback', { xmlns: NS_DIALBACK_FEATURE }, xml('errors')))
    }
    if (!tlsRequired && !this.#tls)
      offered.push(xml('dialback', { xmlns: NS_DIALBACK_FEATURE }, xml('errors')))
    if (!tlsRequired || this.#tls || !this.#startTls)
      offered.push(xml('sm', { xmlns: NS_STREAM_MANAGEMENT }))
    return xml('features', { xmlns: 'http://etherx.jabber.org/streams' }, offered)
  }

  /** XEP-0178 §3: offered where it would succeed. */
  get #mayUseExternal(): boolean {
    return this.#tls?.verified === true && !this.#restarted && this.#isSpokenTo
  }

  get #isSpokenTo(): boolean {
    return (
      this.#host !== undefined &&
      this.#remote !== undefined &&
      this.#ports.speaks(this.#host, this.#remote)
    )
  }

  #upgrade(): void {
    if (this.#tls || !this.#startTls || this.#pairs.size > 0)
      throw new StreamError('policy-violation', 'This cannot be negotiated now.')
    // SECURITY: what came in clear must never be run inside TLS (V20).
    if (this.connection.hasUnread) {
      this.connection.send(xml('failure', { xmlns: NS_TLS }))
      return this.connection.finish('closed')
    }
    this.connection.send(xml('proceed', { xmlns: NS_TLS }))
    this.connection.flush()
    this.connection.restart(false)
    this.#startTls()
  }

  #external(auth: Stanza): void {
    const refuse = (condition: string): void => {
      this.#failures += 1
      this.#ports.decided('external', condition)
      this.connection.send(xml('failure', { xmlns: NS_SASL }, xml(condition)))
      // RFC 6120 §6.4.5: dialback may still follow, but not for ever.
      if (this.#failures > 3) this.connection.fail(new StreamError('policy-violation'))
    }
    const { mechanism } = auth.attrs
    if (mechanism !== 'EXTERNAL') return refuse('invalid-mechanism')
    const identity = decodeIdentity(auth.element.text())
    const [remote, local] = [this.#remote, this.#host]
    if (!this.#mayUseExternal || remote === undefined || local === undefined)
      return refuse('not-authorized')
    if (identity !== '' && tryParseJid(identity) !== remote) return refuse('invalid-authzid')
    this.#ports.decided('external', 'success')
    this.#prove(remote, local, 'external')
    this.connection.send(xml('success', { xmlns: NS_SASL }))
    this.#restarted = true
    this.connection.restart(true)
  }

  #prove(remote: string, local: string, how: 'external' | 'dialback'): void {
    if (this.#pairs.size === 0) this.#ports.authenticated(this.connection)
    this.#pairs.set(`${remote} ${local}`, how)
    this.connection.wakeAt(this.connection.context.wheel.now + this.#ports.timeouts.idle)
  }

  #forDialback(): DialbackStream {
    const stream = this
    const { connection } = this
    return {
      ports: this.#ports,
      proved: this.#pairs,
      get streamId() {
        return stream.#streamId
      },
      get isEncrypted() {
        return stream.#tls !== undefined
      },
      get isOpen() {
        return connection.isOpen
      },
      send: (element) => connection.send(element),
      fail: (error) => connection.fail(error),
      learn: async (remote, local) => await this.#proof?.learn(local, remote),
      proves: (remote, local) => this.#proof?.proves(local, remote) === true,
      prove: (remote, local) => this.#prove(remote, local, 'dialback'),
    }
  }

  #stanza(stanza: Stanza): void {
    // RFC 6120 §4.9.3.7 and §8.1.1.2: between servers both are there, and are addresses.
    const from = addressOf(stanza.from)
    const to = addressOf(stanza.to)
    if (this.#pairs.size === 0) throw new StreamError('not-authorized')
    const remote = domainpart(from)
    const local = domainpart(to)
    if (!this.#pairs.has(`${remote} ${local}`)) {
      const isKnown = [...this.#pairs.keys()].some((pair) => pair.startsWith(`${remote} `))
      // §4.9.3.9: from whom it may not be; §4.9.3.6: to whom it may not be.
      throw new StreamError(isKnown ? 'improper-addressing' : 'invalid-from')
    }
    if (this.#ports.status(local) !== 'served') throw new StreamError('host-gone')
    this.#taken += 1
    const id = `${this.#tag}.${this.#taken.toString(36)}`
    const received = stanza.inNamespace(NS_CLIENT).with({ from, to })
    const { length } = received.bytes
    this.#count(1, length)
    const { marks, done } = this.#management.received()
    const settle = (): void => {
      this.#count(-1, -length)
      done()
    }
    this.#ports.accept({ stanza: received, from, to, id, marks, done: settle })
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

function addressOf(text: string | undefined): Jid {
  const jid = text === undefined ? undefined : tryParseJid(text)
  if (!jid) throw new StreamError('improper-addressing')
  return jid
}

/** RFC 6120 §6.4.2: `=` is a response of no bytes. */
function decodeIdentity(text: string): string {
  const trimmed = text.trim()
  return trimmed === '=' ? '' : Buffer.from(trimmed, 'base64').toString('utf8')
}
