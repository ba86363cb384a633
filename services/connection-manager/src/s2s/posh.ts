import type { X509Certificate } from 'node:crypto'
import type { Env } from '@tactus/env'
import { domainToAscii } from '@tactus/jid'
import { isCurrent } from './dane.ts'
import { isAmong, type PoshDocument, readPosh } from './posh-document.ts'
import { Turnstile } from './turnstile.ts'
import type { Page } from './web-page.ts'

/** What asking the web sites of other domains needs. */
export interface PoshPorts {
  readonly env: Env
  /** Port of web sites. */
  readonly port: number
  /** @throws {Error} */
  read(url: URL): Promise<Page>
  failed(domain: string, error: unknown): void
}

interface Known {
  readonly fingerprints: readonly Readonly<Record<string, unknown>>[]
  readonly askedAt: number
  readonly until: number
}

const path = '/.well-known/posh/xmpp-server.json'
/** Pages that may be read at a time. */
const mostAsked = 32
const mostKnown = 10_000
/** Pages read for one domain: its own, and where that leads. */
const mostPages = 4
/** Milliseconds that a document is believed at most, and that a domain without one is not asked again. */
const longest = { told: 86_400_000, none: 60_000 } as const
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Which certificates the web site of a domain names for its XMPP server (POSH: RFC 7711, RFC 7712). */
export class Posh {
  readonly #ports: PoshPorts
  readonly #known = new Map<string, Known>()
  readonly #asking = new Map<string, Promise<Known>>()
  readonly #turnstile = new Turnstile(mostAsked)

  constructor(ports: PoshPorts) {
    this.#ports = ports
  }

  /** Whether a certificate is one of those. */
  async names(domain: string, certificate: X509Certificate): Promise<boolean> {
    if (!isCurrent(certificate)) return false
    const known = await this.#learn(domain)
    if (isAmong(known.fingerprints, certificate)) return true
    // It may have a new one since.
    if (this.#now - known.askedAt < longest.none) return false
    this.#known.delete(domain)
    return isAmong((await this.#learn(domain)).fingerprints, certificate)
  }

  get #now(): number {
    return this.#ports.env.clock.monotonic()
  }

  async #learn(domain: string): Promise<Known> {
    const known = this.#known.get(domain)
    if (known && this.#now < known.until) return known
    const asking = this.#asking.get(domain) ?? this.#ask(domain)
    this.#asking.set(domain, asking)
    const told = await asking
    this.#asking.delete(domain)
    this.#keep(domain, told)
    return told
  }

  #keep(domain: string, told: Known): void {
    this.#known.delete(domain)
    const [oldest] = this.#known.keys()
    if (this.#known.size >= mostKnown && oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(domain, told)
  }

  async #ask(domain: string): Promise<Known> {
    await this.#turnstile.enter()
    try {
      const { fingerprints, expires } = await this.#read(domain)
      const askedAt = this.#now
      const until = askedAt + Math.min(expires * 1_000, longest.told)
      return { fingerprints, askedAt, until }
    } catch (error) {
      this.#ports.failed(domain, error)
      const askedAt = this.#now
      return { fingerprints: [], askedAt, until: askedAt + longest.none }
    } finally {
      this.#turnstile.leave()
    }
  }

  /** @throws {Error} */
  async #read(domain: string): Promise<PoshDocument & { readonly kind: 'fingerprints' }> {
    const host = domainToAscii(domain).toLowerCase()
    let url = new URL(`https://${host}:${this.#ports.port}${path}`)
    // What a domain may consist of is more than what a host of a URL may.
    if (url.hostname !== host) throw new Error(`${domain} has no web site`)
    let expires = Number.POSITIVE_INFINITY
    let isReferred = false
    for (let pages = 0; pages < mostPages; pages += 1) {
      const { status, location, text } = await this.#ports.read(url)
      if (redirects.has(status) && location !== undefined) {
        url = new URL(location, url)
        continue
      }
      if (status !== 200) throw new Error(`${url} answers ${status}`)
      const document = readPosh(text)
      // RFC 7711: of two documents the shorter time holds.
      expires = Math.min(expires, document.expires)
      if (document.kind === 'fingerprints') return { ...document, expires }
      if (isReferred) throw new Error(`${url} leads on, and was led to`)
      isReferred = true
      url = new URL(document.url)
    }
    throw new Error(`${domain} leads on and on`)
  }
}
