import { createHash } from 'node:crypto'
import { type IncomingHttpHeaders, request } from 'node:http'
import { parseElement, type XmlElement } from '@tactus/xml'
import { bindRequest, password, plain } from './client.ts'

/** What came back. */
export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** One request of HTTP, on a connection of its own. */
export async function http(
  port: number,
  body: string,
  options: {
    readonly method?: string
    readonly path?: string
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Promise<Answer> {
  const { method = 'POST', path = '/http-bind', headers = {} } = options
  return await new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
    asked.on('error', reject)
    asked.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, text }),
      )
    })
    asked.end(body)
  })
}

type Attributes = Readonly<Record<string, string | number | undefined>>

/** A client on BOSH that says exactly what it is told to; only its numbers rise by themselves. */
export class RawBosh {
  port: number
  sid: string | undefined
  rid = 4_711
  /** Those of the requests to come; none where there is no key sequence. */
  keys: string[] = []
  /** The body of the session's first answer. */
  created: XmlElement | undefined

  constructor(port: number) {
    this.port = port
  }

  /** Creates a session. */
  static async create(
    port: number,
    attrs: Attributes = {},
    keys: readonly string[] = [],
  ): Promise<RawBosh> {
    const client = new RawBosh(port)
    const [newkey, ...others] = keys
    const answer = await client.first({ newkey, ...attrs })
    client.keys = others
    client.created = parseElement(answer.text)
    client.sid = client.created.attrs.sid
    return client
  }

  /** Creates a session, authenticates and binds. */
  static async login(port: number, username: string, attrs: Attributes = {}): Promise<RawBosh> {
    const client = await RawBosh.create(port, attrs)
    await client.authenticate(username)
    return client
  }

  first(attrs: Attributes = {}): Promise<Answer> {
    const all = {
      to: 'montague.example',
      'xml:lang': 'en',
      ver: '1.11',
      wait: 60,
      hold: 1,
      'xmpp:version': '1.0',
      ...attrs,
    }
    return this.request('', all)
  }

  async authenticate(username: string, resource = 'garden'): Promise<void> {
    await this.request(
      `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain(username, password)}</auth>`,
    )
    await this.request('', { 'xmpp:restart': 'true', to: 'montague.example' })
    await this.request(bindRequest(resource).replace('<iq ', "<iq xmlns='jabber:client' "))
  }

  /** The next request. */
  request(payload = '', attrs: Attributes = {}): Promise<Answer> {
    const rid = this.rid
    this.rid += 1
    return this.repeat(rid, payload, { key: this.keys.shift(), ...attrs })
  }

  /** A request with a number of its own. */
  repeat(rid: number, payload = '', attrs: Attributes = {}): Promise<Answer> {
    return http(this.port, this.body(rid, payload, attrs))
  }

  body(rid: number, payload = '', attrs: Attributes = {}): string {
    const all = Object.entries({ rid, sid: this.sid, ...attrs })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}='${value}'`)
      .join('')
    return `<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'${all}>${payload}</body>`
  }
}

/** A key sequence (XEP-0124 §15.3), in the order in which it is used. */
export function keySequence(seed: string, length: number): string[] {
  const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')
  const keys = [sha1(seed)]
  while (keys.length < length) keys.unshift(sha1(keys[0] ?? ''))
  return keys
}

/** A message, as clients write it. */
export const message = (text: string, to = 'romeo@montague.example'): string =>
  `<message xmlns='jabber:client' to='${to}' id='${text}'><body>${text}</body></message>`

/** The texts of the messages in an answer. */
export const texts = ({ text }: Answer): readonly (string | null)[] =>
  parseElement(text)
    .getChildren('message')
    .map((child) => child.getChildText('body'))

/** What an answer's body says of itself. */
export const attrsOf = ({ text }: Answer): Readonly<Record<string, string>> => {
  const { xmlns: _, ...attrs } = parseElement(text).attrs
  return attrs
}
