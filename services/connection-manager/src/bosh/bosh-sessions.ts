import { type BusRecord, RequestFailed } from '@tactus/bus'
import { boshNumber, readBoshBody } from '@tactus/stream'
import type { Services } from '../services.ts'
import type { Connection } from '../stream/connection.ts'
import type { TlsInfo } from '../stream/tls-info.ts'
import { type BoshAnswer, bodyAnswer, seeOther, terminal, unspoken } from './answer.ts'
import { BoshSession } from './bosh-session.ts'
import { type Forwarded, Forwarding, forwardName } from './forwarding.ts'
import { type BoshRecord, decodeBoshRecord, encodeBoshRecord, recordName } from './record.ts'
import type { BoshRequest } from './request.ts'
import { readTerms } from './terms.ts'

/** Who asks. */
export interface BoshClient {
  readonly address: string
  readonly tls: TlsInfo | undefined
  /** Whether nobody waits for the answer any more. */
  isGone(): boolean
}

/** How often a request follows its session before it is given up. */
const mostMoves = 5
/** Milliseconds for which a record lives that says who takes a session over. */
const takeoverTtl = 120_000
/** Requests of others that are answered at once; each may wait for as long as a client lets it. */
const atWork = 20_000

/**
 * The sessions over HTTP that this instance holds, and the way to those that others hold: any instance takes any request
 * (design §1), and takes over the session of one that is dead.
 */
export class BoshSessions implements AsyncDisposable {
  readonly #services: Services
  readonly #connections: Set<Connection>
  readonly #isDraining: () => boolean
  readonly #sessions = new Map<string, BoshSession>()
  readonly #takingOver = new Map<string, Promise<BoshSession | undefined>>()
  readonly #forwarding: Forwarding
  #serving: AsyncDisposable | undefined

  constructor(services: Services, connections: Set<Connection>, isDraining: () => boolean) {
    this.#services = services
    this.#connections = connections
    this.#isDraining = isDraining
    this.#forwarding = new Forwarding(services)
  }

  /** Sessions that are held here. */
  get size(): number {
    return this.#sessions.size
  }

  /** Takes requests from other instances. */
  start(): void {
    const { bus, instance } = this.#services
    this.#serving = bus.serve(forwardName(instance), (request) => this.#forwarded(request.input), {
      atWork,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#serving?.[Symbol.asyncDispose]()
  }

  /** Answers a request that a client sent to this instance. */
  async ask(bytes: Uint8Array, client: BoshClient): Promise<BoshAnswer> {
    const request = this.#read(bytes)
    if (!request) return terminal('bad-request', unspoken)
    const { sid } = request.body.attrs
    if (sid === undefined) return this.#create(request, client)
    let isLate = false
    for (let move = 0; move < mostMoves; move += 1) {
      const wasHere = this.#sessions.has(sid)
      const answer = await this.#follow(sid, { ...request, isLate }, client)
      if (answer.kind !== 'elsewhere') return answer
      isLate ||= wasHere
    }
    return { kind: 'unavailable' }
  }

  #read(bytes: Uint8Array): BoshRequest | undefined {
    try {
      const body = readBoshBody(bytes, this.#services.settings.client)
      const rid = boshNumber(body.attrs.rid)
      return rid === undefined || rid === 0 ? undefined : { rid, body }
    } catch {
      return undefined
    }
  }

  async #create(request: BoshRequest, { address, tls }: BoshClient): Promise<BoshAnswer> {
    const { settings, addresses, connections, metrics, instance, env } = this.#services
    const terms = readTerms(request.body.attrs, settings, tls !== undefined)
    if (!terms) return terminal('bad-request', unspoken)
    const { seeOtherBosh } = settings.drain
    if (this.#isDraining())
      return seeOtherBosh ? seeOther(seeOtherBosh, terms) : terminal('system-shutdown', terms)
    if (this.#sessions.size >= settings.bosh.sessions)
      return terminal('internal-server-error', terms)
    if (!addresses.admit(address, connections.wheel.now)) {
      metrics.connections.with({ outcome: 'refused' }).inc()
      return terminal('policy-violation', terms)
    }
    // SECURITY: V16. 128 bits that nobody can guess; the instance before them is no secret.
    const sid = `${instance}.${Buffer.from(env.random(16)).toString('base64url')}`
    const session = this.#hold(sid, { terms, start: { address, tls, rid: request.rid } })
    metrics.boshRequests.with({ outcome: 'here' }).inc()
    return await session.ask(request)
  }

  #hold(
    sid: string,
    options: Pick<ConstructorParameters<typeof BoshSession>[0], 'start' | 'terms'>,
  ): BoshSession {
    const session = new BoshSession({
      ...options,
      services: this.#services,
      connections: this.#connections,
      sid,
      gone: (gone) => {
        if (this.#sessions.get(sid) === gone) this.#sessions.delete(sid)
      },
    })
    this.#sessions.set(sid, session)
    return session
  }

  /** Asks whoever holds the session. */
  async #follow(sid: string, request: BoshRequest, client: BoshClient): Promise<BoshAnswer> {
    const isSecure = client.tls !== undefined
    const own = this.#sessions.get(sid) ?? (await this.#takingOver.get(sid))
    if (own) return await this.#askOwn(own, request, isSecure)
    const found = await this.#lookUp(sid)
    if (found === 'unknown') return { kind: 'unavailable' }
    const record = found && decodeBoshRecord(found.value)
    if (record?.over !== undefined) return await this.#lastWords(sid, record, found)
    const holder = holderOf(sid, record)
    const isHeld = await this.#isHeld(holder)
    // Where this instance was frozen, its client has gone elsewhere meanwhile.
    const late = { ...request, isLate: request.isLate === true || client.isGone() }
    if (isHeld) {
      this.#services.metrics.boshRequests.with({ outcome: 'forwarded' }).inc()
      const { body, isLate } = late
      return await this.#forwarding.ask(holder, { sid, body: body.bytes, isSecure, isLate })
    }
    if (this.#sessions.has(sid)) return { kind: 'elsewhere' }
    if (!record || !found) return this.#refused()
    // Who leaves takes nothing over: the client comes back, and finds another.
    if (this.#isDraining()) return { kind: 'unavailable' }
    const taken = await this.#takeOver(sid, record, found.version)
    return taken ? await this.#askOwn(taken, late, isSecure) : { kind: 'elsewhere' }
  }

  /** Whether another instance holds what it is said to hold. */
  async #isHeld(holder: string): Promise<boolean> {
    if (holder === '' || holder === this.#services.instance) return false
    return await this.#forwarding.isAlive(holder)
  }

  /** What the client of a session that ended meanwhile has to know; once, as any end. */
  async #lastWords(
    sid: string,
    { over = '', terms }: BoshRecord,
    found: BusRecord | undefined,
  ): Promise<BoshAnswer> {
    const version = found?.version ?? 0
    await this.#services.bus.replace(recordName(sid), version, undefined, 0).catch(() => {})
    return bodyAnswer(over, terms)
  }

  /** A session that is not, or not any more, or that went with the instance before there was a resource. */
  #refused(): BoshAnswer {
    this.#services.metrics.boshRequests.with({ outcome: 'refused' }).inc()
    return terminal('item-not-found', unspoken)
  }

  async #askOwn(
    session: BoshSession,
    request: BoshRequest,
    isSecure: boolean,
  ): Promise<BoshAnswer> {
    // §18.1: what began inside TLS stays there. Whoever sends it in clear may not end it either.
    if (session.terms.isSecure && !isSecure) return this.#refused()
    this.#services.metrics.boshRequests.with({ outcome: 'here' }).inc()
    return await session.ask(request)
  }

  async #lookUp(sid: string): Promise<BusRecord | undefined | 'unknown'> {
    if (!/^[\w-]{1,64}\.[\w-]{22}$/.test(sid)) return undefined
    try {
      return await this.#services.bus.record(recordName(sid))
    } catch (error) {
      this.#services.log.warn('bosh_record_unread', { err: error })
      return 'unknown'
    }
  }

  /** One at a time: requests that come meanwhile wait for the same. */
  async #takeOver(
    sid: string,
    record: BoshRecord,
    version: number,
  ): Promise<BoshSession | undefined> {
    const running = this.#takingOver.get(sid)
    if (running) return await running
    const taking = this.#claim(sid, record, version).finally(() => this.#takingOver.delete(sid))
    this.#takingOver.set(sid, taking)
    return await taking
  }

  async #claim(sid: string, record: BoshRecord, version: number): Promise<BoshSession | undefined> {
    const { bus, instance, log, env } = this.#services
    const own = { ...record, holder: instance }
    try {
      const name = recordName(sid)
      if (!(await bus.replace(name, version, encodeBoshRecord(own), takeoverTtl))) return undefined
    } catch (error) {
      log.warn('bosh_takeover_failed', { err: error })
      return undefined
    }
    env.failpoint('bosh:claimed')
    log.info('bosh_taken_over', { jid: record.jid, from: record.holder })
    return this.#hold(sid, {
      terms: record.terms,
      start: { record: own, version: version + 1 },
    })
  }

  /** A request that came to another instance. */
  async #forwarded(input: unknown): Promise<BoshAnswer> {
    // An instance of an earlier release says nothing of `isLate`.
    const { sid, body, isSecure, isLate } = input as Omit<Forwarded, 'isLate'> & Partial<Forwarded>
    const session = this.#sessions.get(sid) ?? (await this.#takingOver.get(sid))
    const request = this.#read(Buffer.from(body))
    if (!request) throw new RequestFailed('no body of BOSH')
    if (session)
      return await this.#askOwn(session, { ...request, isLate: isLate === true }, isSecure)
    // The asking instance looks again: it may have gone on, or never have been.
    return (await this.#lookUp(sid)) === undefined ? this.#refused() : { kind: 'elsewhere' }
  }
}

/** Who is said to hold a session: the instance where it began, where nothing says otherwise. */
function holderOf(sid: string, record: BoshRecord | undefined): string {
  return record ? record.holder : sid.slice(0, sid.lastIndexOf('.'))
}
