import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { ChannelBinding, Mechanism, SaslSuccess } from '../src/index.ts'

const algorithms = { 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-512': 'sha512' } as const

export interface ClientOptions {
  readonly username: string
  readonly password: string
  readonly authzid?: string
  /** `n`, `y` or `p=<name>`; what the mechanism asks for when absent. */
  readonly flag?: string
  readonly binding?: ChannelBinding
  readonly nonce?: string
  /** Changes the nonce of the final message, which is signed as changed. */
  readonly answerNonce?: (nonce: string) => string
  /** Changes the messages on their way, as a man in the middle or a bad client would. */
  readonly tamper?: (message: string) => string
}

/** The client side of SCRAM, written from RFC 5802 §5 alone so that two readings meet. */
export class ScramClient {
  readonly #algorithm: string
  readonly #options: ClientOptions
  readonly #header: string
  readonly #bare: string
  #expected = ''

  constructor(mechanism: string, options: ClientOptions) {
    const { username, authzid = '', binding, nonce = 'fyko+d2lbbFgONRv9qkxdawL' } = options
    this.#options = options
    this.#algorithm = algorithms[/SHA-\d+/.exec(mechanism)?.[0] as keyof typeof algorithms]
    const flag = options.flag ?? (binding ? `p=${binding.type}` : 'n')
    this.#header = `${flag},${authzid && `a=${escapeName(authzid)}`},`
    this.#bare = `n=${escapeName(username)},r=${nonce}`
  }

  first(): string {
    return this.#header + this.#bare
  }

  final(serverFirst: string): string {
    const [, challenged = '', salt = '', iterations = ''] =
      /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(serverFirst) ?? []
    const { binding, password, answerNonce } = this.#options
    const nonce = answerNonce?.(challenged) ?? challenged
    const bound = Buffer.concat([Buffer.from(this.#header), binding?.data ?? Buffer.alloc(0)])
    const withoutProof = `c=${bound.toString('base64')},r=${nonce}`
    const authMessage = `${this.#bare},${serverFirst},${withoutProof}`
    const length = createHash(this.#algorithm).digest().length
    const salted = pbkdf2Sync(
      password.normalize('NFC'),
      Buffer.from(salt, 'base64'),
      Number(iterations),
      length,
      this.#algorithm,
    )
    const clientKey = this.#hmac(salted, 'Client Key')
    const storedKey = createHash(this.#algorithm).update(clientKey).digest()
    const signature = this.#hmac(storedKey, authMessage)
    const proof = Buffer.from(clientKey.map((octet, i) => octet ^ (signature[i] ?? 0)))
    const serverKey = this.#hmac(salted, 'Server Key')
    this.#expected = `v=${this.#hmac(serverKey, authMessage).toString('base64')}`
    return `${withoutProof},p=${proof.toString('base64')}`
  }

  /** Whether the server proved that it knows the keys. */
  trusts(data: Uint8Array | undefined): boolean {
    return data !== undefined && Buffer.from(data).toString() === this.#expected
  }

  /** Runs the exchange to its end. Throws what the server throws. */
  async authenticate(mechanism: Mechanism): Promise<SaslSuccess> {
    const { tamper = (message: string) => message } = this.#options
    const challenged = await mechanism.step(Buffer.from(tamper(this.first())))
    const serverFirst = Buffer.from(challenged.challenge ?? []).toString()
    const { success } = await mechanism.step(Buffer.from(tamper(this.final(serverFirst))))
    if (!success) throw new Error('The server asks for more.')
    if (!this.trusts(success.data)) throw new Error('The server did not prove itself.')
    return success
  }

  #hmac(key: Uint8Array, data: string): Buffer {
    return createHmac(this.#algorithm, key).update(data).digest()
  }
}

function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}
