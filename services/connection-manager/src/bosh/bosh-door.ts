import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Settings } from '../settings.ts'
import type { BoshAnswer } from './answer.ts'
import type { BoshClient, BoshSessions } from './bosh-sessions.ts'
import { readScriptRequest, scriptOf } from './script-syntax.ts'

/** What a body may be longer than its stanzas. */
const wrapper = 4_096
const seconds = 86_400

/** What of HTTP there is around a request: who may ask from where, its bytes, and the answer's headers. */
export class BoshDoor {
  readonly #sessions: BoshSessions
  readonly #settings: Settings
  readonly #isDraining: () => boolean

  constructor(sessions: BoshSessions, settings: Settings, isDraining: () => boolean) {
    this.#sessions = sessions
    this.#settings = settings
    this.#isDraining = isDraining
  }

  /** Answers a request to the path of BOSH; `bound` is called when it turns out to be of a session with an account. */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    client: BoshClient,
    bound: () => void,
  ): Promise<void> {
    if (!this.#admits(request, response)) return
    const { method } = request
    // SECURITY: V15, V17. A client chooses the type of answers (§7.1); whatever it is, no browser runs what is in one.
    response.setHeader('Content-Security-Policy', "sandbox; default-src 'none'")
    response.setHeader('Cache-Control', 'no-store')
    if (this.#isDraining()) response.setHeader('Connection', 'close')
    if (method === 'OPTIONS') return preflight(response)
    if (this.#settings.tlsRequired && !client.tls)
      return say(response, 403, 'TLS is required: use https.')
    if (method === 'POST') return await this.#post(request, response, { client, bound })
    if (method === 'GET') return await this.#get(request, response, { client, bound })
    response.setHeader('Allow', 'GET, OPTIONS, POST')
    say(response, 405, 'Method not allowed.')
  }

  /** V15: programs other than browsers send no origin, and nothing is theirs to protect a page from. */
  #admits({ headers }: IncomingMessage, response: ServerResponse): boolean {
    const { origins } = this.#settings.http
    const { origin } = headers
    const isOpen = origins.includes('*')
    if (origin === undefined && isOpen) response.setHeader('Access-Control-Allow-Origin', '*')
    if (origin === undefined) return true
    if (!isOpen && !origins.includes(origin.toLowerCase())) {
      say(response, 403, 'Scripts of this page may not connect.')
      return false
    }
    response.setHeader('Access-Control-Allow-Origin', isOpen ? '*' : origin)
    if (!isOpen) response.setHeader('Vary', 'Origin')
    return true
  }

  async #post(request: IncomingMessage, response: ServerResponse, who: Who): Promise<void> {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') return say(response, 415, 'No encoding is understood.')
    const bytes = await this.#bytesOf(request)
    if (bytes) write(response, await this.#ask(bytes, who))
    else {
      response.setHeader('Connection', 'close')
      say(response, 413, 'That is too much.')
    }
  }

  async #get(request: IncomingMessage, response: ServerResponse, who: Who): Promise<void> {
    const at = request.url?.indexOf('?') ?? -1
    if (at < 0)
      return say(response, 200, 'This is BOSH (XEP-0124). Use an XMPP client to talk to it.')
    const script = readScriptRequest(request.url?.slice(at + 1) ?? '')
    if (!this.#settings.bosh.script || !script) return say(response, 404, 'Not found.')
    const answer = await this.#ask(Buffer.from(script.body), who)
    if (answer.kind !== 'body') return write(response, answer)
    const content = 'text/javascript; charset=utf-8'
    write(response, { ...answer, content, text: scriptOf(answer.text, script.callback) })
  }

  async #ask(bytes: Uint8Array, { client, bound }: Who): Promise<BoshAnswer> {
    const answer = await this.#sessions.ask(bytes, client)
    if (answer.kind === 'body' && answer.isBound) bound()
    return answer
  }

  /** Undefined for more than a request may be. */
  async #bytesOf(request: IncomingMessage): Promise<Buffer | undefined> {
    const most = this.#settings.client.bytes + wrapper
    if (Number(request.headers['content-length'] ?? 0) > most) return undefined
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of request) {
      length += (chunk as Buffer).length
      if (length > most) return undefined
      chunks.push(chunk as Buffer)
    }
    return Buffer.concat(chunks)
  }
}

interface Who {
  readonly client: BoshClient
  readonly bound: () => void
}

function preflight(response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Methods', 'GET, OPTIONS, POST')
  response.setHeader('Access-Control-Allow-Headers', 'Content-Type')
  response.setHeader('Access-Control-Max-Age', String(seconds))
  response.writeHead(204).end()
}

/** A request that cannot be answered now is sent again by its client, as after any failure of the network. */
function write(response: ServerResponse, answer: BoshAnswer): void {
  if (answer.kind !== 'body') {
    response.setHeader('Retry-After', '1')
    return say(response, 503, 'Again, please.')
  }
  const bytes = Buffer.from(answer.text)
  response.setHeader('Content-Type', answer.content)
  response.setHeader('Content-Length', bytes.length)
  response.writeHead(answer.status).end(bytes)
}

function say(response: ServerResponse, status: number, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.writeHead(status).end(`${text}\n`)
}
