import { connect } from 'node:net'
import {
  clientLimits,
  Stanza,
  type StreamEvent,
  StreamReader,
  type XmlElement,
  xml,
} from '@tactus/xml'
import { type Link, WebLink } from './web-link.ts'

/** Where and as whom a test client logs in. */
export interface LoginOptions {
  readonly host: string
  readonly port: number
  /** A full JID; its resource is asked for. */
  readonly jid: string
  /** Undefined logs in as a guest (SASL ANONYMOUS). */
  readonly password: string | undefined
  /** TCP when absent; the port has to be one of `http` for WebSocket. */
  readonly transport?: 'tcp' | 'websocket' | undefined
  /** Where it comes from. */
  readonly localAddress?: string | undefined
  /** Gives the connection up. */
  readonly signal?: AbortSignal
}

/**
 * A client for tests, without TLS, that says exactly what it is told; nothing is answered or retried for it.
 */
export class XmppClient {
  readonly #socket: Link
  readonly #reader = new StreamReader({ limits: clientLimits })
  readonly #domain: string
  #waiting:
    | {
        readonly fits: (stanza: Stanza) => boolean
        readonly take: (stanza: Stanza) => void
        readonly fail: (error: Error) => void
      }
    | undefined
  /** Called with each stanza after the log-in. */
  onStanza: (stanza: Stanza) => void = () => {}
  /** Called once when the stream is over, with the stream error's condition where there was one. */
  onEnd: (condition: string | undefined) => void = () => {}
  jid = ''
  #error: string | undefined
  #over = false

  private constructor(socket: Link, domain: string) {
    this.#socket = socket
    this.#domain = domain
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.#end())
  }

  /** Connects, authenticates and binds. @throws {Error} saying what the server answered instead */
  static async login(options: LoginOptions): Promise<XmppClient> {
    const client = await XmppClient.authenticate(options)
    await client.bind(split(options.jid, '/')[1])
    return client
  }

  /** Connects and authenticates; what is next (RFC 6120 §7, XEP-0198 §5) is up to the caller. @throws {Error} */
  static async authenticate({
    host,
    port,
    jid,
    password,
    transport,
    localAddress,
    signal,
  }: LoginOptions): Promise<XmppClient> {
    const [account = ''] = split(jid, '/')
    const [localpart, domain] = account.includes('@') ? split(account, '@') : ['', account]
    const where = { host, port, noDelay: true, ...(localAddress !== undefined && { localAddress }) }
    const socket: Link = transport === 'websocket' ? new WebLink(where) : connect(where)
    signal?.addEventListener('abort', () => socket.destroy(), { once: true })
    const client = new XmppClient(socket, domain)
    await client.#open()
    const mechanism = password === undefined ? 'ANONYMOUS' : 'PLAIN'
    const initial =
      password === undefined ? '' : Buffer.from(`\0${localpart}\0${password}`).toString('base64')
    client.send(xml('auth', { xmlns: 'urn:ietf:params:xml:ns:xmpp-sasl', mechanism }, initial))
    await client.#expect(({ name }) => name === 'success', 'authentication')
    await client.#open()
    return client
  }

  /** Binds a resource, or one that the server makes. @throws {Error} */
  async bind(resource: string): Promise<void> {
    const bind = xml(
      'bind',
      { xmlns: 'urn:ietf:params:xml:ns:xmpp-bind' },
      resource === '' ? undefined : xml('resource', {}, resource),
    )
    this.send(xml('iq', { xmlns: 'jabber:client', type: 'set', id: 'bind' }, bind))
    const bound = await this.#expect(({ id }) => id === 'bind', 'binding')
    if (bound.type !== 'result') throw new Error(`binding: ${bound}`)
    this.jid = bound.child('bind', 'urn:ietf:params:xml:ns:xmpp-bind')?.getChildText('jid') ?? ''
  }

  send(element: XmlElement | Stanza): void {
    const stanza = element instanceof Stanza ? element : Stanza.from(element)
    this.#socket.write(stanza.wire('jabber:client'))
  }

  /** Sends bytes as they are. */
  sendRaw(text: string): void {
    this.#socket.write(text)
  }

  /** Waits for a stanza; others meanwhile go to `onStanza`. @throws {Error} when the stream ends before */
  next(fits: (stanza: Stanza) => boolean, what: string): Promise<Stanza> {
    return this.#expect(fits, what)
  }

  /** Stops reading, as a client on a dead link. */
  stall(): void {
    this.#socket.pause()
  }

  goOn(): void {
    this.#socket.resume()
  }

  /** Ends the stream in order. */
  async close(): Promise<void> {
    if (this.#over) return
    const ended = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#socket.write('</stream:stream>')
    await ended
  }

  /** Loses the connection. */
  drop(): void {
    this.#socket.destroy()
  }

  async #open(): Promise<void> {
    this.#reader.reset({ keepBuffered: false })
    this.#socket.write(
      `<?xml version='1.0'?><stream:stream to='${this.#domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    )
    await this.#expect(({ name }) => name === 'features', 'stream features')
  }

  #expect(fits: (stanza: Stanza) => boolean, what: string): Promise<Stanza> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(new Error(`${what}: ${error.message}`))
      if (this.#over) return fail(new Error(`the stream is over (${this.#error ?? 'closed'})`))
      this.#waiting = { fits, take: resolve, fail }
    })
  }

  #receive(chunk: Uint8Array): void {
    let events: readonly StreamEvent[]
    try {
      events = this.#reader.push(chunk)
    } catch (error) {
      this.#error = `the server sent what is no XML: ${error}`
      this.#socket.destroy()
      return
    }
    for (const event of events) if (event.kind === 'stanza') this.#take(event.stanza)
  }

  #take(stanza: Stanza): void {
    const waiting = this.#waiting
    if (stanza.name === 'error') this.#error = stanza.children[0]?.name ?? 'error'
    if (waiting?.fits(stanza)) {
      this.#waiting = undefined
      waiting.take(stanza)
    } else if (waiting && stanza.name === 'failure') waiting.fail(new Error(String(stanza)))
    else this.onStanza(stanza)
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#waiting?.fail(new Error(`the stream ended (${this.#error ?? 'closed'})`))
    this.#waiting = undefined
    this.onEnd(this.#error)
  }
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}
