import { mayFederate } from '@tactus/bus'
import { componentStream, type LiveStore, type QueueMeta, type Turn } from '@tactus/cluster'
import { type BareJid, domainpart, type FullJid, type Jid, tryParseJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { accountStore, type DurableStore } from '@tactus/storage'
import type { Stanza, XmlElement } from '@tactus/xml'
import { addressed, asStanza } from './addressed.ts'
import type { Core } from './core.ts'
import { type Held, hold, takeHeld } from './held.ts'
import type { Decisions, Facts, WaitingTerms } from './hook-points.ts'
import type { Host } from './hosts.ts'
import { commandTag, inputHops } from './input.ts'
import { isRefusal } from './refusal.ts'
import { isDurable } from './routing.ts'
import type { DeliverOptions, Scope, SendOptions, Session, SessionPresence } from './scope.ts'
import { entityFor, type Service } from './services.ts'
import { endSession, overflow } from './session-end.ts'
import {
  counterStore,
  moduleSessionStore,
  presenceStore,
  type SessionRecord,
  sessionStore,
} from './session-state.ts'

/** Of a multicast, which is one stanza for all of them, in delivery units. */
const recipientsPerUnit = 10

/** What travels with a stanza, whoever it goes to. */
interface StanzaWay {
  readonly id: string
  readonly at: number
  readonly durable: boolean
  readonly hops: number
}

/** The scope of one turn: the turn's state and outputs in the words of XMPP. */
export class EntityScope implements Scope {
  readonly turn: Turn
  readonly entity: BareJid
  readonly host: Host
  readonly service: Service | undefined
  readonly #core: Core
  #idBase: string | undefined
  #ids = 0
  #cost = 1

  /** @throws {StanzaError} `item-not-found` when the entity's host is not served here (any more) */
  constructor(core: Core, turn: Turn) {
    this.#core = core
    this.turn = turn
    this.entity = turn.entity as BareJid
    const served = core.domains.get(domainpart(this.entity))
    if (!served)
      throw new StanzaError('item-not-found', `${domainpart(this.entity)} is not served here`)
    this.host = served.host
    this.service = served.service
  }

  get now(): number {
    return this.turn.now
  }

  random(length: number): Uint8Array {
    return this.turn.random(length)
  }

  get<T>(store: LiveStore<T> | DurableStore<T>, key = ''): T | undefined {
    return this.turn.get(store, key)
  }

  all<T>(store: LiveStore<T>): ReadonlyMap<string, T> {
    return this.turn.all(store)
  }

  set<T>(store: LiveStore<T> | DurableStore<T>, key: string, value: T | undefined): void {
    this.turn.set(store, key, value)
  }

  accountExists(): boolean {
    if (this.host.anonymous) return this.turn.all(sessionStore).size > 0
    return this.turn.get(accountStore) !== undefined
  }

  sessions(): readonly Session[] {
    const sessions: Session[] = []
    for (const [id, record] of this.turn.all(sessionStore)) sessions.push(this.view(id, record))
    return sessions.sort((one, other) => one.since - other.since)
  }

  session(resource: string): Session | undefined {
    for (const [id, record] of this.turn.all(sessionStore))
      if (record.resource === resource) return this.view(id, record)
    return undefined
  }

  /** A session by its id; undefined when it ended. */
  sessionById(id: string): Session | undefined {
    const record = this.turn.get(sessionStore, id)
    return record && this.view(id, record)
  }

  view(id: string, record: SessionRecord): Session {
    return {
      id,
      jid: `${this.entity}/${record.resource}` as FullJid,
      resource: record.resource,
      presence: this.turn.get(presenceStore, id),
      interested: record.interested,
      catchingUp: record.catchingUp === true,
      attached: record.attached,
      stalled: record.stalled,
      active: record.inactive !== true,
      invisible: record.invisible,
      since: record.since,
      info: record.info,
    }
  }

  setPresence(session: Session, presence: SessionPresence | undefined): Session {
    this.turn.set(presenceStore, session.id, presence)
    return { ...session, presence }
  }

  setInterested(session: Session): Session {
    const record = this.turn.get(sessionStore, session.id)
    if (record && !record.interested)
      this.turn.set(sessionStore, session.id, { ...record, interested: true })
    return { ...session, interested: true }
  }

  setCatchingUp(session: Session, catchingUp: boolean): Session {
    const record = this.turn.get(sessionStore, session.id)
    if (record && (record.catchingUp === true) !== catchingUp)
      this.turn.set(sessionStore, session.id, { ...record, catchingUp })
    return { ...session, catchingUp }
  }

  setInvisible(session: Session, invisible: Session['invisible']): Session {
    const record = this.turn.get(sessionStore, session.id)
    if (record && record.invisible !== invisible) {
      const { invisible: _, ...others } = record
      this.turn.set(sessionStore, session.id, invisible ? { ...others, invisible } : others)
    }
    return { ...session, invisible }
  }

  sessionState<S>(session: Session, module: string): Readonly<S> {
    const stored = this.turn.get(moduleSessionStore, `${session.id} ${module}`)
    return this.#core.sessionDefaults(module, stored) as Readonly<S>
  }

  updateSessionState<S>(session: Session, module: string, patch: Partial<S>): void {
    const state = { ...this.sessionState<Record<string, unknown>>(session, module), ...patch }
    this.turn.set(moduleSessionStore, `${session.id} ${module}`, state)
  }

  endSession(session: Session, condition?: string, text?: string): void {
    endSession(this.#core, this, session.id, { condition, text, notify: true })
  }

  deliver(session: Session, stanza: Stanza | XmlElement, options: DeliverOptions = {}): void {
    const record = this.turn.get(sessionStore, session.id)
    if (!record) return
    const payload = addressed(asStanza(stanza), options.to)
    const meta: QueueMeta = {
      kind: payload.name as 'message' | 'presence' | 'iq',
      at: this.now,
      size: payload.bytes.length,
      ...(options.mailbox !== undefined && { mailbox: options.mailbox }),
      ...(options.copy && { copy: true }),
    }
    if (record.inactive && !record.catchingUp) {
      if (this.#holdsBack(session, payload, meta)) return
      this.deliverHeld(session.id)
    }
    this.#enqueue(session.id, payload, meta)
  }

  room(session: Session): number {
    return Math.max(0, this.#core.limits.queueStanzas - this.turn.queue(session.id).length)
  }

  /** Gives a session what was held back from it while its client was inactive. */
  deliverHeld(session: string): void {
    for (const { stanza, meta } of takeHeld(this, session)) {
      this.#enqueue(session, stanza, meta)
      // It was one too many; what was left has gone where such things go.
      if (!this.turn.get(sessionStore, session)) return
    }
  }

  /** Whether the client can do without this for now (XEP-0352): it waits then, where there is room. */
  #holdsBack(session: Session, stanza: Stanza, meta: QueueMeta): boolean {
    const { hooks } = this.#core
    let terms: WaitingTerms | undefined
    const wait = (asked: WaitingTerms): void => {
      terms = asked
    }
    hooks.duty('delivery.inactive', { scope: this, session, stanza, wait })
    if (!terms || !this.#may('delivery.may-wait', { scope: this, session, stanza })) return false
    const held: Held = { stanza, about: terms.about, meta }
    return hold(this, session.id, held, terms.limits)
  }

  #enqueue(session: string, stanza: Stanza, meta: QueueMeta): void {
    const record = this.turn.get(sessionStore, session)
    if (!record) return
    const counters = this.turn.get(counterStore, session) ?? { seq: 0, h: 0, out: 0 }
    const n = counters.out + 1
    this.turn.set(counterStore, session, { ...counters, out: n })
    this.turn.enqueue(session, n, stanza, meta)
    if (overflow(this.#core, this, session)) return
    if (!record.attached || record.stalled) return
    this.turn.output(record.cm, {
      kind: 'deliver',
      stanza,
      targets: [{ session, epoch: record.epoch, n, to: this.#sharedBy(record, stanza) }],
    })
  }

  /** What many get names nobody; its `to` is filled in as it is written. */
  #sharedBy({ resource }: SessionRecord, { to, from }: Stanza): string | undefined {
    const isForeign = to === undefined && from !== undefined && !isOf(from, this.entity)
    return isForeign ? `${this.entity}/${resource}` : undefined
  }

  send(stanza: Stanza | XmlElement, options: SendOptions = {}): void {
    const payload = asStanza(stanza)
    const to = payload.to === undefined ? undefined : tryParseJid(payload.to)
    if (!to) throw new StanzaError('jid-malformed', 'the address in `to` is no JID')
    const served = this.#core.domains.get(domainpart(to))
    if (!served) return this.#sendAway(to, payload, options)
    const way = this.#onItsWay(payload, options)
    const entity = entityFor(served.service, to, payload)
    this.turn.send({ kind: 'half', entity, stanza: payload, ...way })
  }

  pass(stanza: Stanza): void {
    const to = tryParseJid(stanza.to ?? '') ?? this.entity
    const entity = entityFor(this.service, to, stanza)
    // What stays here would come round for ever.
    if (entity === this.entity) throw new StanzaError('service-unavailable')
    const way = this.#onItsWay(stanza, { id: this.stanzaId() })
    this.turn.send({ kind: 'half', entity, stanza, ...way })
  }

  /** RFC 6120 §10.4: to another server, where the host speaks to that one; or to a component. */
  #sendAway(to: Jid, stanza: Stanza, options: SendOptions): void {
    const { federation } = this.host
    if (this.#core.components.get(domainpart(to)))
      return this.#remote([to], stanza, this.#onItsWay(stanza, options))
    if (!federation || federation.mode === 'off')
      throw new StanzaError(
        'remote-server-not-found',
        `${domainpart(to)} cannot be reached from here`,
      )
    if (!mayFederate(federation, domainpart(to)))
      throw new StanzaError('not-allowed', `${domainpart(to)} is not spoken to from here`)
    this.#remote([to], stanza, this.#onItsWay(stanza, options))
  }

  #remote(recipients: readonly Jid[], stanza: Stanza, { id, at, durable }: StanzaWay): void {
    const [first] = recipients
    if (first === undefined) return
    const [from, to] = [domainpart(this.entity), domainpart(first)]
    this.remote({ from, to, recipients, stanza, id, at, durable })
  }

  /** Onto the shards of a component or of another server. */
  remote(frame: Parameters<Turn['remote']>[0]): void {
    const isComponent = this.#core.components.get(frame.to) !== undefined
    this.turn.remote(frame, isComponent ? componentStream(frame.to, this.entity) : undefined)
  }

  #onItsWay(stanza: Stanza, options: SendOptions): StanzaWay {
    return {
      id: options.id ?? this.makeId(),
      at: this.now,
      durable: options.durable ?? isDurable(stanza),
      hops: inputHops(this.turn.input),
    }
  }

  multicast(
    recipients: readonly Jid[],
    stanza: Stanza | XmlElement,
    options: SendOptions = {},
  ): void {
    const payload = asStanza(stanza)
    const { local, remote } = this.#sort(recipients, payload)
    if (local.length === 0 && remote.size === 0) return
    this.charge(recipients.length / recipientsPerUnit)
    const way = this.#onItsWay(payload, options)
    if (local.length > 0) this.turn.multicast({ recipients: local, stanza: payload, ...way })
    for (const addresses of remote.values()) this.#remote(addresses, payload, way)
  }

  /** Whom a line for many goes to: those here, and by domain those elsewhere that the host speaks to. */
  #sort(
    recipients: readonly Jid[],
    stanza: Stanza,
  ): {
    readonly local: readonly Jid[]
    readonly remote: ReadonlyMap<string, readonly Jid[]>
  } {
    const local: Jid[] = []
    const remote = new Map<string, Jid[]>()
    for (const jid of recipients) {
      const domain = domainpart(jid)
      const isLocal = this.serves(domain)
      if (!isLocal && !this.#reaches(domain)) continue
      if (!this.mayHear(jid, stanza)) continue
      if (isLocal) local.push(jid)
      else remote.set(domain, [...(remote.get(domain) ?? []), jid])
    }
    return { local, remote }
  }

  serves(domain: string): boolean {
    return this.#core.domains.get(domain) !== undefined
  }

  #reaches(domain: string): boolean {
    return (
      this.#core.components.get(domain) !== undefined || mayFederate(this.host.federation, domain)
    )
  }

  charge(units: number): void {
    this.#cost += units
  }

  /** Delivery units of this turn. */
  get cost(): number {
    return this.#cost
  }

  mayHear(to: Jid, stanza: Stanza): boolean {
    // What lives on a service has no list of whom it shuts out.
    if (this.service) return true
    return this.#may('recipient.may-hear', { scope: this, to, stanza })
  }

  mayGet(session: Session, stanza: Stanza): boolean {
    return this.#may('resource.may-get', { scope: this, session, stanza })
  }

  /** A decision whose refusal is no news to anybody. */
  #may<K extends keyof Decisions>(question: K, event: Decisions[K]): boolean {
    try {
      this.#core.hooks.decide(question, event)
      return true
    } catch (error) {
      if (isRefusal(error)) return false
      throw error
    }
  }

  /** The id of the stanza that this turn is about; all others made here derive from it. */
  stanzaId(): string {
    this.#idBase ??= this.#makeIdBase()
    return this.#idBase
  }

  makeId(): string {
    this.#ids += 1
    return `${this.stanzaId()}-${this.#ids}`
  }

  emit<K extends keyof Facts>(fact: K, event: Omit<Facts[K], 'scope'>): void {
    this.#core.hooks.fact(fact, { ...event, scope: this } as unknown as Facts[K])
  }

  timer(name: string, at: number | undefined, data?: string): void {
    this.turn.timer(name, at, data)
  }

  job(module: string, id: string, spec: unknown): void {
    // Those of all modules stand in one list: two that called theirs the same would lose one of them.
    if (!id.startsWith(module)) throw new Error(`the job ${id} does not begin with ${module}`)
    this.turn.job(id, { module, spec })
  }

  /** Ids come from (source, number), so that a replay after a loss makes the same ones (design §3.4). */
  #makeIdBase(): string {
    const { input } = this.turn
    if (input.kind === 'session.stanza') {
      const record = this.turn.get(sessionStore, input.session)
      if (record) return `${record.tag}.${input.seq.toString(36)}`
    }
    if (input.kind === 'half' || input.kind === 'multicast') return input.id
    if (input.kind === 'command') return commandTag(input.source)
    return Buffer.from(this.turn.random(9)).toString('base64url')
  }
}

function isOf(jid: string, account: BareJid): boolean {
  return jid === account || jid.startsWith(`${account}/`)
}
