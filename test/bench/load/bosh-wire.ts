import { randomInt } from 'node:crypto'
import { Agent, request } from 'node:http'
import type { Door, Listener, Wire } from './connection.ts'
import { named } from './namespace.ts'

const agent = new Agent({ keepAlive: true })
/** Requests at once. */
const most = 2

/** XEP-0124, without TLS: a request is kept waiting at the server, and a second one brings what is to be said. */
export function openBosh({ port }: Door, _domain: string, listener: Listener): Wire {
  return new BoshWire(port, listener)
}

class BoshWire implements Wire {
  readonly #port: number
  readonly #listener: Listener
  #rid = randomInt(1, 2 ** 40)
  /** The last request whose answer was given away, and answers that came before it. */
  #heard = this.#rid
  readonly #early = new Map<number, string>()
  #sid: string | undefined
  #open = 0
  #isOver = false
  #outgoing: string[] = []

  constructor(port: number, listener: Listener) {
    this.#port = port
    this.#listener = listener
  }

  open(domain: string): void {
    const first = "wait='60' hold='1' ver='1.11' xmpp:version='1.0'"
    this.#ask('', `to='${domain}' ${this.#sid === undefined ? first : "xmpp:restart='true'"}`)
  }

  write(element: string): void {
    this.#outgoing.push(named(element))
    // All that is written in one turn goes into one request.
    queueMicrotask(() => this.#run())
  }

  close(): void {
    this.#ask('', "type='terminate'")
  }

  destroy(): void {
    this.#isOver = true
  }

  #run(): void {
    if (this.#isOver || this.#sid === undefined || this.#open >= most) return
    if (this.#outgoing.length === 0 && this.#open > 0) return
    this.#ask(this.#outgoing.splice(0).join(''), '')
  }

  #ask(payload: string, attrs: string): void {
    this.#rid += 1
    const rid = this.#rid
    const sid = this.#sid === undefined ? '' : ` sid='${this.#sid}'`
    const body = Buffer.from(
      `<body rid='${rid}'${sid} xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' ${attrs}>${payload}</body>`,
      'latin1',
    )
    this.#open += 1
    const headers = { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Length': body.length }
    const to = { host: '127.0.0.1', port: this.#port, path: '/http-bind', method: 'POST' }
    const asked = request({ ...to, headers, agent }, (response) => {
      let text = ''
      response.setEncoding('latin1')
      response.on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => this.#answered(rid, text))
    })
    asked.on('error', (error) => this.#listener.end(error))
    asked.end(body)
  }

  #answered(rid: number, answer: string): void {
    this.#open -= 1
    this.#early.set(rid, answer)
    for (;;) {
      const text = this.#early.get(this.#heard + 1)
      if (text === undefined) break
      this.#heard += 1
      this.#early.delete(this.#heard)
      this.#take(text)
    }
    this.#run()
  }

  #take(text: string): void {
    this.#sid ??= / sid=['"]([^'"]+)/.exec(text)?.[1]
    this.#listener.take(text)
    if (!/^<body[^>]* type=['"]terminate/.test(text)) return
    this.#isOver = true
    this.#listener.end(new Error(`the server ended the session: ${text}`))
  }
}
