import type { Socket } from 'node:net'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import type { RemoteTarget } from '@tactus/bus'
import { domainToAscii } from '@tactus/jid'
import { tlsaOf } from './dane.ts'
import { interleaved, raceTo } from './eyeballs.ts'
import { lookUp } from './lookup.ts'
import { isPrivate } from './private-addresses.ts'
import { findTargets, type Resolver, type Target, type TlsaRecord } from './targets.ts'

/** There is no way to a domain. */
export class Unreachable extends Error {
  /** It will not be different in a moment: the domain does not exist, or may not be connected to. */
  readonly permanent: boolean

  constructor(message: string, options: ErrorOptions & { readonly permanent: boolean }) {
    super(message, options)
    this.permanent = options.permanent
  }
}

/** What making connections to other servers goes by. */
export interface DialerOptions {
  readonly resolver: Resolver
  /** A number from 0 to 1. */
  readonly chance: () => number
  /** Where a domain without SRV records is looked for. */
  readonly port: number
  readonly allowPrivate: boolean
  /** Milliseconds for one address. */
  readonly timeout: number
  /** Our certificate for a domain that we speak for. */
  readonly contextFor: (domain: string) => Promise<SecureContext>
}

/** A connection to a server that may be one of the wanted domain. */
export interface Dialed {
  readonly socket: Socket
  /** TLS is up already (XEP-0368). */
  readonly tls: TLSSocket | undefined
  readonly address: string
  /** What the DNS says of its certificate, verified (RFC 7712 §5); empty where it says nothing. */
  readonly tlsa: readonly TlsaRecord[]
}

interface Located {
  readonly target: Target
  readonly addresses: readonly string[]
}

/** Addresses tried of one domain at most; its DNS may name any number. */
const mostAddresses = 8

/** Finds and connects to other servers. */
export class Dialer {
  readonly #options: DialerOptions

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /** @throws {Unreachable} */
  async dial(local: string, remote: string): Promise<Dialed> {
    const located = await this.#located(remote)
    let cause: unknown
    for (const { target, addresses } of located) {
      try {
        return await this.#connect({ local, remote, target, addresses })
      } catch (error) {
        cause = error
      }
    }
    const reason = cause instanceof Error ? cause.message : 'no address answered'
    throw new Unreachable(reason, { cause, permanent: false })
  }

  /** Puts TLS on a connection, as its client. @throws {Error} */
  async secure(socket: Socket, local: string, remote: string, direct = false): Promise<TLSSocket> {
    const secureContext = await this.#options.contextFor(local)
    const tls = connectTls({
      socket,
      secureContext,
      servername: domainToAscii(remote),
      // Who it is is judged by the names that may stand for an XMPP domain, and a wrong one is no reason to hang up yet.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(direct && { ALPNProtocols: ['xmpp-server'] }),
    })
    await within(this.#options.timeout, tls, 'secureConnect')
    return tls
  }

  /** What the DNS says of the certificate of each server of a domain (RFC 7712 §5). @throws {Error} as `Resolver` */
  async tlsaOfEach(domain: string): Promise<readonly (readonly TlsaRecord[])[]> {
    const { resolver, port } = this.#options
    const targets = await findTargets(domain, port, this.#options)
    return await Promise.all(targets.slice(0, mostAddresses).map((one) => tlsaOf(one, resolver)))
  }

  /** What it would find, for people. @throws {Error} */
  async lookUp(domain: string): Promise<readonly RemoteTarget[]> {
    return await lookUp(domain, this.#options)
  }

  /** @throws {Unreachable} */
  async #located(domain: string): Promise<readonly Located[]> {
    const found: Located[] = []
    try {
      await this.#find(domain, found)
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      if (found.length === 0) throw new Unreachable(message, { cause, permanent: false })
    }
    const allowed = found.filter(({ addresses }) => addresses.length > 0)
    if (allowed.length > 0) return allowed
    const why = found.length > 0 ? 'only private addresses' : 'no address'
    throw new Unreachable(`the DNS knows ${why} for ${domain}`, { permanent: true })
  }

  /** Collects what is there, so that one name that cannot be resolved does not hide the others. */
  async #find(domain: string, found: Located[]): Promise<void> {
    const { resolver, port, allowPrivate } = this.#options
    let left = mostAddresses
    for (const target of await findTargets(domain, port, this.#options)) {
      const known = interleaved(await resolver.addresses(target.host))
      if (known.length === 0) continue
      const allowed = allowPrivate ? known : known.filter((address) => !isPrivate(address))
      const addresses = allowed.slice(0, left)
      left -= addresses.length
      found.push({ target, addresses })
      if (left === 0) return
    }
  }

  async #connect(
    to: { readonly local: string; readonly remote: string } & Located,
  ): Promise<Dialed> {
    const { addresses, target, local, remote } = to
    const { timeout, resolver } = this.#options
    const tlsa = await tlsaOf(target, resolver)
    const socket = await raceTo({ addresses, port: target.port, timeout })
    try {
      const address = socket.remoteAddress ?? ''
      const tls = target.direct ? await this.secure(socket, local, remote, true) : undefined
      return { socket, tls, address, tlsa }
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
}

/** Waits for an event of a socket. @throws {Error} where it ends before, or takes too long */
function within(timeout: number, socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      socket.off(event, done)
      socket.off('close', closed)
      if (error) reject(error)
      else resolve()
    }
    let failure: Error | undefined
    const done = (): void => settle()
    const closed = (): void => settle(failure ?? new Error('the connection was closed'))
    const timer = setTimeout(() => {
      settle(new Error('no answer in time'))
      socket.destroy()
    }, timeout)
    socket.on('error', (error) => {
      failure ??= error
    })
    socket.once(event, done)
    socket.once('close', closed)
  })
}
