import { type BareJid, domainpart, localpart } from '@tactus/jid'
import { authorize } from './authorization.ts'
import { decodeUtf8 } from './base64.ts'
import { emptyChallenge, type Mechanism, type SaslContext, type SaslStep } from './mechanism.ts'
import { SaslFailure } from './sasl-failure.ts'

/** Whom the certificate of the connection proves. */
export type ExternalDecision = (authzid: string | undefined) => Promise<BareJid | undefined>

/**
 * EXTERNAL (RFC 4422 appendix A, XEP-0178): the TLS handshake has proved who this is; the message
 * only says as whom the peer wants to act.
 */
export class ExternalMechanism implements Mechanism {
  readonly name = 'EXTERNAL'
  readonly #host: string
  readonly #decide: ExternalDecision
  #done = false

  constructor(context: SaslContext, decide: ExternalDecision) {
    this.#host = context.host
    this.#decide = decide
  }

  async step(data: Uint8Array | undefined): Promise<SaslStep> {
    if (this.#done) throw new SaslFailure('malformed-request')
    if (data === undefined) return emptyChallenge
    this.#done = true
    const authzid = decodeUtf8(data) || undefined
    const account = await this.#decide(authzid)
    const username = account && localpart(account)
    if (!account || username === undefined || domainpart(account) !== this.#host)
      throw new SaslFailure('not-authorized')
    authorize(authzid, account)
    return { success: { username } }
  }
}
