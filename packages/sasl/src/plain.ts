import { localpart } from '@tactus/jid'
import { authorize } from './authorization.ts'
import { decodeUtf8 } from './base64.ts'
import { decoyCredentials, verifyPassword } from './credentials.ts'
import {
  accountOf,
  emptyChallenge,
  type Mechanism,
  type SaslContext,
  type SaslStep,
} from './mechanism.ts'
import { SaslFailure } from './sasl-failure.ts'

interface PlainMessage {
  readonly authzid: string
  readonly username: string
  readonly password: string
}

/** PLAIN (RFC 4616): the password itself, hence only inside TLS. */
export class PlainMechanism implements Mechanism {
  readonly name = 'PLAIN'
  readonly #context: SaslContext
  #done = false

  constructor(context: SaslContext) {
    this.#context = context
  }

  async step(data: Uint8Array | undefined): Promise<SaslStep> {
    if (this.#done) throw new SaslFailure('malformed-request')
    if (data === undefined) return emptyChallenge
    this.#done = true
    const { authzid, username, password } = parsePlain(decodeUtf8(data))
    const { host, decoySecret, decoyIterations } = this.#context
    const account = accountOf(username, host)
    const name = account && localpart(account)
    const credentials = name === undefined ? undefined : await this.#context.lookup(name)
    const decoy = decoyCredentials({
      secret: decoySecret,
      username: name ?? username,
      iterations: decoyIterations,
    })
    const verified = await verifyPassword(password, credentials, decoy)
    if (!verified || !account || name === undefined) throw new SaslFailure('not-authorized')
    if (credentials?.disabled) throw new SaslFailure('account-disabled')
    authorize(authzid, account)
    return { success: { username: name } }
  }
}

/** RFC 4616 §2: `[authzid] NUL authcid NUL passwd`. */
function parsePlain(message: string): PlainMessage {
  const [authzid = '', username = '', password = '', ...rest] = message.split('\0')
  if (username === '' || password === '' || rest.length > 0)
    throw new SaslFailure('malformed-request', 'The PLAIN message is not of three parts.')
  return { authzid, username, password }
}
