import { randomInt } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { parseElement, type XmlElement, xml } from '@tactus/xml'

const NS_BOSH = 'http://jabber.org/protocol/httpbind'
const NS_XBOSH = 'urn:xmpp:xbosh'
/** Between two tries of a request whose connection broke. */
const again = 100
/** What takes longer does not come. */
const patience = 60_000

/** Where and as whom a client on BOSH logs in. */
export interface BoshLogin {
  /** One, or those that requests go to in turn. */
  readonly port: number | readonly number[]
  /** A full JID. */
  readonly jid: string
  readonly password: string
  /** Seconds that the server may keep a request waiting; twice as long without an answer, and it is sent again, elsewhere. */
  readonly wait?: number
}

interface Waiting {
  readonly fits: (stanza: XmlElement) => boolean
  readonly take: (stanza: XmlElement) => void
}

/**
 * A client on BOSH (XEP-0124) for tests: two requests at once, each over a connection of its own, so that a balancer sends
 * them wherever it likes. Like all clients it sends a request again whose answer did not come.
 */
export class BoshClient implements Disposable {
  readonly #ports: readonly number[]
  #turn = 0
  readonly #wait: number
  /** Answers that came after one to the same request had come another way; undefined where a connection broke. */
  readonly #late: Promise<string | undefined>[] = []
  #rid = randomInt(1, 2 ** 40)
  #sid: string | undefined
  /** Requests under way, and answers that came before those to earlier requests. */
  #open = 0
  #answered: number
  readonly #early = new Map<number, XmlElement>()
  #outgoing: string[] = []
  #isOver = false
  readonly #waiting = new Set<Waiting>()
  /** What came and was not taken yet, oldest first. */
  readonly inbox: XmlElement[] = []
  jid = ''
  /** Why the session ended. */
  condition: string | undefined
  #isRunning = false
  #isGone = false

  private constructor({ port, wait = 60 }: BoshLogin) {
    this.#ports = [port].flat()
    this.#wait = wait
    this.#answered = this.#rid
  }

  /** Creates a session, authenticates, binds, and keeps a request waiting from then on. @throws {Error} */
  static async login(login: BoshLogin): Promise<BoshClient> {
    const { jid, password } = login
    const [, local = '', domain = '', resource = ''] = /^(.*)@(.*)\/(.*)$/.exec(jid) ?? []
    const client = new BoshClient(login)
    const created = await client.#ask('', {
      to: domain,
      wait: String(client.#wait),
      hold: '1',
      ver: '1.11',
    })
    client.#sid = created.attrs.sid
    const plain = Buffer.from(`\0${local}\0${password}`).toString('base64')
    await client.#ask(
      `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`,
    )
    await client.#ask('', { to: domain, 'xmpp:restart': 'true' })
    const bind = xml(
      'bind',
      { xmlns: 'urn:ietf:params:xml:ns:xmpp-bind' },
      xml('resource', {}, resource),
    )
    const bound = await client.#ask(
      String(xml('iq', { xmlns: 'jabber:client', type: 'set', id: 'bind' }, bind)),
    )
    client.jid = bound.getChild('iq')?.getChild('bind')?.getChildText('jid') ?? ''
    if (client.jid === '') throw new Error(`not bound: ${bound}`)
    client.#isRunning = true
    client.#run()
    return client
  }

  /** Of the session; its first part is the instance where it began. */
  get sid(): string {
    return this.#sid ?? ''
  }

  /** Sends a stanza, with its namespace. */
  send(stanza: string): void {
    this.#outgoing.push(stanza)
    this.#run()
  }

  /** Takes the first stanza that fits, when it is there. @throws {Error} */
  async take(fits: (stanza: XmlElement) => boolean, what: string): Promise<XmlElement> {
    const at = this.inbox.findIndex(fits)
    const [there] = at < 0 ? [] : this.inbox.splice(at, 1)
    if (there) return there
    return await new Promise((resolve, reject) => {
      const waiting = {
        fits,
        take: (stanza: XmlElement): void => {
          clearTimeout(timer)
          resolve(stanza)
        },
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting)
        const state = `${this.inbox.length} others came, ended: ${this.condition ?? this.#isOver}`
        reject(new Error(`${what} did not come; ${state}`))
      }, patience)
      this.#waiting.add(waiting)
    })
  }

  /** What came to requests that had been answered another way; waits until all of these connections are done with. */
  async late(): Promise<readonly XmlElement[]> {
    const texts = await Promise.all(this.#late)
    return texts.flatMap((text) => (text === undefined ? [] : [parseElement(text)]))
  }

  /** Takes leave in good order: the requests before it are answered too, each over its own connection. */
  async close(): Promise<void> {
    this.#isRunning = false
    this.#isOver = true
    await this.#ask('', { type: 'terminate' })
    const until = performance.now() + patience
    while (this.#answered < this.#rid) {
      if (performance.now() > until) throw new Error(`${this.#open} requests have no answer`)
      await pause(10)
    }
  }

  /** Says nothing more to anybody, whatever is under way. */
  [Symbol.dispose](): void {
    this.#isRunning = false
    this.#isOver = true
    this.#isGone = true
  }

  /** Keeps a request waiting, and sends what is to be sent. */
  #run(): void {
    while (this.#isRunning && !this.#isOver && this.#open < 2) {
      if (this.#outgoing.length === 0 && this.#open > 0) return
      const payload = this.#outgoing.splice(0, 20).join('')
      this.#ask(payload).then(
        () => this.#run(),
        () => {},
      )
    }
  }

  async #ask(payload: string, attrs: Readonly<Record<string, string>> = {}): Promise<XmlElement> {
    this.#rid += 1
    const rid = this.#rid
    const all = Object.entries({ rid: String(rid), sid: this.#sid, ...attrs })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}='${value}'`)
      .join('')
    const body = `<body xmlns='${NS_BOSH}' xmlns:xmpp='${NS_XBOSH}'${all}>${payload}</body>`
    this.#open += 1
    for (;;) {
      const text = await this.#answerTo(body)
      const answer = text === undefined ? undefined : parseElement(text)
      // §17.3: an error that can be recovered from, by sending the request again.
      if (answer && answer.attrs.type !== 'error') {
        this.#open -= 1
        this.#take(rid, answer)
        return answer
      }
      if (this.#isGone) throw new Error('the client is gone')
      await pause(again)
    }
  }

  /**
   * The answer, by whichever connection it comes first: one that says nothing for long stays open beside the next. Undefined
   * where it broke.
   */
  async #answerTo(body: string): Promise<string | undefined> {
    const asked: Promise<string | undefined>[] = []
    const begin = this.#turn
    this.#turn += 1
    for (let at = begin; ; at += 1) {
      const port = this.#ports[at % this.#ports.length] ?? 0
      asked.push(this.#post(port, body).catch(() => undefined))
      const first = await Promise.race([
        ...asked.map(async (answer, index) => ({ index, text: await answer })),
        pause(this.#wait * 2_000, undefined, { ref: false }),
      ])
      if (!first) continue
      this.#late.push(...asked.toSpliced(first.index, 1))
      return first.text
    }
  }

  /** In the order of the requests (§14.2). */
  #take(rid: number, answer: XmlElement): void {
    this.#early.set(rid, answer)
    for (;;) {
      const next = this.#early.get(this.#answered + 1)
      if (!next) return
      this.#answered += 1
      this.#early.delete(this.#answered)
      if (next.attrs.type === 'terminate') {
        this.#isOver = true
        this.condition ??= next.attrs.condition ?? 'none'
      }
      for (const stanza of next.getChildElements()) this.#give(stanza)
    }
  }

  #give(stanza: XmlElement): void {
    for (const waiting of this.#waiting) {
      if (!waiting.fits(stanza)) continue
      this.#waiting.delete(waiting)
      waiting.take(stanza)
      return
    }
    this.inbox.push(stanza)
  }

  /** @throws {Error} where there is no answer, or none of BOSH */
  #post(port: number, body: string): Promise<string> {
    const where = { host: '127.0.0.1', port, path: '/http-bind', method: 'POST' }
    return new Promise((resolve, reject) => {
      const asked = request({ ...where, agent: false })
      asked.on('error', reject)
      asked.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () => {
          if (response.statusCode === 200 && response.complete) resolve(text)
          else reject(new Error(`HTTP ${response.statusCode}`))
        })
      })
      asked.end(body)
    })
  }
}
