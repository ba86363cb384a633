import { setTimeout as pause } from 'node:timers/promises'
import { XmppClient } from '@tactus/testkit'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'

const NS = 'urn:xmpp:sm:3'
const stanzaNames = new Set(['message', 'presence', 'iq'])
/** How often the server is asked what it has. */
const askEvery = 1_000
/** How long an attempt to get a session may take. */
const attemptWithin = 15_000

/** What a managed client tells. */
export interface ManagedEvents {
  /** The server took responsibility for what has this id (XEP-0198 §4). */
  accepted(id: string): void
  /** The session is gone, and the server did not say what it had. */
  unknown(id: string): void
  received(stanza: Stanza, where: Receipt): void
  /** Milliseconds from the connection to `<resumed/>`. */
  resumed(milliseconds: number): void
  /** The session could not be resumed; another is bound. */
  rebound(): void
  /** A session is bound and available: the first, or another. */
  bound?(): void
  /** The stream ended, or an attempt failed, for this reason. */
  ended(reason: string): void
  violated(what: string): void
}

/** As whom, where and how patiently a client connects. */
export interface ManagedOptions {
  /** A full JID. */
  readonly jid: string
  readonly password: string
  /** The port for an attempt, another one each time. */
  readonly port: () => number
  /** How long the server may leave `<r/>` unanswered, ms. */
  readonly patience: number
  readonly events: ManagedEvents
}

/** In which session something was received, and whether before it was available. */
export interface Receipt {
  readonly session: string
  readonly early: boolean
}

interface Sent {
  readonly id: string | undefined
  readonly stanza: XmlElement
}

/** A session on a connection. */
interface Attachment {
  readonly over: Promise<unknown>
}

/**
 * A client that does what XEP-0198 asks of one: counts, acknowledges, resumes wherever it finds a
 * door, sends again what was not handled, and binds anew when its session is gone.
 */
export class ManagedClient {
  readonly jid: string
  readonly #options: ManagedOptions
  readonly #events: ManagedEvents
  #link: XmppClient | undefined
  #session: string | undefined
  #bindings = 0
  #isAvailable = false
  #unacked: Sent[] = []
  /** Our stanzas that the server has handled, and its own that we have. */
  #acked = 0
  #handled = 0
  #askedAt: number | undefined
  #stalled = false
  #away = 0
  #stopped = false
  #life: Promise<void> = Promise.resolve()
  #ticker: NodeJS.Timeout | undefined

  constructor(options: ManagedOptions) {
    this.#options = options
    this.#events = options.events
    this.jid = options.jid
  }

  /** Resolves with the first session; from then on it keeps one. */
  async start(): Promise<void> {
    let attached = await this.#attach()
    for (; !attached; attached = await this.#attach()) await pause(100)
    this.#ticker = setInterval(() => this.#tick(), askEvery)
    this.#life = this.#keep(attached)
  }

  /** Whether it has a session to send on and has not got ahead of the server. */
  get mayTalk(): boolean {
    return this.#link !== undefined && this.#unacked.length < 40
  }

  get isAttached(): boolean {
    return this.#link !== undefined
  }

  /** Stanzas that the server has not acknowledged. */
  get unacked(): number {
    return this.#unacked.length
  }

  /** Sends; only while it may talk. */
  send(stanza: XmlElement, id?: string): void {
    this.#unacked.push({ id, stanza })
    this.#link?.send(stanza)
    if (this.#unacked.length % 8 === 0) this.#ask()
  }

  /** Reads nothing until `goOn`. */
  stall(): void {
    this.#stalled = true
    this.#link?.stall()
  }

  goOn(): void {
    this.#stalled = false
    this.#askedAt = undefined
    this.#link?.goOn()
  }

  /** Loses the connection and comes back after so many milliseconds. */
  drop(away: number): void {
    this.#away = away
    this.#link?.drop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#ticker)
    this.goOn()
    this.#link?.drop()
    await this.#life
  }

  async #keep(first: Attachment): Promise<void> {
    let attached: Attachment | undefined = first
    while (!this.#stopped) {
      await attached?.over
      if (this.#away > 0) await pause(this.#away)
      this.#away = 0
      if (this.#stopped) return
      attached = await this.#attach()
      // Those who lost the same server do not all come back at once.
      if (!attached) await pause(50 + (Math.abs(hash(this.jid)) % 200))
    }
    this.#link?.drop()
    await attached?.over
  }

  #tick(): void {
    if (!this.#link || this.#stalled) return
    const asked = this.#askedAt
    if (asked !== undefined && performance.now() - asked > this.#options.patience) {
      this.#events.ended('silent server')
      this.#link.drop()
    } else this.#ask()
  }

  #ask(): void {
    if (!this.#link) return
    this.#askedAt ??= performance.now()
    this.#link.send(xml('r', { xmlns: NS }))
  }

  /** Gets a session, or undefined. */
  async #attach(): Promise<Attachment | undefined> {
    const begun = performance.now()
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), attemptWithin)
    try {
      const { jid, password, port } = this.#options
      const where = { host: '127.0.0.1', port: port(), jid, password, signal: limit.signal }
      const link = await XmppClient.authenticate(where)
      const over = this.#watch(link)
      const failed = over.then((reason) => Promise.reject(new Error(reason)))
      failed.catch(() => {})
      const isResumed =
        this.#session !== undefined && (await Promise.race([this.#resume(link, begun), failed]))
      if (!isResumed) await Promise.race([this.#bind(link), failed])
      return { over }
    } catch (error) {
      if (limit.signal.aborted) this.#events.ended('attempt took too long')
      else if (!/ended|over/.test(String(error))) this.#events.ended(String(error).slice(0, 200))
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  /** Resolves with the reason when the connection is over. */
  #watch(link: XmppClient): Promise<string> {
    return new Promise((resolve) => {
      link.onEnd = (condition = 'closed') => {
        if (this.#link === link) this.#link = undefined
        this.#events.ended(condition)
        resolve(condition)
      }
    })
  }

  /** XEP-0198 §5. Resolves to false where the session is gone. */
  #resume(link: XmppClient, begun: number): Promise<boolean> {
    return new Promise((resolve) => {
      link.onStanza = (stanza) => {
        if (stanza.ns !== NS) return
        if (stanza.name === 'resumed') {
          this.#events.resumed(performance.now() - begun)
          this.#resumed(link, Number(stanza.element.attrs.h))
          resolve(true)
        } else if (stanza.name === 'failed' && this.#refused(link, stanza)) resolve(false)
      }
      link.send(xml('resume', { xmlns: NS, previd: this.#session ?? '', h: String(this.#handled) }))
    })
  }

  /** §5: what was not handled is sent again, in its order. */
  #resumed(link: XmppClient, h: number): void {
    this.#acknowledged(h)
    this.#use(link)
    for (const { stanza } of this.#unacked) link.send(stanza)
  }

  /** True where the session is gone; for other conditions it is tried again. */
  #refused(link: XmppClient, failed: Stanza): boolean {
    const condition = failed.children[0]?.name
    if (condition === 'item-not-found') {
      const { h } = failed.element.attrs
      this.#gone(h === undefined ? undefined : Number(h))
      return true
    }
    this.#events.ended(`resumption: ${condition}`)
    link.drop()
    return false
  }

  /** The session is no more; with `h` it is known what it had handled, and the rest is sent again. */
  #gone(h: number | undefined): void {
    if (h !== undefined) this.#acknowledged(h)
    const open = this.#unacked
    this.#unacked = h === undefined ? [] : open.filter(({ id }) => id !== undefined)
    if (h === undefined) for (const { id } of open) if (id !== undefined) this.#events.unknown(id)
    this.#session = undefined
    this.#events.rebound()
  }

  async #bind(link: XmppClient): Promise<void> {
    const enabled = Promise.withResolvers<void>()
    this.#bindings += 1
    this.#isAvailable = false
    link.onStanza = (stanza) => {
      // A bound resource gets what is sent to its full JID, whether it counts already or not.
      if (stanza.ns !== NS && stanzaNames.has(stanza.name)) return this.#tell(stanza)
      if (stanza.ns !== NS || stanza.name !== 'enabled') return
      this.#session = stanza.element.attrs.id
      this.#acked = 0
      this.#handled = 0
      this.#use(link)
      const again = this.#unacked
      this.#unacked = []
      this.send(xml('presence', { xmlns: 'jabber:client' }))
      for (const { id, stanza: element } of again) this.send(element, id)
      this.#events.bound?.()
      enabled.resolve()
    }
    await link.bind(this.jid.split('/')[1] ?? '')
    link.send(xml('enable', { xmlns: NS, resume: 'true' }))
    await enabled.promise
  }

  #use(link: XmppClient): void {
    this.#askedAt = undefined
    this.#link = link
    link.onStanza = (stanza) => this.#take(link, stanza)
    if (this.#stalled) link.stall()
  }

  #take(link: XmppClient, stanza: Stanza): void {
    if (this.#link !== link) return
    if (stanza.ns === NS) this.#element(link, stanza)
    else if (stanzaNames.has(stanza.name)) {
      this.#handled = (this.#handled + 1) >>> 0
      this.#tell(stanza)
    }
  }

  #tell(stanza: Stanza): void {
    // RFC 6121 §4.2.2: one's own initial presence comes back, and tells that it was taken.
    if (stanza.name === 'presence' && stanza.from === this.jid) this.#isAvailable = true
    this.#events.received(stanza, { session: String(this.#bindings), early: !this.#isAvailable })
  }

  #element(link: XmppClient, stanza: Stanza): void {
    if (stanza.name === 'r') link.send(xml('a', { xmlns: NS, h: String(this.#handled) }))
    if (stanza.name !== 'a') return
    this.#askedAt = undefined
    this.#acknowledged(Number(stanza.element.attrs.h))
  }

  #acknowledged(h: number): void {
    const count = (h - this.#acked) >>> 0
    if (count > this.#unacked.length) {
      const sent = this.#acked + this.#unacked.length
      this.#events.violated(`${this.jid}: h=${h} after ${this.#acked}, ${sent} were sent`)
      return
    }
    this.#acked = h
    for (const { id } of this.#unacked.splice(0, count))
      if (id !== undefined) this.#events.accepted(id)
  }
}

function hash(text: string): number {
  let value = 7
  for (const character of text) value = (Math.imul(value, 31) + character.charCodeAt(0)) | 0
  return value
}
