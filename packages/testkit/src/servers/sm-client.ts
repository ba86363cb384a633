import type { Stanza } from '@tactus/xml'
import type { TestServer } from './test-server.ts'
import { XmppClient } from './xmpp-client.ts'

const NS = 'urn:xmpp:sm:3'
const stanzaNames = new Set(['message', 'presence', 'iq'])
/** What takes longer does not come. */
const patience = 10_000

/** As whom a client logs in, and at which of the server's doors. */
export interface SmLogin {
  /** A full JID. */
  readonly jid: string
  readonly password: string
  readonly door: number
  /** TCP when absent. */
  readonly transport?: 'tcp' | 'websocket' | undefined
}

interface Waiting {
  readonly fits: (stanza: Stanza) => boolean
  readonly take: (stanza: Stanza) => void
}

/**
 * A client for tests of XEP-0198: it counts what it gets, and does nothing else by itself unless `answers` is set.
 */
export class SmClient {
  readonly link: XmppClient
  /** What came and was not taken yet, oldest first; management elements and stream errors too. */
  readonly inbox: Stanza[] = []
  /** Stanzas that came since `<enabled/>`, over all connections of the session. */
  handled = 0
  /** Whether `<r/>` is answered. */
  answers = true
  /** Of the session, once enabled. */
  id = ''
  /** Resolves with the stream error's condition, or undefined, when the stream is over. */
  readonly ended: Promise<string | undefined>
  #counts = false
  #asked = 0
  readonly #waiting = new Set<Waiting>()

  private constructor(link: XmppClient) {
    this.link = link
    link.onStanza = (stanza) => this.#take(stanza)
    this.ended = new Promise((resolve) => {
      link.onEnd = resolve
    })
  }

  /** One that has authenticated by itself. */
  static of(link: XmppClient): SmClient {
    return new SmClient(link)
  }

  /** Authenticates and stops there: what is next is resuming or binding. @throws {Error} */
  static async authenticate(
    server: TestServer,
    { jid, password, door, transport }: SmLogin,
  ): Promise<SmClient> {
    const port = server.port(transport === 'websocket' ? 'http' : 'c2s', door)
    const where = { host: '127.0.0.1', port, transport }
    return new SmClient(await XmppClient.authenticate({ ...where, jid, password }))
  }

  /** Binds. @throws {Error} */
  static async bound(server: TestServer, login: SmLogin): Promise<SmClient> {
    const client = await SmClient.authenticate(server, login)
    await client.link.bind(login.jid.split('/')[1] ?? '')
    return client
  }

  /** Binds and enables stream management with resumption. @throws {Error} */
  static async managed(server: TestServer, login: SmLogin): Promise<SmClient> {
    const client = await SmClient.bound(server, login)
    await client.enable()
    return client
  }

  get jid(): string {
    return this.link.jid
  }

  /** Sends bytes as they are. */
  send(text: string): void {
    this.link.sendRaw(text)
  }

  /** Asks for stream management and resolves with `<enabled/>`. @throws {Error} */
  async enable(attributes = "resume='true'"): Promise<Stanza> {
    this.send(`<enable xmlns='${NS}' ${attributes}/>`)
    return await this.next('enabled')
  }

  /** Asks what is handled until the server has handled `count`. @throws {Error} when that takes too long */
  async acknowledged(count: number): Promise<void> {
    this.ask()
    await this.take(({ name, attrs }) => name === 'a' && Number(attrs.h) === count, `<a h=${count}`)
  }

  ask(): void {
    this.send(`<r xmlns='${NS}'/>`)
  }

  acknowledge(h: number | string = this.handled): void {
    this.send(`<a xmlns='${NS}' h='${h}'/>`)
  }

  /** Asks to resume and resolves with `<resumed/>` or `<failed/>`. @throws {Error} */
  async resume(previd: string, h: number | string): Promise<Stanza> {
    this.send(`<resume xmlns='${NS}' previd='${previd}' h='${h}'/>`)
    return await this.take(({ name }) => name === 'resumed' || name === 'failed', 'an answer')
  }

  /** Resumes the session of another connection on this one. @throws {Error} when it fails */
  async takeOver({ id, handled, jid }: SmClient): Promise<Stanza> {
    const resuming = this.resume(id, handled)
    this.id = id
    this.handled = handled
    this.link.jid = jid
    const answer = await resuming
    if (answer.name !== 'resumed') throw new Error(`not resumed: ${answer}`)
    return answer
  }

  /** Takes the first element with this name. @throws {Error} */
  next(name: string): Promise<Stanza> {
    return this.take((stanza) => stanza.name === name, `<${name}/>`)
  }

  /** Takes the first element that fits out of the inbox, when it is there. @throws {Error} */
  take(fits: (stanza: Stanza) => boolean, what: string): Promise<Stanza> {
    const at = this.inbox.findIndex(fits)
    const [there] = at < 0 ? [] : this.inbox.splice(at, 1)
    if (there) return Promise.resolve(there)
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        this.#waiting.delete(waiting)
        clearTimeout(timer)
        reject(new Error(`${what}: ${why}; came: ${this.inbox.join('')}`))
      }
      const timer = setTimeout(() => fail('did not come'), patience)
      const waiting = {
        fits,
        take: (stanza: Stanza): void => {
          clearTimeout(timer)
          resolve(stanza)
        },
      }
      this.#waiting.add(waiting)
      void this.ended.then((condition) => {
        if (this.#waiting.has(waiting)) fail(`the stream ended (${condition ?? 'closed'})`)
      })
    })
  }

  /**
   * Resolves when everything that was sent to this session before has come, because the answer to a request comes
   * after it. With `through`, a bare JID: also what this client sent there before has been handled there.
   */
  async settle(through?: string): Promise<void> {
    this.#asked += 1
    const id = `settle-${this.#asked}`
    const to = through === undefined ? '' : `to='${through}' `
    this.send(
      `<iq type='get' ${to}id='${id}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
    )
    await this.take((stanza) => stanza.id === id, `the answer to ${id}`)
  }

  /** Bodies of the messages that came, which leave the inbox. */
  bodies(): (string | undefined)[] {
    return this.drain('message').map((stanza) => stanza.child('body', 'jabber:client')?.text())
  }

  /** Takes all elements with this name out of the inbox. */
  drain(name: string): Stanza[] {
    const taken = this.inbox.filter((stanza) => stanza.name === name)
    for (const stanza of taken) this.inbox.splice(this.inbox.indexOf(stanza), 1)
    return taken
  }

  /** Loses the connection. */
  drop(): void {
    this.link.drop()
  }

  /** Ends the stream in good order. */
  close(): Promise<void> {
    return this.link.close()
  }

  #take(stanza: Stanza): void {
    this.#count(stanza)
    for (const waiting of this.#waiting) {
      if (!waiting.fits(stanza)) continue
      this.#waiting.delete(waiting)
      waiting.take(stanza)
      return
    }
    this.inbox.push(stanza)
  }

  #count(stanza: Stanza): void {
    if (stanza.name === 'enabled') {
      this.id = stanza.attrs.id ?? ''
      this.#counts = true
    } else if (stanza.name === 'resumed') this.#counts = true
    else if (stanza.name === 'r' && this.answers) this.acknowledge()
    else if (this.#counts && stanzaNames.has(stanza.name)) this.handled = (this.handled + 1) >>> 0
  }
}
