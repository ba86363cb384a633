import { partitionOf, partitionStream } from '@tactus/cluster'
import { JidError, makeJid } from '@tactus/jid'
import { encodeBase64, makeCredentials, SaslFailure, type ScramKeys } from '@tactus/sasl'
import { type StanzaCondition, StanzaError } from '@tactus/stanza'
import { CommandTimeout } from '../command-client.ts'
import type { Services } from '../services.ts'

/** What somebody unknown asked for. */
export interface RegistrationRequest {
  readonly host: string
  readonly username: string
  readonly password: string
}

const timeout = 10_000

/** What the owner's refusals are called on the wire. */
const conditions: Readonly<Record<string, StanzaCondition>> = {
  conflict: 'conflict',
  invalid: 'not-acceptable',
  'not-acceptable': 'not-acceptable',
  'not-allowed': 'not-allowed',
}

/**
 * Makes an account through its owner (XEP-0077 §3.1).
 *
 * The password stays here: what travels are the keys made of it.
 *
 * @throws {StanzaError}
 */
export async function register(
  services: Services,
  address: string,
  { host, username, password }: RegistrationRequest,
): Promise<void> {
  const { addresses, connections, metrics } = services
  const count = (outcome: string): void => metrics.registrations.with({ outcome }).inc()
  // Counted before anything is waited for: many at once are no way around the limit.
  if (!addresses.admitRegistration(address, connections.wheel.now)) {
    count('throttled')
    throw new StanzaError('resource-constraint', 'Too many registrations from your address.')
  }
  try {
    count(await make(services, { host, username, password }))
  } catch (error) {
    if (error instanceof CommandTimeout) {
      // It may have been made all the same, so it stays counted.
      count('timeout')
      throw new StanzaError('resource-constraint', undefined, { cause: error })
    }
    addresses.registrationFailed(address, connections.wheel.now)
    if (error instanceof Refusal) {
      count(error.code)
      throw new StanzaError(conditions[error.code] ?? 'internal-server-error')
    }
    throw error
  }
}

/** The owner made no account, and said why. */
class Refusal extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

async function make(
  { commands, env, settings }: Services,
  { host, username, password }: RegistrationRequest,
): Promise<'success'> {
  const jid = makeJid(username, host)
  const stream = partitionStream(partitionOf(jid, settings.partitions))
  const keys = await derive(password, (length) => env.random(length))
  const input = { jid, keys }
  const call = { entity: jid, stream, name: 'account.register', input, timeout }
  const result = await commands.call(call)
  if (!result.ok) throw new Refusal(result.error)
  return 'success'
}

/** Keys as the command takes them: JSON. */
interface EncodedKeys {
  readonly salt: string
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

function encode({ salt, iterations, storedKey, serverKey }: ScramKeys): EncodedKeys {
  return {
    salt: encodeBase64(salt),
    iterations,
    storedKey: encodeBase64(storedKey),
    serverKey: encodeBase64(serverKey),
  }
}

async function derive(
  password: string,
  random: (length: number) => Uint8Array,
): Promise<Readonly<Record<string, EncodedKeys>>> {
  try {
    const { keys } = await makeCredentials(password, { random })
    return Object.fromEntries(Object.entries(keys).map(([hash, key]) => [hash, encode(key)]))
  } catch (error) {
    if (error instanceof JidError)
      throw new StanzaError('not-acceptable', 'The password is not allowed.', { cause: error })
    if (error instanceof SaslFailure)
      throw new StanzaError('resource-constraint', undefined, { cause: error })
    throw error
  }
}
