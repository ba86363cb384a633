import { AnonymousMechanism } from './anonymous.ts'
import type { HashName } from './credentials.ts'
import { ExternalMechanism } from './external.ts'
import type { ChannelBinding, Mechanism, SaslContext } from './mechanism.ts'
import { PlainMechanism } from './plain.ts'
import { SaslFailure } from './sasl-failure.ts'
import { ScramMechanism, type ScramVariant } from './scram.ts'

const strongestFirst: readonly HashName[] = ['sha-512', 'sha-256', 'sha-1']

const scramVariants: ReadonlyMap<string, ScramVariant> = new Map(
  [true, false].flatMap((plus) =>
    strongestFirst.map((hash) => {
      const name = scramName(hash, plus)
      return [name, { name, hash, plus }] as const
    }),
  ),
)

/** What decides which mechanisms a stream offers. */
export interface OfferPolicy {
  /** Whether the stream runs inside TLS. */
  readonly encrypted: boolean
  /** Whether the host says that passwords may cross an unencrypted stream. */
  readonly plaintextAllowed?: boolean
  readonly bindings: readonly ChannelBinding[]
  /** Hashes that accounts of the host have keys of; all when absent. */
  readonly hashes?: readonly HashName[]
  /** Whether to offer PLAIN; yes when absent. */
  readonly plain?: boolean
  /** Whether the peer showed a certificate that EXTERNAL could accept. */
  readonly external?: boolean
  readonly anonymous?: boolean
}

/**
 * The mechanisms to put into the stream features, strongest first.
 *
 * Those with channel binding come before all others: they alone notice a man in the middle who
 * holds a valid certificate. Without TLS nothing is offered unless the host allows it.
 */
export function offeredMechanisms(policy: OfferPolicy): string[] {
  const { encrypted, plaintextAllowed = false, bindings, plain = true } = policy
  if (!encrypted && !plaintextAllowed) return []
  const hashes = strongestFirst.filter((hash) => policy.hashes?.includes(hash) ?? true)
  const withBinding = bindings.length > 0 ? hashes.map((hash) => scramName(hash, true)) : []
  const others: readonly [string, boolean][] = [
    ['PLAIN', plain],
    ['ANONYMOUS', policy.anonymous === true],
  ]
  return [
    ...(policy.external ? ['EXTERNAL'] : []),
    ...withBinding,
    ...hashes.map((hash) => scramName(hash, false)),
    ...others.filter(([, offered]) => offered).map(([name]) => name),
  ]
}

/**
 * Starts one run of a mechanism that this stream offered.
 *
 * @throws {SaslFailure} `invalid-mechanism` when it was not offered, whatever else it is.
 */
export function createMechanism(name: string, context: SaslContext): Mechanism {
  const mechanism = context.offered.includes(name) ? build(name, context) : undefined
  if (!mechanism) throw new SaslFailure('invalid-mechanism')
  return mechanism
}

function build(name: string, context: SaslContext): Mechanism | undefined {
  const variant = scramVariants.get(name)
  if (variant) return new ScramMechanism(variant, context)
  if (name === 'PLAIN') return new PlainMechanism(context)
  if (name === 'EXTERNAL' && context.external)
    return new ExternalMechanism(context, context.external.bind(context))
  if (name === 'ANONYMOUS' && context.anonymous)
    return new AnonymousMechanism(context.anonymous.bind(context))
  return undefined
}

function scramName(hash: HashName, plus: boolean): string {
  return `SCRAM-${hash.toUpperCase()}${plus ? '-PLUS' : ''}`
}
