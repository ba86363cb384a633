import { join } from 'node:path'
import type { SecureContext } from 'node:tls'
import type { Env } from '@tactus/env'
import { domainToAscii } from '@tactus/jid'
import type { Logger } from '@tactus/telemetry'
import { CertificateFolder } from './certificate-folder.ts'
import { standsFor } from './certificate-names.ts'
import { keptPair } from './kept-pair.ts'
import { makeContext } from './secure-context.ts'
import { type KeyPair, makeSelfSigned } from './self-made.ts'

/** What a certificate store is made of. */
export interface CertificateStoreOptions {
  /** Folder of `name.crt` and `name.key`; undefined for none. */
  readonly folder: string | undefined
  /** Where certificates that we made are kept over a restart; undefined keeps them in memory. */
  readonly selfMadeFolder: string | undefined
  /** Domains that we may make a certificate for. */
  readonly isServed: (domain: string) => boolean
  /** The domain of a client that names none, or one that is not ours. */
  readonly fallback: () => string
  /** Who may vouch for other servers, in PEM; those of the system when absent. */
  readonly authorities?: readonly string[] | undefined
  readonly env: Env
  readonly log: Logger
}

const maxSelfMade = 10_000

/** Finds the certificate for a domain: one from the folder, else one that we make. */
export class CertificateStore {
  readonly #options: CertificateStoreOptions
  readonly #folder: CertificateFolder | undefined
  #default: SecureContext | undefined
  #defaultDomain: string | undefined
  readonly #selfMade = new Map<string, Promise<SecureContext>>()

  constructor(options: CertificateStoreOptions) {
    this.#options = options
    const { log } = options
    this.#folder =
      options.folder === undefined
        ? undefined
        : new CertificateFolder(
            options.folder,
            options.env.clock,
            {
              loaded: ({ name, leaf }) =>
                log.info('certificate_loaded', {
                  name,
                  names: leaf.subjectAltName,
                  until: leaf.validTo,
                }),
              failed: (name, error) => log.error('certificate_refused', { name, err: error }),
            },
            options.authorities,
          )
  }

  async start(): Promise<void> {
    await this.#folder?.start()
    await this.#makeDefault(this.#options.fallback())
  }

  /** Who may vouch for other servers, in PEM; undefined for those of the system. */
  get authorities(): readonly string[] | undefined {
    return this.#options.authorities
  }

  /** The context for clients that send no SNI. Known from `start` on. */
  get defaultContext(): SecureContext | undefined {
    const domain = this.#options.fallback()
    const found = this.#fromFolder(domain)
    if (found) return found
    // The hosts became known, or others: the next client gets the right one.
    if (domain !== this.#defaultDomain) void this.#makeDefault(domain)
    return this.#default
  }

  async #makeDefault(domain: string): Promise<void> {
    this.#defaultDomain = domain
    try {
      this.#default = await this.#ownFor(domain)
    } catch (error) {
      this.#options.log.error('certificate_not_made', { domain, err: error })
    }
  }

  /** The context for the name that a client sent by SNI (RFC 6066), undefined for none. */
  async contextFor(servername: string | undefined): Promise<SecureContext> {
    const { isServed, fallback } = this.#options
    const asked = servername?.toLowerCase()
    const found = asked === undefined ? undefined : this.#fromFolder(asked)
    if (found) return found
    const domain = asked !== undefined && isServed(asked) ? asked : fallback()
    return this.#fromFolder(domain) ?? (await this.#ownFor(domain))
  }

  [Symbol.dispose](): void {
    this.#folder?.[Symbol.dispose]()
  }

  #fromFolder(domain: string): SecureContext | undefined {
    const certificates = this.#folder?.certificates ?? []
    const name = asciiOf(domain)
    const now = this.#options.env.clock.now()
    const matching = certificates.filter(
      // RFC 9525: the common name is not looked at.
      ({ leaf, names }) =>
        leaf.checkHost(name, { subject: 'never' }) !== undefined || standsFor(names, domain),
    )
    // Between two for one domain the one that is valid longest, so that a renewal takes over.
    const best = matching.sort(
      (a, b) => b.leaf.validToDate.getTime() - a.leaf.validToDate.getTime(),
    )
    const valid = best.find(({ leaf }) => leaf.validFromDate.getTime() <= now)
    return (valid ?? best[0])?.context
  }

  #ownFor(domain: string): Promise<SecureContext> {
    const known = this.#selfMade.get(domain)
    if (known !== undefined) return known
    if (this.#selfMade.size >= maxSelfMade) this.#selfMade.clear()
    const made = this.#makeOwn(domain)
    this.#selfMade.set(domain, made)
    made.catch(() => this.#selfMade.delete(domain))
    return made
  }

  async #makeOwn(domain: string): Promise<SecureContext> {
    const { selfMadeFolder, env, log } = this.#options
    const file = selfMadeFolder === undefined ? undefined : fileOf(selfMadeFolder, domain)
    const make = (): KeyPair => {
      log.info('certificate_made', { domain })
      const random = (length: number): Uint8Array => env.random(length)
      return makeSelfSigned(domain, { now: env.clock.now(), random })
    }
    const pair = file === undefined ? make() : await keptPair(file, env.clock, make)
    return makeContext(pair, this.#options.authorities)
  }
}

const asciiOf = (domain: string): string => {
  try {
    return domainToAscii(domain)
  } catch {
    // What a client sends by SNI need not be a name.
    return ''
  }
}

/** Only names that are names on every file system; others are made anew at each start. */
function fileOf(folder: string, domain: string): string | undefined {
  const name = asciiOf(domain)
  return /^[a-z0-9][a-z0-9.-]{0,200}$/.test(name) ? join(folder, name) : undefined
}
