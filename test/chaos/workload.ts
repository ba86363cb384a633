import { setTimeout as pause } from 'node:timers/promises'
import { type Stanza, xml } from '@tactus/xml'
import { archivedIds } from './archive-check.ts'
import type { Chance } from './chance.ts'
import { Ledger } from './ledger.ts'
import { ManagedClient, type Receipt } from './managed-client.ts'
import { Troublemaker } from './troublemaker.ts'

/** Who talks, how much, and how badly they are connected. */
export interface WorkloadOptions {
  /** Full JIDs. */
  readonly jids: readonly string[]
  readonly password: string
  /** Doors of the moment. */
  readonly ports: () => readonly number[]
  /** Messages per second, all clients together. */
  readonly rate: number
  /** The part of the clients that is stalled or flapping at any moment. */
  readonly disturbed: number
  readonly chance: Chance
  /** How long a server may leave a client without an answer, ms. */
  readonly patience?: number
}

/** One success. */
export interface Resumption {
  /** When it was begun, on `performance.now()`. */
  readonly begun: number
  /** From connection to `<resumed/>`. */
  readonly milliseconds: number
}

const beat = 50

/**
 * Workload L1 in small: pairs of clients that exchange numbered messages, and a part of them that
 * stops reading, or loses its connection again and again.
 */
export class Workload implements AsyncDisposable {
  readonly ledger = new Ledger()
  readonly clients: readonly ManagedClient[]
  readonly resumptions: Resumption[] = []
  readonly violations: string[] = []
  /** Why streams ended, counted. */
  readonly endings = new Map<string, number>()
  rebound = 0
  /** Error stanzas. */
  readonly errors: string[] = []
  /** Unavailable presences of others. */
  unavailable = 0
  readonly #options: WorkloadOptions
  readonly #trouble: Troublemaker
  #talk: NodeJS.Timeout | undefined
  #turn = 0
  #due = 0
  #last = 0

  constructor(options: WorkloadOptions) {
    this.#options = options
    this.clients = options.jids.map((jid, index) => this.#client(jid, index))
    this.#trouble = new Troublemaker(this.clients, options)
  }

  /** Logs everybody in, some at a time, and begins to talk. */
  async start(): Promise<void> {
    for (let at = 0; at < this.clients.length; at += 20)
      await Promise.all(this.clients.slice(at, at + 20).map((client) => client.start()))
    // Directed presence: who gets it is told when the session ends (RFC 6121 §4.6.3).
    for (const [index, client] of this.clients.entries())
      client.send(xml('presence', { xmlns: 'jabber:client', to: this.#peers(index)[0] ?? '' }))
    this.resumeTalk()
    this.#trouble.start()
  }

  resumeTalk(): void {
    this.#last = performance.now()
    this.#talk = setInterval(() => this.#speak(), beat)
  }

  /** Says no more; those who are disturbed recover. */
  quiet(): void {
    clearInterval(this.#talk)
    this.#trouble.stop()
  }

  /** Waits until everything is accepted and has arrived, or nothing moves any more. */
  async settle(within: number): Promise<void> {
    const until = performance.now() + within
    const isOpen = (): boolean =>
      this.ledger.open > 0 ||
      this.clients.some(({ unacked, isAttached }) => unacked > 0 || !isAttached)
    while (isOpen() && performance.now() < until) await pause(100)
    // What is doubled comes late.
    await pause(1_000)
  }

  /** Whether an account's archive agrees with what was sent and accepted. */
  async compareArchive(account: string): Promise<void> {
    const { password, ports } = this.#options
    const jid = `${account}/archivist`
    // What was harmed last may still be on its way out.
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const open = ports()
      const where = { host: '127.0.0.1', port: open[attempt % open.length] ?? 1, jid, password }
      const ids = await archivedIds(where).catch(() => undefined)
      if (ids) return this.ledger.archived(account, ids)
      await pause(500)
    }
    this.violations.push(`the archive of ${account} cannot be read`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async stop(): Promise<void> {
    this.quiet()
    await Promise.all(this.clients.map((client) => client.stop()))
  }

  /** Whom a client talks to. */
  #peers(index: number): readonly string[] {
    const { jids } = this.#options
    const near = jids[index ^ 1] ?? jids[0] ?? ''
    return [near, jids[(index + 7) % jids.length] ?? near]
  }

  #speak(): void {
    const now = performance.now()
    this.#due = Math.min(
      this.#due + ((now - this.#last) / 1_000) * this.#options.rate,
      this.#options.rate,
    )
    this.#last = now
    for (let tries = 0; this.#due >= 1 && tries < this.clients.length * 2; tries += 1) {
      this.#turn += 1
      const index = this.#turn % this.clients.length
      const client = this.clients[index]
      if (!client?.mayTalk) continue
      this.#due -= 1
      const peers = this.#peers(index)
      const to = peers[Math.floor(this.#turn / this.clients.length) % peers.length] ?? ''
      const id = this.ledger.send(client.jid, to)
      client.send(message(to, id), id)
    }
  }

  #client(jid: string, index: number): ManagedClient {
    const { password, ports, patience = 5_000 } = this.#options
    let attempt = index
    const port = (): number => {
      const open = ports()
      attempt += 1
      return open[attempt % open.length] ?? 1
    }
    return new ManagedClient({
      jid,
      password,
      port,
      patience,
      events: {
        accepted: (id) => this.ledger.settle(id, 'accepted'),
        unknown: (id) => this.ledger.settle(id, 'unknown'),
        received: (stanza, where) => this.#received(jid, stanza, where),
        resumed: (milliseconds) =>
          this.resumptions.push({ begun: performance.now() - milliseconds, milliseconds }),
        rebound: () => {
          this.rebound += 1
        },
        ended: (reason) => this.endings.set(reason, (this.endings.get(reason) ?? 0) + 1),
        violated: (what) => this.violations.push(what),
      },
    })
  }

  #received(jid: string, stanza: Stanza, where: Receipt): void {
    if (stanza.type === 'error') this.errors.push(String(stanza).slice(0, 300))
    else if (stanza.name === 'message') this.ledger.received(stanza.id ?? '', jid, where)
    else if (stanza.name === 'presence' && stanza.type === 'unavailable') this.unavailable += 1
  }
}

function message(to: string, id: string): ReturnType<typeof xml> {
  const body = xml('body', {}, 'Parting is such sweet sorrow.')
  return xml('message', { xmlns: 'jabber:client', to, id, type: 'chat' }, body)
}
