import { decodeUtf8 } from './base64.ts'
import { emptyChallenge, type Mechanism, type SaslStep } from './mechanism.ts'
import { SaslFailure } from './sasl-failure.ts'

/**
 * ANONYMOUS (RFC 4505, XEP-0175): a new temporary account for everybody who asks.
 *
 * The client may send trace information; it authorizes nothing and is dropped.
 */
export class AnonymousMechanism implements Mechanism {
  readonly name = 'ANONYMOUS'
  readonly #newAccount: () => string
  #done = false

  constructor(newAccount: () => string) {
    this.#newAccount = newAccount
  }

  async step(data: Uint8Array | undefined): Promise<SaslStep> {
    if (this.#done) throw new SaslFailure('malformed-request')
    if (data === undefined) return emptyChallenge
    this.#done = true
    decodeUtf8(data)
    return { success: { username: this.#newAccount() } }
  }
}
