import { type BareJid, tryParseJid } from '@tactus/jid'
import {
  NS_BIDI,
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
  limitsElement,
  type ResponseHeader,
  type StreamLimits,
} from '@tactus/stream'
import { type Stanza, type StreamHeader, type XmlElement, xml } from '@tactus/xml'
import type { Connection } from '../stream/connection.ts'
import type { StreamHandler } from '../stream/handler.ts'
import { bidiFeature, IncomingBidi } from './incoming-bidi.ts'
import { type DialbackStream, IncomingDialback } from './incoming-dialback.ts'
import { IncomingManagement, isManagement, type ResumablePorts } from './incoming-management.ts'
import { type Accepted, addressed, Intake } from './intake.ts'
import type { PeerTls } from './outgoing-stream.ts'
import type { PeerProof } from './peer-proof.ts'
import type { ReturnWays } from './return-ways.ts'

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
  /** Hands a stanza to its recipient's partition, and `marks` with it. */
  accept(accepted: Accepted): void
  readonly resumable: ResumablePorts
  random(length: number): Uint8Array
  /** A domain was believed, or was not. */
  decided(how: 'external' | 'dialback', outcome: string): void
  /** A pair of domains was proved. */
  proved(local: string, remote: string): void
  readonly tlsRequired: boolean
  /** Where ways back are known to who writes by them; undefined where there are none (XEP-0288). */
  readonly ways: ReturnWays | undefined
  readonly timeouts: { readonly negotiation: number; readonly idle: number }
  /** What is taken of who has proved who it is. */
  readonly limits: StreamLimits
  /** Limits of the reader once it is known who speaks. */
  authenticated(connection: Connection): void
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
  readonly #intake: Intake
  #streamId = ''
  #tls: PeerTls | undefined
  #proof: PeerProof | undefined
  #host: string | undefined
  #remote: string | undefined
  #restarted = false
  #failures = 0
  #isClosedByPeer = false
  readonly #management: IncomingManagement
  readonly #bidi: IncomingBidi
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
    this.#intake = new Intake(connection, { tag: ports.random(12), accept: ports.accept })
    this.#management = new IncomingManagement({
      send: (element) => connection.send(element),
      pair: () => this.#pairs.keys().next().value,
      resumable: ports.resumable,
      superseded: () => connection.fail(new StreamError('conflict')),
      begun: () => this.#bidi.way?.begin(),
      undecided: () => this.#bidi.way?.settled(this.#now),
      now: () => this.#now,
    })
    this.#bidi = new IncomingBidi({
      connection,
      management: this.#management,
      ways: ports.ways,
      random: ports.random,
      isTrusted: (remote, local) =>
        this.#proof?.proves(local, remote) === true || ports.unverifiedAllowed(local, remote),
    })
    this.#dialback = new IncomingDialback(this.#forDialback())
    const { wheel } = connection.context
    this.#openedAt = wheel.now
    connection.wakeAt(wheel.now + ports.timeouts.negotiation)
  }

  get #now(): number {
    return this.connection.context.wheel.now
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
    this.#bidi.way?.settled(this.#now)
  }

  async element(element: Stanza): Promise<void> {
    const { ns } = element
    if (isStanza(element, NS_SERVER)) return this.#stanza(element)
    if (ns === NS_TLS && element.name === 'starttls') return this.#upgrade()
    if (ns === NS_SASL && element.name === 'auth') return this.#external(element)
    if (ns === NS_DIALBACK) return this.#dialback.element(element)
    if (ns === NS_BIDI && element.name === 'bidi') return this.#wantsBidi(element)
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
    this.#bidi.ended()
    this.#management.ended(this.#isClosedByPeer)
    this.#pairs.clear()
  }

  expired(now: number): void {
    const { negotiation } = this.#ports.timeouts
    // Where stanzas go both ways whoever opened the stream closes it: else it would come back to ask what is left for it.
    const idle = this.#ports.timeouts.idle * (this.#bidi.way ? 2 : 1)
    const limit =
      this.#pairs.size > 0 ? this.connection.heardAt + idle : this.#openedAt + negotiation
    if (now < limit) return this.connection.wakeAt(limit)
    // RFC 6120 §4.6.1: nobody is at fault when two servers have nothing to say.
    if (this.#pairs.size > 0) this.connection.finish('closed')
    else this.connection.fail(new StreamError('connection-timeout'))
  }

  stalled(): void {
    if (this.#bidi.stalled(true)) return
    // Next to nothing is written on this stream: who does not read even that does not play by the rules.
    this.connection.fail(new StreamError('policy-violation'))
  }

  drained(): void {
    this.#bidi.stalled(false)
  }

  #wantsBidi(bidi: Stanza): void {
    // XEP-0288 §2.2: behind TLS.
    if (this.#ports.tlsRequired && !this.#tls) throw new StreamError('policy-violation', 'Use TLS.')
    // And before anybody proves anything: only so it is known for which pair it is.
    if (this.#pairs.size > 0) throw new StreamError('policy-violation', 'It is too late for this.')
    this.#bidi.wanted(bidi)
  }

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
    if (this.#pairs.size === 0 && this.#ports.ways) offered.push(bidiFeature())
    // With dialback there are no features behind the proof, and nothing large before it.
    offered.push(limitsElement(this.#ports.limits))
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
    this.#bidi.proved(remote, local)
    this.#ports.proved(local, remote)
    // By certificate, the stream begins anew before anything may be said.
    if (how === 'dialback') this.#bidi.way?.settled(this.#now)
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
    const { remote, local, ...arrived } = addressed(stanza)
    if (this.#pairs.size === 0) throw new StreamError('not-authorized')
    if (!this.#pairs.has(`${remote} ${local}`)) {
      const isKnown = [...this.#pairs.keys()].some((pair) => pair.startsWith(`${remote} `))
      // §4.9.3.9: from whom it may not be; §4.9.3.6: to whom it may not be.
      throw new StreamError(isKnown ? 'improper-addressing' : 'invalid-from')
    }
    if (this.#ports.status(local) !== 'served') throw new StreamError('host-gone')
    this.#bidi.way?.heard()
    this.#intake.take({ remote, local, ...arrived }, this.#management.received())
  }
}

/** RFC 6120 §6.4.2: `=` is a response of no bytes. */
function decodeIdentity(text: string): string {
  const trimmed = text.trim()
  return trimmed === '=' ? '' : Buffer.from(trimmed, 'base64').toString('utf8')
}
