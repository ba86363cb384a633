import { type BareJid, localpart } from '@tactus/jid'
import { authorize } from './authorization.ts'
import { decodeUtf8, encodeBase64 } from './base64.ts'
import {
  decoyCredentials,
  digest,
  equalSecrets,
  type HashName,
  type ScramKeys,
} from './credentials.ts'
import {
  accountOf,
  emptyChallenge,
  type Mechanism,
  type SaslContext,
  type SaslStep,
} from './mechanism.ts'
import { SaslFailure } from './sasl-failure.ts'
import {
  type BindingFlag,
  type ClientFirst,
  parseClientFinal,
  parseClientFirst,
} from './scram-messages.ts'
import { isProven, serverSignature } from './scram-proof.ts'

// 144 bits; RFC 5802 leaves the size open, 128 is the floor for what must not repeat.
const nonceBytes = 18

/** Which member of the family runs. */
export interface ScramVariant {
  readonly name: string
  readonly hash: HashName
  readonly plus: boolean
}

/** Between the two messages of the client. */
interface Exchange {
  readonly first: ClientFirst
  readonly account: BareJid | undefined
  readonly keys: ScramKeys
  readonly known: boolean
  readonly disabled: boolean
  readonly nonce: string
  readonly serverFirst: string
  /** What `c=` must hold: the GS2 header and the data of the channel binding. */
  readonly expectedBinding: Uint8Array
}

/**
 * The server side of SCRAM (RFC 5802, RFC 7677): each side proves that it knows the keys, neither
 * shows them.
 *
 * An unknown account goes through the whole exchange with a decoy, and fails where a wrong
 * password would.
 */
export class ScramMechanism implements Mechanism {
  readonly name: string
  readonly #variant: ScramVariant
  readonly #context: SaslContext
  #state: 'first' | 'done' | Exchange = 'first'

  constructor(variant: ScramVariant, context: SaslContext) {
    this.name = variant.name
    this.#variant = variant
    this.#context = context
  }

  async step(data: Uint8Array | undefined): Promise<SaslStep> {
    const state = this.#state
    if (state === 'first' && data === undefined) return emptyChallenge
    this.#state = 'done'
    if (state === 'done' || data === undefined) throw new SaslFailure('malformed-request')
    if (state !== 'first') return this.#finish(state, decodeUtf8(data))
    const exchange = await this.#begin(parseClientFirst(decodeUtf8(data)))
    this.#state = exchange
    return { challenge: Buffer.from(exchange.serverFirst) }
  }

  async #begin(first: ClientFirst): Promise<Exchange> {
    const { host, random, decoySecret, decoyIterations } = this.#context
    const { hash } = this.#variant
    const expectedBinding = Buffer.concat([
      Buffer.from(first.gs2Header),
      this.#bindingData(first.binding),
    ])
    const account = accountOf(first.username, host)
    const username = account ? (localpart(account) ?? '') : first.username
    const credentials = account ? await this.#context.lookup(username) : undefined
    const decoy = decoyCredentials({ secret: decoySecret, username, iterations: decoyIterations })
    const real = credentials?.keys[hash]
    const keys = real ?? decoy.keys[hash]
    const nonce = first.nonce + encodeBase64(random(nonceBytes))
    return {
      first,
      account,
      keys,
      known: real !== undefined,
      disabled: credentials?.disabled === true,
      nonce,
      serverFirst: this.#serverFirst(nonce, keys),
      expectedBinding,
    }
  }

  #serverFirst(nonce: string, keys: ScramKeys): string {
    const { offered, downgradeProtection } = this.#context
    const message = `r=${nonce},s=${encodeBase64(keys.salt)},i=${keys.iterations}`
    if (!downgradeProtection) return message
    const advertised = downgradeHash(this.#variant.hash, offered, downgradeProtection.bindings)
    return `${message},h=${advertised}`
  }

  /** RFC 5802 §6: what the flag of the client means for this variant. */
  #bindingData(binding: BindingFlag): Uint8Array {
    const { plus } = this.#variant
    if (plus !== (binding.flag === 'p'))
      throw new SaslFailure(
        'malformed-request',
        'The channel binding flag contradicts the mechanism.',
      )
    if (binding.flag === 'p') return this.#dataOf(binding.name)
    // The client saw no -PLUS although we offered it: somebody between us took it out.
    if (binding.flag === 'y' && this.#context.offered.some((name) => name.endsWith('-PLUS')))
      throw new SaslFailure('not-authorized', 'The offer of channel binding was removed.', {
        guessed: false,
      })
    return new Uint8Array()
  }

  #dataOf(bindingName: string): Uint8Array {
    const binding = this.#context.bindings.find(({ type }) => type === bindingName)
    if (!binding)
      throw new SaslFailure('not-authorized', 'The channel binding type is unsupported.', {
        guessed: false,
      })
    return binding.data
  }

  #finish(exchange: Exchange, message: string): SaslStep {
    const { first, account, keys, known, disabled, nonce, serverFirst } = exchange
    const { hash } = this.#variant
    const final = parseClientFinal(message)
    const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`
    const proven = isProven(hash, keys, authMessage, final.proof)
    const bound = equalSecrets(final.bindingData, exchange.expectedBinding)
    const username = account && localpart(account)
    if (!proven || !bound || final.nonce !== nonce || !known || !account || !username)
      throw new SaslFailure('not-authorized')
    if (disabled) throw new SaslFailure('account-disabled')
    authorize(first.authzid, account)
    const signature = serverSignature(hash, keys, authMessage)
    return { success: { username, data: Buffer.from(`v=${encodeBase64(signature)}`) } }
  }
}

/** XEP-0474 §5.1: the lists as advertised, sorted by octets, separated by control characters. */
function downgradeHash(
  hash: HashName,
  mechanisms: readonly string[],
  bindings: readonly string[] | undefined,
): string {
  const list = mechanisms.toSorted().join('\x1e')
  const advertised = bindings ? `${list}\x1f${bindings.toSorted().join('\x1e')}` : list
  return encodeBase64(digest(hash, advertised))
}
