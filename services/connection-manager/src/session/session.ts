import type {
  DeliverTarget,
  QueueEntry,
  SessionEnabled,
  SessionStanza,
  SessionState,
} from '@tactus/bus'
import { queuedAt } from '@tactus/cluster'
import { type BareJid, bare, type FullJid, tryParseJid } from '@tactus/jid'
import { NS_CLIENT_STATE, StreamError } from '@tactus/stanza'
import {
  type EnableRequest,
  isStanza,
  type ResponseHeader,
  type StreamCounters,
  unexpected,
} from '@tactus/stream'
import { Stanza, type XmlElement } from '@tactus/xml'
import type { Services } from '../services.ts'
import { type Connection, hold } from '../stream/connection.ts'
import type { Ending, StreamHandler } from '../stream/handler.ts'
import { CarriedManagement } from './carried-management.ts'
import {
  isManagement,
  type ManagedSession,
  Management,
  type SessionManagement,
} from './management.ts'
import { resent } from './resent.ts'
import type { NumberedFrame, SessionLink } from './session-link.ts'
import { WrittenMarks } from './written.ts'

/** What a session begins with. */
export interface SessionStart {
  readonly link: SessionLink
  readonly jid: FullJid
  /** What the owner was told of its connection. */
  readonly info?: Readonly<Record<string, string>>
  /**
   * For one that is taken up again: its counters, the out-numbers (from, to] to send again, and the one up to which the
   * client has everything.
   */
  readonly resumed?: {
    readonly counters: StreamCounters
    readonly from: number
    readonly to: number
    readonly acknowledged: number
  }
}

/**
 * A bound resource on its connection: stanzas in become numbered inputs of the account's owner,
 * numbered deliveries of the owner become stanzas out. Nothing is answered, added or swallowed here
 * (design §3.5).
 */
export class Session implements StreamHandler, ManagedSession {
  readonly account: BareJid
  readonly jid: FullJid
  readonly link: SessionLink
  readonly info: Readonly<Record<string, string>>
  readonly #services: Services
  readonly #connection: Connection
  #out = 0
  /** What is up to this out-number waited for the resumption. */
  #resumedTo = 0
  /** Highest out-number known to exist while a range is being read. */
  #wanted = 0
  #fetching = false
  #stalled = false
  /** When the client was last asked for a sign of life. */
  #pokedAt = 0
  /** What the client last said of itself that the owner was told (XEP-0352). */
  #state: SessionState['state'] = 'active'
  readonly #marks = new WrittenMarks()
  readonly #management: SessionManagement

  constructor(services: Services, connection: Connection, start: SessionStart) {
    const { link, jid, info = {}, resumed } = start
    this.#services = services
    this.#connection = connection
    this.link = link
    this.info = info
    this.jid = jid
    this.account = bare(jid)
    const { carrier } = connection.transport
    this.#management = carrier
      ? new CarriedManagement(carrier, resumed?.counters)
      : new Management(this, resumed?.counters)
    if (carrier && !resumed) this.enable({ resume: true, max: carrier.resumeWithin })
    if (resumed) {
      this.#out = resumed.from
      this.#wanted = resumed.to
      // Where the transport resumes by itself, nobody was away.
      if (!carrier) this.#resumedTo = resumed.to
      link.acknowledge(resumed.acknowledged)
      if (resumed.to > resumed.from) void this.#fetch()
    }
    this.#watch(connection.context.wheel.now)
  }

  /** Whether the client acknowledges by itself what it gets (XEP-0198). */
  get isManaged(): boolean {
    return this.#management.isOn
  }

  get id(): string {
    return this.link.session
  }

  /** Highest out-number that was given to the connection. */
  get out(): number {
    return this.#out
  }

  /** Stanzas of the client so far, as its owner counts them (XEP-0198 §4). */
  get received(): number {
    return this.#management.count
  }

  opened(): undefined {
    // Only a restart brings a second header, and there is none after binding.
    throw new StreamError('policy-violation')
  }

  element(element: Stanza): undefined {
    if (isManagement(element)) {
      this.#management.element(element, this.#out)
      return
    }
    if (element.ns === NS_CLIENT_STATE) return this.#indicate(element)
    if (!isStanza(element)) throw unexpected(element)
    this.#checkFrom(element.from)
    this.#management.received()
    this.#services.metrics.stanzaIn.inc()
    this.#input({ ...this.#numbered(), kind: 'session.stanza', stanza: element })
  }

  send(element: XmlElement): void {
    this.#connection.send(element)
  }

  enable({ resume, max }: EnableRequest): void {
    this.#input({ ...this.#numbered(), kind: 'session.enable', resume, max })
  }

  /** The answer to `<enable/>`, at its place among the deliveries. */
  enabled(frame: SessionEnabled): void {
    this.#management.enabled(frame, this.#out)
    if (frame.n > this.#out) this.#miss(frame.n)
  }

  acknowledged(n: number): void {
    this.link.acknowledge(n)
    this.#services.sessions.wake(this)
    if (this.#management.owes(this.#out)) this.#services.sessions.wrote(this, this.#out)
  }

  /** Asks the client what it has got, where something is open. */
  requestAck(): void {
    if (this.#management.owes(this.#out)) this.#request(this.#services.settings.ackTimeout)
  }

  /** The owner has committed inputs; `h` of them are the client's counted stanzas. */
  committed(h: number): void {
    this.#management.committed(h)
    this.progressed()
  }

  closing(): void {
    this.#management.acknowledge()
  }

  /** The owner has committed inputs, or the partition takes inputs again. */
  progressed(): void {
    if (this.#services.sessions.hasRoom(this)) this.#connection.release(hold.retention)
  }

  /** Takes one delivery. Numbers decide: what was seen is dropped, a gap is read from the queue. */
  deliver(target: DeliverTarget, stanza: Stanza): void {
    const { n, to } = target
    if (n <= this.#out || !this.#connection.isOpen) return
    if (this.#stalled || this.#fetching || n > this.#out + 1) {
      this.#miss(n)
      return
    }
    this.#write(n, to === undefined ? stanza : stanza.with({ to }))
  }

  /** The owner ends the session: nothing is said to it after that. */
  end(condition: StreamError | undefined): void {
    this.#services.sessions.forget(this)
    if (condition) this.#connection.fail(condition)
    else this.#connection.finish('closed')
  }

  /** The client is about to be left, and may go on elsewhere: it is told what of it is handled. */
  settle(): void {
    this.#management.acknowledge()
  }

  ended(ending: Ending): void {
    const { sessions } = this.#services
    sessions.report(this)
    sessions.close(this, ending)
  }

  header(): ResponseHeader {
    // Its stream is open, so nobody asks.
    return { from: undefined, to: undefined, id: '' }
  }

  /** The account made the server do more than it may. */
  pause(milliseconds: number): void {
    this.#services.connections.costs.pause(this.#connection, milliseconds)
  }

  stalled(): void {
    this.#stalled = true
    this.link.flow('stalled', this.#out)
    this.#services.sessions.wake(this)
  }

  drained(): void {
    this.#stalled = false
    this.link.flow('ready', this.#out)
    this.#services.sessions.wake(this)
    // Where both words to the owner fell together it heard neither, and has sent what was not taken here.
    this.#miss(this.#out)
  }

  /** Highest out-number that has left for the network; without stream management, what is acknowledged. */
  written(): number {
    const { bytesWritten, transport } = this.#connection
    return this.#marks.advance(bytesWritten - transport.writableLength)
  }

  /** Whether everything that was given to the connection has left. */
  get isWritten(): boolean {
    return this.#marks.isComplete
  }

  /**
   * Quiet for long. With stream management the client is asked and has to answer. Without, nothing
   * that needs an answer may be added: a space goes out, and TCP's keep-alive finds who is gone; or a
   * ping of WebSocket, which is answered below the stream.
   */
  expired(now: number): void {
    const { heardAt, midItem } = this.#connection
    const { idle, idleClose, element } = this.#services.settings.timeouts
    const isLate = now >= this.#dueAt
    if (isLate || (midItem && now - heardAt >= element)) {
      // What the client did not get waits for it, where it may come back.
      this.#connection.fail(new StreamError('connection-timeout'), 'dropped')
      return
    }
    if (now >= this.#quietSince + idle) {
      this.#pokedAt = now
      if (this.isManaged) this.#request(idleClose)
      else this.#connection.keepAlive()
    }
    this.#watch(now)
  }

  /** The next time at which something may be late. */
  #watch(now: number): void {
    const { idle, element } = this.#services.settings.timeouts
    const { heardAt } = this.#connection
    const elementAt = heardAt + element
    const next = elementAt > now ? elementAt : now + element
    this.#connection.wakeAt(Math.min(next, this.#quietSince + idle, this.#dueAt))
  }

  /** When an answer that was asked for is too late. */
  get #dueAt(): number {
    const { heardAt, framing } = this.#connection
    const { dueAt = Number.POSITIVE_INFINITY } = this.#management
    if (!framing.isAnswered || this.#pokedAt <= heardAt) return dueAt
    return Math.min(dueAt, this.#pokedAt + this.#services.settings.timeouts.idleClose)
  }

  /** Since when the peer has said nothing and was not asked to. */
  get #quietSince(): number {
    return Math.max(this.#connection.heardAt, this.#pokedAt)
  }

  #request(patience: number): void {
    const { now } = this.#connection.context.wheel
    if (this.#management.request(now + patience)) this.#watch(now)
  }

  /** XEP-0352 §4.2: there is no reply, so where a router does not know of it yet, nothing comes of it. */
  #indicate(element: Stanza): undefined {
    const state = element.name
    if (state !== 'active' && state !== 'inactive') throw unexpected(element)
    if (state === this.#state || this.#services.routers.protocol < stateProtocol) return
    this.#state = state
    this.#input({ ...this.#numbered(), kind: 'session.state', state })
  }

  #numbered(): Pick<SessionStanza, 'entity' | 'session' | 'epoch' | 'seq'> {
    const { entity, session, epoch, seq } = this.link
    return { entity, session, epoch, seq: seq + 1 }
  }

  #input(frame: NumberedFrame): void {
    const { sessions } = this.#services
    sessions.input(this, frame)
    if (!sessions.mayRead(this)) this.#connection.hold(hold.retention)
  }

  #checkFrom(from: string | undefined): void {
    if (from === undefined || from === this.jid || from === this.account) return
    const jid = tryParseJid(from)
    // SECURITY: V37. Nobody speaks for another, not even by accident.
    if (jid !== this.jid && jid !== this.account) throw new StreamError('invalid-from')
  }

  #write(n: number, stanza: Stanza): void {
    this.#out = n
    const { sessions, metrics } = this.#services
    const bytes = this.#connection.framing.stanza(stanza)
    const end = this.#connection.sendBytes(bytes)
    this.#marks.mark(n, end, this.#connection.bytesWritten)
    metrics.stanzaOut.inc()
    this.#management.wrote(n)
    sessions.wrote(this, n)
  }

  #writeQueued({ n, meta, payload }: QueueEntry): void {
    if (n <= this.#out || !('bytes' in payload)) return
    const stanza = Stanza.parse(payload.bytes)
    // A payload that several queues share names nobody.
    const addressed = stanza.to === undefined ? stanza.with({ to: this.jid }) : stanza
    this.#write(n, n > this.#resumedTo ? addressed : resent(addressed, queuedAt(meta), this.jid))
  }

  /** There is something up to out-number `n` that has not come. */
  #miss(n: number): void {
    this.#wanted = Math.max(this.#wanted, n)
    if (!this.#fetching && !this.#stalled) void this.#fetch()
  }

  /** Reads what is missing between what was written and what is known to exist. */
  async #fetch(): Promise<void> {
    this.#fetching = true
    const { bus, metrics, env, log } = this.#services
    try {
      while (this.#wanted > this.#out && this.#connection.isOpen && !this.#stalled) {
        const upTo = Math.min(this.#wanted, this.#out + fetchAtOnce)
        const entries = await bus.queue(this.id, this.#out, upTo)
        for (const entry of entries) this.#writeQueued(entry)
        // What is in the queue no longer was acknowledged or taken back: nothing to wait for.
        if (entries.length === 0) {
          metrics.gaps.with({ outcome: 'missing' }).inc()
          this.#out = upTo
        } else metrics.gaps.with({ outcome: 'filled' }).inc()
      }
    } catch (error) {
      log.warn('delivery_gap_unread', { jid: this.jid, err: error })
      env.clock.after(1_000, () => {
        if (!this.#fetching && this.#wanted > this.#out) void this.#fetch()
      })
    }
    this.#fetching = false
  }
}

/** The protocol that brought `session.state`. */
const stateProtocol = 2
/** Stanzas that are read from a queue at once. */
const fetchAtOnce = 200
