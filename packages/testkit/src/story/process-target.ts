import { CommandError } from '@tactus/core'
import { bare, tryParseJid } from '@tactus/jid'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import type { TestServer } from '../servers/test-server.ts'
import type { XmppClient } from '../servers/xmpp-client.ts'
import type { Connection, StoryTarget } from './target.ts'

const password = 'a rose by any other name'

/** Stories against real processes behind real sockets. Each story begins with accounts that are new. */
export class ProcessTarget implements StoryTarget {
  readonly #server: TestServer
  readonly #accounts = new Set<string>()
  readonly #connections: ProcessConnection[] = []
  #barriers = 0

  constructor(server: TestServer) {
    this.#server = server
  }

  async connect(jid: string): Promise<Connection> {
    const account = accountOf(jid)
    if (!this.#accounts.has(account)) {
      this.#accounts.add(account)
      await this.#makeAccount(account)
    }
    // In turn: the parties of a story sit on different connection managers.
    const client = await this.#server.login(jid, password)
    const connection = new ProcessConnection(client)
    this.#connections.push(connection)
    return connection
  }

  /** A story may have made it by a command, with a password of its own. */
  async #makeAccount(jid: string): Promise<void> {
    try {
      await this.#server.addUser(jid, password)
    } catch (error) {
      if (!(error instanceof CommandError && error.code === 'conflict')) throw error
      await this.#server.command('user passwd', { jid, password })
    }
  }

  command(name: string, given: unknown): Promise<unknown> {
    return this.#server.command(name, given)
  }

  /**
   * Everybody says something to everybody, twice: it takes the ways that stanzas take and so arrives behind all that
   * was said before, answers included.
   */
  async settle(): Promise<void> {
    const addresses = new Set(
      this.#connections.flatMap(({ jid, addressed }) => [accountOf(jid), ...addressed]),
    )
    for (let round = 0; round < 2; round += 1) {
      const open = this.#connections.filter(({ ended }) => ended === undefined)
      await Promise.all([
        ...open.flatMap((to) => open.map((from) => this.#barrier(from, to))),
        ...open.flatMap((from) => [...addresses].map((address) => this.#roundTrip(from, address))),
      ])
    }
  }

  /** Asks an address what nobody answers: the error comes behind what the address answered before. */
  async #roundTrip(from: ProcessConnection, address: string): Promise<void> {
    this.#barriers += 1
    const id = `barrier-${this.#barriers}`
    const arrived = from.awaits(id)
    const question = xml('barrier', { xmlns: 'urn:example:story' })
    from.say(xml('iq', { xmlns: 'jabber:client', to: address, id, type: 'get' }, question))
    await Promise.race([arrived, from.over])
  }

  /** Resolves when what `from` says has come to `to`, or one of them is no more. */
  async #barrier(from: ProcessConnection, to: ProcessConnection): Promise<void> {
    this.#barriers += 1
    const id = `barrier-${this.#barriers}`
    // Where one party blocks the other, the way ends in an error that comes back.
    const arrived = Promise.race([to.awaits(id), ...(from === to ? [] : [from.awaits(id)])])
    const barrier = xml('barrier', { xmlns: 'urn:example:story' })
    from.say(xml('message', { xmlns: 'jabber:client', to: to.jid, id, type: 'headline' }, barrier))
    await Promise.race([arrived, from.over, to.over])
  }

  pass(): Promise<void> {
    return Promise.reject(new Error('real time cannot be made to pass; mark the story memoryOnly'))
  }

  loseBus(): Promise<void> {
    return Promise.reject(new Error('others share the bus; mark the story memoryOnly'))
  }

  live(): Promise<readonly string[]> {
    return Promise.reject(new Error('processes do not show it; mark the story memoryOnly'))
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.end('closed')))
    for (const jid of this.#accounts) await this.#deleteAccount(jid)
  }

  /**
   * Until somebody says that it is gone: a deletion that is only late would take the account of the next story along, and
   * one that failed would leave it what waits here. The second is behind the first, so its answer is about both.
   */
  async #deleteAccount(jid: string): Promise<void> {
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      const error = await this.#server.command('user delete', { jid }).catch((reason) => reason)
      if (!(error instanceof CommandError && error.code === 'unavailable')) return
    }
  }
}

function accountOf(jid: string): string {
  return jid.split('/')[0] ?? ''
}

class ProcessConnection implements Connection {
  readonly inbox: Stanza[] = []
  /** Entities that this resource said something to. */
  readonly addressed = new Set<string>()
  /** Resolves when the stream is over. */
  readonly over: Promise<void>
  readonly #client: XmppClient
  readonly #barriers = new Map<string, () => void>()
  ended: string | undefined

  constructor(client: XmppClient) {
    this.#client = client
    client.onStanza = (stanza) => this.#take(stanza)
    this.over = new Promise((resolve) => {
      client.onEnd = (condition) => {
        this.ended = condition ?? 'closed'
        resolve()
      }
    })
  }

  get jid(): string {
    return this.#client.jid
  }

  send(stanza: XmlElement): void {
    const to = tryParseJid(String(stanza.attrs.to ?? ''))
    if (to) this.addressed.add(bare(to))
    this.say(stanza)
  }

  say(stanza: XmlElement): void {
    this.#client.send(stanza)
  }

  awaits(barrier: string): Promise<void> {
    return new Promise((resolve) => this.#barriers.set(barrier, resolve))
  }

  async end(how: 'closed' | 'dropped'): Promise<void> {
    if (this.ended !== undefined) return
    if (how === 'dropped') this.#client.drop()
    else void this.#client.close()
    await this.over
  }

  #take(stanza: Stanza): void {
    const arrived = this.#barriers.get(stanza.id ?? '')
    if (arrived) arrived()
    else if (stanza.name !== 'error') this.inbox.push(stanza)
    this.#barriers.delete(stanza.id ?? '')
  }
}
