import { type BoshAttributes, BoshFraming, type BoshInput, writeBoshBody } from '@tactus/stream'
import type { Timed } from '../limits/wheel.ts'
import type { Services } from '../services.ts'
import type { Connection } from '../stream/connection.ts'
import { openStream } from '../stream/open-stream.ts'
import type { TlsInfo } from '../stream/tls-info.ts'
import type { Carrier } from '../stream/transport.ts'
import { type BoshAnswer, type BoshCondition, bodyAnswer, terminal } from './answer.ts'
import { BoshTransport } from './bosh-transport.ts'
import { creationAttributes } from './creation.ts'
import { lastWords } from './ending.ts'
import { keptText } from './kept-text.ts'
import type { BoshRecord } from './record.ts'
import { type BoshRequest, PendingRequest } from './request.ts'
import { RequestLine, type Violation } from './request-line.ts'
import { Resumption } from './resumption.ts'
import { openingOf } from './rules.ts'
import { Standing } from './standing.ts'
import { Tenure } from './tenure.ts'
import type { BoshTerms } from './terms.ts'

/** A session that begins here, or one that another instance held. */
export type BoshStart =
  | { readonly address: string; readonly tls: TlsInfo | undefined; readonly rid: number }
  | { readonly record: BoshRecord; readonly version: number }

interface BoshSessionOptions {
  readonly services: Services
  readonly connections: Set<Connection>
  readonly sid: string
  readonly terms: BoshTerms
  readonly start: BoshStart
  /** It ended, or another instance has it. */
  readonly gone: (session: BoshSession) => void
}

/**
 * One session over HTTP (XEP-0124): puts its requests in order, gives their content to the stream, and answers them in
 * turn with what the stream has to say.
 *
 * Two rules make that safe. No request is answered before the owner has committed what was in it and before it, so what a
 * client believes to be received is. And no answer leaves before it stands in the record on the bus, where the next
 * instance finds it: whoever replaces the record holds the session, and who fails to has lost it.
 */
export class BoshSession implements Timed, Carrier {
  readonly sid: string
  readonly terms: BoshTerms
  readonly resumeWithin: number
  deadline = Number.POSITIVE_INFINITY
  wheelSlot = -1
  readonly #services: Services
  readonly #gone: (session: BoshSession) => void
  readonly #framing = new BoshFraming()
  readonly #transport: BoshTransport
  readonly #connection: Connection
  readonly #standing: Standing
  readonly #tenure: Tenure
  readonly #requests: RequestLine
  /** Those that broke a rule, until it is known whether it is for this instance to judge. */
  #violators: { readonly request: PendingRequest; readonly condition: Violation }[] = []
  /** What is in requests may be given to the stream. */
  #isReady: boolean
  /** Resolves when that is so, or never will be. */
  readonly #readiness = Promise.withResolvers<void>()
  /** Nothing was answered yet. */
  #isNew: boolean
  /** Wheel time of the last answer, or of the beginning. */
  #since: number
  #condition: BoshCondition | undefined
  #isScheduled = false
  #isSealing = false
  #isLeaving = false
  #isGone = false

  constructor({ services, connections, sid, terms, start, gone }: BoshSessionOptions) {
    const isTaken = 'record' in start
    const { bosh } = services.settings
    this.sid = sid
    this.terms = terms
    this.resumeWithin = bosh.maxPause + bosh.wait
    this.#services = services
    this.#gone = gone
    this.#standing = new Standing(terms, isTaken ? start.record : start.rid - 1)
    this.#requests = new RequestLine(terms, this.#standing.answered, {
      clock: services.env.clock,
      polling: bosh.polling * 1_000,
    })
    this.#isReady = !isTaken
    this.#isNew = !isTaken
    this.#since = services.connections.wheel.now
    const changes = {
      changed: () => this.#schedule(),
      destroyed: () => this.#disappear({ kind: 'unavailable' }),
    }
    this.#transport = new BoshTransport(this, changes, isTaken ? start.record.given : 0)
    this.#tenure = new Tenure(services, {
      sid,
      version: isTaken ? start.version : 0,
      standing: this.#standing,
      transport: this.#transport,
    })
    this.#connection = openStream(services, connections, {
      socket: this.#transport,
      address: isTaken ? (start.record.info.address ?? '') : start.address,
      framing: this.#framing,
      tls: isTaken ? undefined : start.tls,
      ...(isTaken && { handler: (connection) => this.#resumption(connection, start.record) }),
    })
    this.#transport.attach(this.#connection)
    if (this.#connection.handler instanceof Resumption) this.#connection.handler.start()
    this.#arm()
  }

  /** Whether another instance could go on with it. */
  get isBound(): boolean {
    return this.#tenure.isBound
  }

  /** Resolves when the request is answered, or has to be taken elsewhere. */
  ask(request: BoshRequest): Promise<BoshAnswer> {
    return new Promise((resolve) => {
      if (this.#isGone) resolve({ kind: 'elsewhere' })
      else this.#arrive(new PendingRequest(request, resolve))
      this.#schedule()
    })
  }

  opened(base: number): void {
    this.#standing.base = base
    this.#standing.info = this.#transport.session?.info ?? {}
    this.#schedule()
  }

  committed(): void {
    this.#schedule()
  }

  handOver(): boolean {
    if (!this.isBound || this.#isGone || this.#transport.isOver) return false
    this.#isLeaving = true
    this.#schedule()
    return true
  }

  expire(now: number): void {
    const isIdle = this.#requests.held.length === 0 && !this.#isSealing && now >= this.#idleUntil
    if (isIdle) this.#finish('closed')
    this.#schedule()
  }

  /** Made together with the connection. */
  get #input(): BoshInput {
    return this.#framing.incoming as BoshInput
  }

  #resumption(connection: Connection, record: BoshRecord): Resumption {
    const services = this.#services
    const resumed = (handled: number | undefined): void => {
      const outcome = handled === undefined ? 'refused' : 'resumed'
      services.metrics.boshTakeovers.with({ outcome }).inc()
      if (handled === undefined) {
        this.#condition = 'item-not-found'
        connection.finish('closed')
      } else {
        this.#input.resume()
        this.#input.skip = (handled - record.answered.h) >>> 0
        this.#isReady = true
      }
      this.#readiness.resolve()
      this.#schedule()
    }
    return new Resumption({ services, connection, record, resumed })
  }

  /** XEP-0124 §14.2 and §14.3. */
  #arrive(request: PendingRequest): void {
    const verdict = this.#requests.judge(request, this.#standing.answered.rid)
    if (verdict === 'outside') return this.#violated('item-not-found', request)
    if (verdict === 'answered') return void this.#repeat(request)
    const again = bodyAnswer(writeBoshBody({ type: 'error' }), this.terms)
    if (!this.#requests.join(request, again)) this.#violated('policy-violation', request)
  }

  async #repeat(request: PendingRequest): Promise<void> {
    const kept = this.#standing.kept.find(request.rid)
    // §14.3: its client is known to have the answer, so this copy was on its way for long, as at an instance that was frozen.
    if (!kept) return request.respond(terminal('item-not-found', this.terms))
    if (kept.key !== this.#keyOf(request)) return this.#violated('item-not-found', request)
    try {
      if (!this.#isReady) await this.#readiness.promise
      const text = await keptText(kept, this.#transport.session, this.#services.bus)
      this.#services.metrics.boshRepeats.inc()
      request.respond(bodyAnswer(text, this.terms, this.isBound))
    } catch (error) {
      this.#services.log.warn('bosh_answer_unread', { err: error })
      request.respond({ kind: 'unavailable' })
    }
  }

  #keyOf(request: PendingRequest): string {
    return this.terms.isKeyed ? (request.body.attrs.key ?? '') : ''
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isGone) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#accept()
      this.#pump()
    })
  }

  /** Takes the requests whose turn has come. */
  #accept(): void {
    while (this.#isReady && !this.#transport.isOver && !this.#transport.isPaused) {
      const isFirst = this.#requests.last === undefined && this.#isNew
      const next = this.#requests.take()
      if (!next) return
      if (next.violation) return this.#violated(next.violation, next.request)
      this.#standing.hear(next.request)
      this.#give(next.request, isFirst)
    }
  }

  /** Gives what is in a request to the stream. */
  #give(request: PendingRequest, isFirst: boolean): void {
    this.#standing.pause = request.pauseWithin(this.#services.settings.bosh.maxPause)
    const taken = (): void => {
      // What was said to it belongs into its answer, also where that may not wait (§12).
      this.#connection.flush()
      const { session } = this.#transport
      request.isTaken = true
      request.seq = session?.link.seq ?? 0
      request.h = session ? (session.received - this.#input.skip) >>> 0 : 0
      this.#schedule()
    }
    try {
      this.#input.offer(request.body, openingOf(request.body, this.terms, isFirst), taken)
    } catch {
      return this.#violated('policy-violation', request)
    }
    this.#connection.receive(request.body.bytes)
  }

  /** Whether the owner has committed what came with a request and before. */
  #isSettled(request: PendingRequest): boolean {
    if (!request.isTaken) return false
    const { session } = this.#transport
    return !session || (this.isBound && session.link.committed >= request.seq)
  }

  #isDue(request: PendingRequest): boolean {
    if (this.#standing.pause !== undefined || this.#isLeaving || request.report) return true
    if (this.#requests.last?.isTermination) return false
    if (this.#transport.writableLength > 0) return true
    if (this.#requests.held.length > this.terms.hold || this.terms.wait === 0) return true
    return this.#services.connections.wheel.now >= this.#waitUntil(request)
  }

  #waitUntil({ acceptedAt }: PendingRequest): number {
    return acceptedAt + this.terms.wait * 1_000 - this.#services.settings.wheel
  }

  get #idleUntil(): number {
    const seconds = this.#standing.pause ?? this.#services.settings.bosh.inactivity
    return this.#since + seconds * 1_000
  }

  /** Does what is next: one thing at a time, since each waits for the record. */
  #pump(): void {
    if (this.#isSealing || this.#isGone) return
    if (this.#transport.isOver) return void this.#conclude()
    const [first] = this.#requests.held
    const last = this.#requests.held.at(-1)
    const { acknowledged, sealed } = this.#standing
    if (last?.isTermination && !last.isClosing && this.#isSettled(last)) this.#close(last)
    else if (first && this.#isDue(first) && this.#isSettled(first)) void this.#answer(first)
    else if (this.isBound && acknowledged > sealed) void this.#sealed(() => {})
    else if (this.#isLeaving && !first) void this.#release()
    this.#arm()
  }

  #arm(): void {
    if (this.#isGone) return
    const [first] = this.#requests.held
    this.deadline = first ? this.#waitUntil(first) : this.#idleUntil
    this.#services.connections.wheel.watch(this)
  }

  /** §13: what came with it is committed. */
  #close(request: PendingRequest): void {
    request.isClosing = true
    this.#transport.session?.acknowledged(this.#standing.acknowledged)
    this.#input.close()
    this.#connection.receive(new Uint8Array())
  }

  #finish(ending: 'closed' | 'error'): void {
    this.#transport.session?.acknowledged(this.#standing.acknowledged)
    this.#connection.finish(ending)
  }

  #answer(request: PendingRequest): Promise<void> {
    const { rid, h, nextKey: key } = request
    // §10: the answer to a pause carries nothing.
    const isPause = request === this.#requests.last && this.#standing.pause !== undefined
    const { extra, numbered, from, to } = this.#transport.take(isPause)
    const text = writeBoshBody(this.#attributes(request), extra + numbered)
    this.#requests.remove(request)
    this.#isNew = false
    this.#since = this.#services.connections.wheel.now
    request.hadPayload = extra !== '' || numbered !== ''
    this.#standing.answered = { rid, h, key }
    const at = this.#services.env.clock.monotonic()
    this.#standing.kept.add({ rid, from, to, extra, key: this.#keyOf(request), text, at })
    return this.#sealed((isOurs) => {
      const said = bodyAnswer(text, this.terms, this.isBound)
      request.respond(isOurs ? said : { kind: 'elsewhere' })
    })
  }

  #attributes(request: PendingRequest): BoshAttributes {
    const { header } = this.#framing
    this.#framing.header = undefined
    const { report } = request
    const received = this.#requests.held.findLast((other) => this.#isSettled(other))?.rid ?? 0
    return {
      ...(this.terms.acks && received > request.rid && { ack: received }),
      ...(report && { report: report.rid, time: report.time }),
      ...(header && creationAttributes(this, header, request, this.#services.settings)),
    }
  }

  /** Writes the record, then acts; nothing else is written meanwhile. */
  async #sealed(act: (isOurs: boolean) => void): Promise<void> {
    this.#isSealing = true
    const isOurs = await this.#tenure.renew()
    act(isOurs)
    this.#isSealing = false
    if (isOurs) this.#schedule()
    else this.#lose()
  }

  /** A rule was broken: the session ends, and whoever broke it is told why (§17.2), if it is held here to the end. */
  #violated(condition: Violation, request: PendingRequest): void {
    this.#requests.remove(request)
    this.#violators.push({ request, condition })
    this.#services.metrics.boshViolations.with({ condition }).inc()
    this.#condition ??= 'other-request'
    this.#finish('error')
  }

  /** The stream is over: the first who waits is told, or who asks next, here or elsewhere. */
  async #conclude(): Promise<void> {
    this.#isSealing = true
    const words = lastWords(this.#framing, { condition: this.#condition, isNew: this.#isNew })
    const isUntold = this.#requests.all.length === 0 && words.isNews
    const isOurs = await this.#tenure.end(isUntold ? words.text : undefined)
    const last = bodyAnswer(words.text, this.terms)
    const others = bodyAnswer(writeBoshBody({}), this.terms)
    for (const [n, request] of this.#requests.all.entries())
      request.respond(isOurs ? (n === 0 ? last : others) : { kind: 'elsewhere' })
    for (const { request, condition } of this.#violators)
      request.respond(isOurs ? terminal(condition, this.terms) : { kind: 'elsewhere' })
    this.#disappear({ kind: 'elsewhere' })
  }

  /** All is answered: the next request is to find the session at another instance. */
  async #release(): Promise<void> {
    this.#isSealing = true
    if (!(await this.#tenure.release())) return this.#lose()
    this.#disappear({ kind: 'elsewhere' })
    this.#connection.finish('dropped')
    this.#connection.broken()
  }

  /** Another instance has taken the session over: nothing of it here is true any more. */
  #lose(): void {
    const { session } = this.#transport
    if (session) this.#services.sessions.forget(session)
    this.#disappear({ kind: 'elsewhere' })
    this.#connection.broken()
  }

  #disappear(answer: BoshAnswer): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#tenure.stop()
    this.#readiness.resolve()
    this.#services.connections.wheel.forget(this)
    for (const request of this.#requests.all) request.respond(answer)
    for (const { request } of this.#violators) request.respond(answer)
    this.#requests.clear()
    // The transport of a stream that is over is gone with it.
    if (this.#transport.isOver) this.#connection.broken()
    this.#gone(this)
  }
}
