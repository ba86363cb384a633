import type { StoredCredentials } from '@tactus/bus'
import { makeJid } from '@tactus/jid'
import {
  type Credentials,
  createMechanism,
  type Mechanism,
  offeredMechanisms,
  type SaslContext,
} from '@tactus/sasl'
import type { SaslPort, StreamState } from '@tactus/stream'
import type { Services } from '../services.ts'
import type { TlsInfo } from './tls-info.ts'

/** The side of SASL that has to ask: which mechanisms a host wants, which keys an account has. */
export class Authentication implements SaslPort {
  readonly bindings: readonly string[]
  readonly maxFailures: number
  /** Of the account that was looked up last; the owner voids a session opened with an older one. */
  credentialsVersion = 0
  isAnonymous = false
  readonly #services: Services
  readonly #address: string
  readonly #tls: TlsInfo | undefined

  constructor(services: Services, address: string, tls: TlsInfo | undefined) {
    this.#services = services
    this.#address = address
    this.#tls = tls
    this.bindings = tls?.bindings.map(({ type }) => type) ?? []
    this.maxFailures = services.settings.failuresPerStream
  }

  mechanisms({ host, secure }: StreamState): readonly string[] {
    const { hosts, settings } = this.#services
    const summary = host === undefined ? undefined : hosts.get(host)
    if (!summary) return []
    return offeredMechanisms({
      encrypted: secure,
      plaintextAllowed: !settings.tlsRequired,
      bindings: this.#tls?.bindings ?? [],
      anonymous: summary.anonymous,
    })
  }

  start(name: string, { host = '', offered }: StreamState): Mechanism {
    const { env, decoySecret } = this.#services
    const context: SaslContext = {
      host,
      offered,
      bindings: this.#tls?.bindings ?? [],
      decoySecret,
      random: (length) => env.random(length),
      lookup: (username) => this.#lookup(username, host),
      anonymous: () => {
        this.isAnonymous = true
        return Buffer.from(env.random(16)).toString('hex')
      },
    }
    return createMechanism(name, context)
  }

  decided(mechanism: string, condition: string, guessed: boolean): void {
    const { metrics, addresses, log } = this.#services
    metrics.authentications.with({ mechanism, outcome: condition }).inc()
    if (condition === 'success') return
    log.info('authentication_failed', { address: this.#address, mechanism, condition })
    if (guessed && condition === 'not-authorized')
      addresses.failed(this.#address, this.#services.connections.wheel.now)
  }

  async #lookup(username: string, host: string): Promise<Credentials | undefined> {
    const account = makeJid(username, host)
    const stored = await this.#services.routers.ask('account.credentials', { account })
    this.credentialsVersion = stored?.version ?? 0
    return stored && credentialsOf(stored)
  }
}

function credentialsOf({ keys, disabled }: StoredCredentials): Credentials {
  return { keys: keys as Credentials['keys'], disabled }
}
