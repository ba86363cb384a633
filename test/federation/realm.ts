import { join } from 'node:path'
import {
  Authority,
  type DnsServer,
  DnsServer as Names,
  TestServer,
  type XmppClient,
} from '@tactus/testkit'
import type { Stanza } from '@tactus/xml'

/** One server of a realm: a domain, with an account or two. */
export interface Province {
  readonly domain: string
  /** What its host says of federation. */
  readonly federation?: Readonly<Record<string, unknown>>
  /** Names of its certificate as openssl writes them; the domain when absent, one that nobody vouches for where empty. */
  readonly names?: readonly string[]
  readonly days?: number
  readonly settings?: Readonly<Record<string, unknown>>
  readonly s2s?: Readonly<Record<string, unknown>>
}

/** Servers that find each other by a name server of their own. */
export class Realm implements AsyncDisposable {
  readonly names: DnsServer
  readonly authority: Authority = new Authority()
  readonly servers: Map<string, TestServer> = new Map()
  readonly #clients: XmppClient[] = []

  private constructor(names: DnsServer) {
    this.names = names
  }

  static async of(...provinces: readonly Province[]): Promise<Realm> {
    const realm = new Realm(await Names.start())
    try {
      for (const province of provinces) await realm.found(province)
    } catch (error) {
      await realm[Symbol.asyncDispose]()
      throw error
    }
    return realm
  }

  /** Settings with which a server finds the others and trusts the realm's authority. */
  settings({ domain, federation, names, days, settings, s2s }: Province): Record<string, unknown> {
    const certificates = join(this.authority.folder, `certs-${domain}`)
    if (names === undefined || names.length > 0)
      this.authority.issue(certificates, domain, names ?? undefined, days)
    return {
      hosts: { [domain]: { ...(federation && { federation }) } },
      tls: { required: false, certificates },
      s2s: {
        resolvers: [this.names.address],
        allowPrivate: true,
        authorities: this.authority.file,
        ...s2s,
      },
      ...settings,
    }
  }

  async found(province: Province): Promise<TestServer> {
    const server = await TestServer.standalone(this.settings(province))
    this.servers.set(province.domain, server)
    this.names.locate(province.domain, server.port('s2s'))
    return server
  }

  server(domain: string): TestServer {
    const server = this.servers.get(domain)
    if (!server) throw new Error(`nobody serves ${domain}`)
    return server
  }

  /** A new account, logged in and available. */
  async login(jid: string): Promise<Speaker> {
    const [account = '', domain = ''] = jid.split('/')[0]?.split('@') ?? []
    const server = this.server(domain)
    await server.addUser(`${account}@${domain}`, 'secret').catch(() => {})
    const client = await server.login(jid, 'secret')
    this.#clients.push(client)
    return new Speaker(client)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.drop()
    await Promise.all([...this.servers.values()].map((server) => server[Symbol.asyncDispose]()))
    await this.names[Symbol.asyncDispose]()
    this.authority[Symbol.dispose]()
  }
}

/** A client that keeps what it gets until it is asked for. */
export class Speaker {
  readonly client: XmppClient
  /** Everything that came, in order. */
  readonly heard: string[] = []
  readonly #inbox: Stanza[] = []
  readonly #waiting = new Set<{ fits(stanza: Stanza): boolean; take(stanza: Stanza): void }>()

  constructor(client: XmppClient) {
    this.client = client
    client.onStanza = (stanza) => this.#got(stanza)
  }

  get jid(): string {
    return this.client.jid
  }

  say(text: string): void {
    this.client.sendRaw(text)
  }

  /** The first stanza, come or to come, that contains all of these. */
  async hears(...parts: readonly (string | RegExp)[]): Promise<string> {
    const fits = (stanza: Stanza): boolean =>
      parts.every((part) =>
        typeof part === 'string' ? String(stanza).includes(part) : part.test(String(stanza)),
      )
    const known = this.#inbox.findIndex(fits)
    if (known >= 0) return String(this.#inbox.splice(known, 1)[0])
    return await new Promise((resolve) =>
      this.#waiting.add({ fits, take: (stanza) => resolve(String(stanza)) }),
    )
  }

  /** Everything that came and was not asked for. */
  get unheard(): readonly string[] {
    return this.#inbox.map(String)
  }

  #got(stanza: Stanza): void {
    this.heard.push(String(stanza))
    for (const waiting of this.#waiting) {
      if (!waiting.fits(stanza)) continue
      this.#waiting.delete(waiting)
      return waiting.take(stanza)
    }
    this.#inbox.push(stanza)
  }
}
