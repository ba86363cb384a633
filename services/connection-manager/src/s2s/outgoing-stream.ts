import {
  NS_BIDI,
  NS_BIDI_FEATURE,
  NS_DIALBACK,
  NS_DIALBACK_FEATURE,
  NS_SASL,
  NS_SERVER,
  NS_STANZA_ERRORS,
  NS_STREAM_MANAGEMENT,
  NS_STREAMS,
  NS_TLS,
  StreamError,
} from '@tactus/stanza'
import { isStanza, limitsElement, type ResponseHeader, type StreamLimits } from '@tactus/stream'
import { type Stanza, type StreamHeader, xml } from '@tactus/xml'
import type { Connection } from '../stream/connection.ts'
import type { StreamHandler } from '../stream/handler.ts'
import type { Handled } from './handled.ts'
import { addressed, type Intake } from './intake.ts'
import { OutgoingManagement } from './outgoing-management.ts'
import { mostBytesOf } from './peer-limits.ts'
import { type Problem, streamError, temporary } from './problem.ts'

/** What TLS proved of the other side. */
export interface PeerTls {
  readonly protocol: string
  /** Its certificate can be verified and stands for the domain. */
  readonly verified: boolean
}

/** What a stream to another server is for. */
export type Purpose =
  | {
      readonly kind: 'stanzas'
      /** The stream that may be resumed (XEP-0198 §5). */
      readonly resumes: string | undefined
      /** What came by it; undefined where nothing is to come (XEP-0288). */
      readonly handled: Handled | undefined
    }
  /** XEP-0220 §2.1.2: to ask whether a key is its own. */
  | { readonly kind: 'verify'; readonly streamId: string; readonly key: string }

/** What an outgoing stream is made of. */
export interface OutgoingOptions {
  readonly connection: Connection
  readonly local: string
  readonly remote: string
  readonly purpose: Purpose
  readonly tls: PeerTls | undefined
  /** Puts TLS on the connection. @throws {Error} */
  readonly startTls: () => Promise<PeerTls>
  /** Whether the other side need not prove who it is by certificate. */
  readonly unverifiedAllowed: boolean
  /** Whether we have a certificate that may be worth showing. */
  readonly key: (streamId: string) => string
  /** Our domain is a host of ours still. */
  readonly isServed: () => boolean
  /** Hands on what the other side sends by it (XEP-0288). */
  readonly intake: (connection: Connection) => Intake
  readonly listener: OutgoingListener
  /** Milliseconds until it has to be ready. */
  readonly timeout: number
  /** What is taken of the other side (XEP-0288). */
  readonly limits: StreamLimits
}

/** Who waits for an outgoing stream. */
export interface OutgoingListener {
  ready(stream: OutgoingStream): void
  /** Answer to `verify`. `verified`: it came from who can prove to be the domain. */
  verdict?(isValid: boolean, verified: boolean): void
  /** Called once, also when it was ready before. */
  ended(problem: Problem): void
  stalled?(): void
  drained?(): void
  /** The other server has more than was known. */
  acknowledged?(): void
}

/**
 * A stream that we open to another server: TLS, then who we are by certificate (XEP-0178) or, where that is not believed,
 * by dialback (XEP-0220) on the same stream; then stanzas of one pair of domains.
 */
export class OutgoingStream implements StreamHandler {
  readonly connection: Connection
  readonly local: string
  readonly remote: string
  /** `external` or `dialback`, once the other side believes us. */
  authentication = ''
  tls: PeerTls | undefined
  /** The other side may send stanzas, too (XEP-0288). */
  isBidi = false
  /** Bytes of a stanza that the other side takes at most, where it says so (XEP-0478). */
  mostBytes: number | undefined
  readonly management: OutgoingManagement
  readonly #options: OutgoingOptions
  #streamId = ''
  #state:
    | 'negotiating'
    | 'tls'
    | 'external'
    | 'dialback'
    | 'verifying'
    | 'managing'
    | 'ready'
    | 'ended' = 'negotiating'
  #triedExternal = false
  #isDialbackKnown = false
  #isManagementOffered = false
  #problem: Problem | undefined
  #intake: Intake | undefined

  constructor(options: OutgoingOptions) {
    this.#options = options
    this.connection = options.connection
    this.local = options.local
    this.remote = options.remote
    this.tls = options.tls
    const { connection, listener, timeout, purpose } = options
    const { wheel } = connection.context
    connection.wakeAt(wheel.now + timeout)
    this.management = new OutgoingManagement({
      send: (element) => connection.send(element),
      now: () => wheel.now,
      begun: () => this.#begun(),
      acknowledged: () => listener.acknowledged?.(),
      handled: purpose.kind === 'stanzas' ? purpose.handled : undefined,
    })
  }

  /** Opens the stream; the connection is there. */
  begin(): void {
    this.connection.open(this.header())
  }

  get state(): string {
    return this.#state
  }

  async opened(header: StreamHeader): Promise<void> {
    if (header.ns !== NS_STREAMS || header.defaultNs !== NS_SERVER)
      throw new StreamError('invalid-namespace')
    const { from, id } = header.attrs
    // RFC 6120 §4.7.1: who answers for another domain is not whom we asked for.
    if (from !== undefined && from !== this.remote) throw new StreamError('invalid-from')
    this.#streamId = id ?? ''
    this.#isDialbackKnown = [...header.prefixes.values()].includes(NS_DIALBACK)
    // Before XMPP 1.0 there are no features to wait for.
    if (header.version === undefined) this.#proceed(undefined)
  }

  async element(element: Stanza): Promise<void> {
    const { ns, name } = element
    if (ns === NS_STREAMS && name === 'features') return this.#features(element)
    if (ns === NS_STREAMS && name === 'error') return this.#refused(element)
    if (ns === NS_TLS && this.#state === 'tls') return await this.#tlsAnswered(element)
    if (ns === NS_SASL && this.#state === 'external') return this.#saslAnswered(element)
    if (ns === NS_DIALBACK) return this.#dialback(element)
    if (ns === NS_STREAM_MANAGEMENT) return this.management.element(element)
    if (this.isBidi && isStanza(element, NS_SERVER)) return this.#stanza(element)
    throw new StreamError('unsupported-stanza-type')
  }

  header(): ResponseHeader {
    return { from: this.local, to: this.remote, id: undefined }
  }

  closing(): void {
    this.#problem ??= temporary('the other side closed the stream')
  }

  ended(): void {
    this.#state = 'ended'
    this.#options.listener.ended(this.#problem ?? temporary('the connection was lost'))
  }

  expired(now: number): void {
    if (this.#state !== 'ready') {
      this.#problem = temporary('no answer in time')
      return this.connection.fail(new StreamError('connection-timeout'))
    }
    const idleUntil = this.connection.heardAt + this.idleAfter
    this.idleUntil = Math.max(this.idleUntil, idleUntil)
    if (now < this.idleUntil) return this.connection.wakeAt(this.idleUntil)
    this.#problem = { ...temporary('idle'), isIdle: true }
    this.connection.finish('closed')
  }

  /** Milliseconds without a stanza after which the stream is closed, and when that is. */
  idleAfter = Number.POSITIVE_INFINITY
  idleUntil = 0

  stalled(): void {
    this.#options.listener.stalled?.()
  }

  drained(): void {
    this.#options.listener.drained?.()
  }

  #features(features: Stanza): void {
    if (features.hasChild('dialback', NS_DIALBACK_FEATURE)) this.#isDialbackKnown = true
    this.mostBytes = mostBytesOf(features)
    this.#isManagementOffered = features.hasChild('sm', NS_STREAM_MANAGEMENT)
    if (!this.tls && features.hasChild('starttls', NS_TLS)) {
      this.#state = 'tls'
      this.connection.send(xml('starttls', { xmlns: NS_TLS }))
      return
    }
    this.#askBidi(features)
    this.#proceed(features)
  }

  /** XEP-0288 §2.2: before anybody proves anything, and behind TLS. */
  #askBidi(features: Stanza): void {
    const { purpose } = this.#options
    const isWanted = purpose.kind === 'stanzas' && purpose.handled !== undefined
    if (!isWanted || this.isBidi || this.authentication !== '') return
    if (!features.hasChild('bidi', NS_BIDI_FEATURE)) return
    this.isBidi = true
    this.connection.send(xml('bidi', { xmlns: NS_BIDI }, limitsElement(this.#options.limits)))
  }

  /** SECURITY: of the pair of domains that this stream is of, once who is there has proved it (V36). */
  #stanza(stanza: Stanza): void {
    const { remote, local, ...arrived } = addressed(stanza)
    if (this.#state !== 'ready' && this.#state !== 'managing')
      throw new StreamError('not-authorized')
    if (remote !== this.remote) throw new StreamError('invalid-from')
    if (local !== this.local) throw new StreamError('improper-addressing')
    if (!this.#options.isServed()) throw new StreamError('host-gone')
    this.#intake ??= this.#options.intake(this.connection)
    this.#intake.take({ remote, local, ...arrived }, this.management.received())
  }

  /** TLS is there, or cannot be had. */
  #proceed(features: Stanza | undefined): void {
    const { purpose, unverifiedAllowed } = this.#options
    if (this.authentication !== '') return this.#ready()
    if (purpose.kind === 'verify') return this.#verify(purpose)
    if (this.tls?.verified !== true && !unverifiedAllowed) {
      const what = this.tls ? 'its certificate cannot be verified' : 'it offers no TLS'
      return this.#give({ message: what, final: 'remote-server-not-found' })
    }
    if (features && offersExternal(features) && this.tls && !this.#triedExternal) {
      this.#triedExternal = true
      this.#state = 'external'
      const identity = Buffer.from(this.local).toString('base64')
      return this.connection.send(xml('auth', { xmlns: NS_SASL, mechanism: 'EXTERNAL' }, identity))
    }
    this.#showKey()
  }

  async #tlsAnswered(answer: Stanza): Promise<void> {
    if (answer.name !== 'proceed')
      return this.#give(temporary('it offered TLS and then refused it'))
    // SECURITY: what came in clear behind the answer must never be read as if it had come inside (V20).
    if (this.connection.hasUnread) throw new StreamError('policy-violation')
    this.connection.flush()
    this.connection.restart(false)
    try {
      this.tls = await this.#options.startTls()
    } catch (error) {
      this.#problem = temporary(`TLS: ${error instanceof Error ? error.message : error}`)
      return this.connection.finish('error')
    }
    this.#state = 'negotiating'
    this.connection.open(this.header())
  }

  #saslAnswered(answer: Stanza): void {
    if (answer.name === 'success') {
      this.authentication = 'external'
      this.#state = 'negotiating'
      this.connection.restart(true)
      return this.connection.open(this.header())
    }
    if (answer.name !== 'failure') throw new StreamError('unsupported-stanza-type')
    // XEP-0178 §3: it does not believe the certificate. The stream is as good as before, and dialback goes on it.
    this.#showKey()
  }

  #showKey(): void {
    if (!this.#isDialbackKnown)
      return this.#give({
        message: 'it takes neither our certificate nor dialback',
        final: 'remote-server-not-found',
      })
    this.#state = 'dialback'
    const { local: from, remote: to } = this
    const key = this.#options.key(this.#streamId)
    this.connection.send(xml('result', { xmlns: NS_DIALBACK, from, to }, key))
  }

  #verify({ streamId: id, key }: { readonly streamId: string; readonly key: string }): void {
    this.#state = 'verifying'
    const { local: from, remote: to } = this
    this.connection.send(xml('verify', { xmlns: NS_DIALBACK, from, to, id }, key))
  }

  /** SECURITY: only what answers a question of ours, on this stream, about this pair (V33). */
  #dialback(answer: Stanza): void {
    const { name, attrs } = answer
    const { purpose, listener } = this.#options
    const isOurs = attrs.from === this.remote && attrs.to === this.local
    if (isOurs && name === 'result' && this.#state === 'dialback') return this.#believed(attrs.type)
    // XEP-0288 §2.2: it may ask for more pairs of domains on this stream; it has one and no more.
    if (this.isBidi && name === 'result' && attrs.type === undefined) return this.#refuseKey(answer)
    const asked = purpose.kind === 'verify' && this.#state === 'verifying'
    if (!isOurs || name !== 'verify' || !asked || attrs.id !== purpose.streamId)
      throw new StreamError('policy-violation', 'Nobody asked for this.')
    listener.verdict?.(attrs.type === 'valid', this.tls?.verified === true)
    this.#problem = temporary('done')
    this.connection.finish('closed')
  }

  #refuseKey({ attrs: { from: to, to: from } }: Stanza): void {
    const error = xml(
      'error',
      { xmlns: NS_SERVER, type: 'cancel' },
      xml('not-acceptable', { xmlns: NS_STANZA_ERRORS }),
    )
    const attrs = { xmlns: NS_DIALBACK, from, to, type: 'error' }
    this.connection.send(xml('result', attrs, error))
  }

  #believed(type: string | undefined): void {
    if (type === 'valid') {
      this.authentication = 'dialback'
      return this.#ready()
    }
    // XEP-0220 §2.1.1: the conditions for those who wait.
    const final = type === 'invalid' ? 'internal-server-error' : 'remote-server-timeout'
    this.#give({ message: `dialback: ${type ?? 'no type'}`, final })
  }

  /** Who we are is believed. */
  #ready(): void {
    const { purpose } = this.#options
    if (this.#state === 'ready' || this.#state === 'managing') return
    if (!this.#isManagementOffered || purpose.kind !== 'stanzas') return this.#begun()
    this.#state = 'managing'
    this.management.begin(purpose.resumes)
  }

  #begun(): void {
    this.#state = 'ready'
    this.#options.listener.ready(this)
  }

  #refused(error: Stanza): void {
    const condition = error.children[0]?.name ?? 'undefined-condition'
    this.#problem = streamError(condition, this.#isReady)
    this.connection.finish('closed')
  }

  get #isReady(): boolean {
    return this.#state === 'ready'
  }

  #give(problem: Problem): void {
    this.#problem = problem
    this.connection.finish('closed')
  }
}

function offersExternal(features: Stanza): boolean {
  const mechanisms = features.child('mechanisms', NS_SASL)
  return (
    mechanisms?.getChildElements().some((mechanism) => mechanism.text().trim() === 'EXTERNAL') ===
    true
  )
}
