import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'

/** A client that says exactly what it is told to, and hears everything. */
export class RawClient {
  socket: Socket | TLSSocket
  /** Everything heard that was not yet waited for. */
  heard = ''
  closed = false
  #waiting: (() => void)[] = []

  constructor(socket: Socket | TLSSocket) {
    this.socket = socket
    this.#listen(socket)
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket)
  }

  static async connectTls(port: number, options: ConnectionOptions): Promise<RawClient> {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket)
  }

  /** Puts TLS on the connection, after `<proceed/>`. */
  async startTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const raw = this.socket
    raw.removeAllListeners('data')
    const socket = connectTls({ socket: raw, rejectUnauthorized: false, ...options })
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
    })
    this.socket = socket
    this.heard = ''
    this.#listen(socket)
    return socket
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text)
  }

  /** Resolves with all that was heard up to `text`, which is then forgotten. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.heard.indexOf(text)
      if (at >= 0) {
        const end = at + text.length
        const found = this.heard.slice(0, end)
        this.heard = this.heard.slice(end)
        return found
      }
      if (this.closed) throw new Error(`closed before ${text}; heard: ${this.heard}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Resolves with everything heard when the server has closed. */
  async untilClosed(): Promise<string> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.heard
  }

  close(): void {
    this.socket.destroy()
  }

  #listen(socket: Socket | TLSSocket): void {
    const wake = (): void => {
      const waiting = this.#waiting
      this.#waiting = []
      for (const resolve of waiting) resolve()
    }
    socket.on('data', (chunk: Buffer) => {
      this.heard += chunk.toString('utf8')
      wake()
    })
    socket.on('error', () => {})
    const over = (): void => {
      if (socket !== this.socket) return
      this.closed = true
      wake()
    }
    socket.on('end', () => {
      over()
      socket.end()
    })
    socket.on('close', over)
  }
}

/** A stream header as clients send it. */
export const header = (to: string, from?: string): string =>
  `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${to}'${from === undefined ? '' : ` from='${from}'`} version='1.0'>`

/** The initial response of PLAIN. */
export const plain = (username: string, password: string): string =>
  Buffer.from(`\0${username}\0${password}`).toString('base64')

/** `<auth/>` with PLAIN. */
export const plainAuth = (username: string, password: string): string =>
  `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain(username, password)}</auth>`

/** A request for a resource. */
export const bindRequest = (resource: string): string =>
  `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`

/** What all accounts of a scene have. */
export const password = 'wherefore'
