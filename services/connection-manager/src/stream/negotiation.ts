import type { SessionOpen, SessionResume } from '@tactus/bus'
import { partitionOf, partitionStream } from '@tactus/cluster'
import type { FullJid, parseBareJid } from '@tactus/jid'
import {
  errorReply,
  NS_CLIENT,
  type StanzaCondition,
  StanzaError,
  StreamError,
} from '@tactus/stanza'
import {
  acceptHeader,
  afterTls,
  bindResult,
  countTooHigh,
  type Effect,
  failedElement,
  featuresElement,
  initialState,
  negotiate,
  type Outcome,
  type ResponseHeader,
  registerResult,
  resumedElement,
  StreamCounters,
  type StreamFeature,
  type StreamState,
  tlsFailure,
  withOffer,
} from '@tactus/stream'
import type { Stanza, StreamHeader } from '@tactus/xml'
import type { Services } from '../services.ts'
import { Session } from '../session/session.ts'
import type { OpenAnswer, ResumeAnswer } from '../session/session-registry.ts'
import { register } from './account-registration.ts'
import { Authentication } from './authentication.ts'
import { clientFeatures } from './client-features.ts'
import type { Connection } from './connection.ts'
import type { Ending, StreamHandler } from './handler.ts'
import type { TlsInfo } from './tls-info.ts'

/** What a listener gives a new connection. */
export interface NegotiationOptions {
  readonly services: Services
  readonly connection: Connection
  /** What TLS says of itself, where the transport has it from the first byte. */
  readonly tls: TlsInfo | undefined
  /** Puts TLS on the transport; undefined where it cannot be had or is there already. */
  readonly startTls: (() => void) | undefined
}

/**
 * The way from a socket to a session: header, TLS, SASL, resource (RFC 6120 §4.3).
 *
 * Holds all that only this time needs, and is gone with it.
 */
export class Negotiation implements StreamHandler {
  readonly #services: Services
  readonly #connection: Connection
  readonly #startTls: (() => void) | undefined
  #state: StreamState
  #tls: TlsInfo | undefined
  #authentication: Authentication
  #features: readonly StreamFeature[]
  /** The session that the owner has been asked for. */
  #opening: string | undefined
  readonly #admittedAt: number

  constructor({ services, connection, tls, startTls }: NegotiationOptions) {
    this.#services = services
    this.#connection = connection
    this.#startTls = startTls
    this.#tls = tls
    this.#state = tls ? { ...initialState, secure: true } : initialState
    this.#authentication = new Authentication(services, connection.address, tls)
    this.#features = this.#makeFeatures()
    const { wheel } = connection.context
    this.#admittedAt = wheel.now
    const { timeouts, tlsRequired } = services.settings
    const limit = tls || !tlsRequired ? timeouts.auth : timeouts.starttls
    connection.wakeAt(wheel.now + limit)
  }

  async opened(header: StreamHeader): Promise<void> {
    const { hosts } = this.#services
    const to = header.attrs.to
    if (to !== undefined && hosts.status(to) !== 'served') await hosts.lookAgain()
    const rules = { contentNs: NS_CLIENT, status: (domain: string) => hosts.status(domain) }
    this.#state = acceptHeader(this.#state, header, rules)
    this.#state = withOffer(this.#authentication, this.#state)
    this.#connection.open(this.header())
    this.#connection.send(featuresElement(this.#features, this.#state))
  }

  async element(element: Stanza): Promise<void> {
    const outcome = await negotiate(this.#features, this.#state, element)
    await this.#apply(outcome)
  }

  header(): ResponseHeader {
    const { host, claimed, authenticated } = this.#state
    return {
      from: host ?? this.#services.hosts.first,
      to: authenticated?.jid ?? claimed,
      id: this.#randomId(),
    }
  }

  ended(ending: Ending): void {
    this.#settle()
    if (this.#opening !== undefined) this.#services.sessions.abandon(this.#opening, ending)
  }

  expired(): void {
    this.#connection.fail(new StreamError('connection-timeout'))
  }

  stalled(): void {
    // A peer that does not even read a hand-shake.
    this.#connection.fail(new StreamError('policy-violation'))
  }

  drained(): void {}

  closing(): void {}

  /** TLS is up: the stream begins again, and nothing said in clear counts. */
  secured(tls: TlsInfo): void {
    this.#tls = tls
    this.#state = afterTls(this.#state)
    this.#authentication = new Authentication(this.#services, this.#connection.address, tls)
    this.#features = this.#makeFeatures()
    this.#connection.wakeAt(this.#admittedAt + this.#services.settings.timeouts.auth)
  }

  #makeFeatures(): readonly StreamFeature[] {
    return clientFeatures({
      settings: this.#services.settings,
      hosts: this.#services.hosts,
      authentication: this.#authentication,
      canStartTls: this.#startTls !== undefined,
      canManage: this.#connection.transport.carrier === undefined,
    })
  }

  async #apply(outcome: Outcome): Promise<void> {
    const { effect } = outcome
    if (effect?.kind === 'tls' && this.#connection.hasUnread) {
      const refusal = await tlsFailure(this.#state)
      return await this.#apply(refusal)
    }
    this.#state = outcome.state
    for (const element of outcome.send) this.#connection.send(element)
    if (effect) await this.#perform(effect)
  }

  async #perform(effect: Effect): Promise<void> {
    switch (effect.kind) {
      case 'restart':
        return this.#restart()
      case 'tls':
        return this.#upgrade()
      case 'bind':
        return await this.#bind(effect.request, effect.resource)
      case 'resume':
        return await this.#resume(effect.session, effect.h)
      case 'register':
        return await this.#register(effect)
      case 'close':
        return this.#connection.finish('closed')
      case 'fail':
        return this.#connection.fail(effect.error)
    }
  }

  /** After SASL: what the client has sent ahead belongs to the new stream (RFC 6120 §6.4.6). */
  #restart(): void {
    const { settings } = this.#services
    this.#settle()
    this.#connection.restart(true)
    this.#connection.setLimits(settings.client)
    this.#connection.wakeAt(this.#connection.context.wheel.now + settings.timeouts.bind)
  }

  #upgrade(): void {
    const { wheel } = this.#connection.context
    this.#connection.flush()
    this.#connection.restart(false)
    this.#connection.wakeAt(wheel.now + this.#services.settings.timeouts.tls)
    this.#startTls?.()
  }

  /** Asks the owner; the connection waits, so what the client sent ahead comes after the answer. */
  #bind(request: Stanza, resource: string | undefined): Promise<void> {
    const { services, ...who } = this.#whom()
    const session = this.#randomId()
    const stream = partitionStream(partitionOf(who.account, services.settings.partitions))
    const frame: SessionOpen = {
      kind: 'session.open',
      entity: who.account,
      session,
      epoch: 1,
      seq: 1,
      cm: services.instance,
      resource,
      credentials: this.#authentication.credentialsVersion,
      anonymous: this.#authentication.isAnonymous,
      info: this.#info(),
    }
    this.#opening = session
    return new Promise((resolve) => {
      services.sessions.open(stream, frame, (answer) => {
        this.#opening = undefined
        const bound = this.#answered(request, answer)
        resolve()
        return bound
      })
    })
  }

  #answered(request: Stanza, answer: OpenAnswer): Session | undefined {
    if (answer.kind === 'opened') {
      this.#connection.send(bindResult(request, answer.jid))
      // What is said before there is a session has no number, and is told apart by that.
      if (this.#connection.transport.carrier) this.#connection.flush()
      const { link, jid } = answer
      const info = this.#info()
      return this.#become(new Session(this.#services, this.#connection, { link, jid, info }))
    }
    this.#state = { ...this.#state, binding: false }
    const error = new StanzaError(answer.condition as StanzaCondition, answer.text)
    const reply = errorReply(request, error)
    if (reply) this.#connection.send(reply)
    return undefined
  }

  /** Asks the owner of the account; a session of another account is none that it knows. */
  #resume(previd: string, h: number): Promise<void> {
    const { services, account } = this.#whom()
    const stream = partitionStream(partitionOf(account, services.settings.partitions))
    const frame: SessionResume = {
      kind: 'session.resume',
      entity: account,
      session: previd,
      attempt: this.#randomId(),
      cm: services.instance,
      h,
      info: this.#info(),
    }
    return new Promise((resolve) => {
      services.sessions.resume(stream, frame, (outcome) => {
        const resumed = this.#resumeAnswered(previd, h, outcome)
        resolve()
        return resumed
      })
    })
  }

  #resumeAnswered(previd: string, h: number, answer: ResumeAnswer): Session | undefined {
    const { outcome } = answer
    if (!this.#connection.isOpen) return undefined
    if (answer.link && outcome.resumed) {
      const { base, from, to, jid } = outcome
      this.#connection.send(resumedElement(previd, outcome.h))
      const counters = new StreamCounters({ base, acknowledged: from, handled: outcome.h })
      return this.#become(
        new Session(this.#services, this.#connection, {
          link: answer.link,
          jid: jid as FullJid,
          resumed: { counters, from, to, acknowledged: from },
        }),
      )
    }
    if (outcome.resumed) return undefined
    if (outcome.condition === 'handled-count-too-high') {
      const application = countTooHigh(h, outcome.h ?? 0)
      this.#connection.fail(new StreamError('undefined-condition', undefined, { application }))
    } else this.#connection.send(failedElement(outcome.condition as StanzaCondition, outcome.h))
    return undefined
  }

  #become(session: Session): Session {
    const { streams } = this.#services.metrics
    this.#connection.handler = session
    streams.with({ state: 'negotiating' }).dec()
    streams.with({ state: 'bound' }).inc()
    return session
  }

  async #register(effect: Extract<Effect, { kind: 'register' }>): Promise<void> {
    const { request } = effect
    try {
      const host = this.#state.host ?? ''
      await register(this.#services, this.#connection.address, { ...effect, host })
      this.#connection.send(registerResult(request))
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error
      const reply = errorReply(request, error)
      if (reply) this.#connection.send(reply)
    }
  }

  #whom(): { readonly services: Services; readonly account: ReturnType<typeof parseBareJid> } {
    const { authenticated } = this.#state
    if (!authenticated) throw new StreamError('not-authorized')
    return { services: this.#services, account: authenticated.jid }
  }

  #info(): Readonly<Record<string, string>> {
    return {
      address: this.#connection.address,
      transport: this.#connection.framing.name,
      mechanism: this.#state.authenticated?.mechanism ?? '',
      tls: this.#tls?.protocol ?? 'none',
    }
  }

  /** The address is not counted among the unauthenticated any more. */
  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    this.#services.addresses.settle(this.#connection.address)
  }
  #settled = false

  #randomId(): string {
    return Buffer.from(this.#services.env.random(16)).toString('base64url')
  }
}
