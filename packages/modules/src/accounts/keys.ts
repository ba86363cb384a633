import { type AccountKeys, type CallerSide, CommandError } from '@tactus/core'
import { JidError } from '@tactus/jid'
import { type HashName, makeCredentials, makeCredentialsSync } from '@tactus/sasl'
import { z } from 'zod'
import { accountJid } from './jids.ts'

const bytes = z.base64().max(256)
const hashName = z.enum(['sha-1', 'sha-256', 'sha-512'])

/** Keys as a command carries them. */
export type KeysInput = Partial<Record<HashName, KeyInput>>
interface KeyInput {
  readonly salt: string
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

/** Keys as a command carries them: JSON, octets in base64. */
export const keysInput: z.ZodType<KeysInput, KeysInput> = z
  .partialRecord(
    hashName,
    z.strictObject({
      salt: bytes,
      iterations: z.int().min(4_096).max(10_000_000),
      storedKey: bytes,
      serverKey: bytes,
    }),
  )
  .meta({ description: 'Salted keys of the password by hash function (RFC 5802 §3).' })

/** Who, and with which keys. */
export const keyedInput: z.ZodObject<{ jid: typeof accountJid; keys: typeof keysInput }> = z.object(
  {
    jid: accountJid,
    keys: keysInput,
  },
)

const form: z.ZodObject<{ jid: typeof accountJid; password: z.ZodString }> = z.object({
  jid: accountJid,
  password: z
    .string()
    .min(1, { error: 'must not be empty' })
    .max(1_023, { error: 'has at most 1023 characters' })
    .meta({ description: 'The password.', secret: true }),
})

/**
 * Turns a password into keys where it was typed, so that it never travels on the bus, and the slow derivation holds up
 * no step. Used by tactusctl, the API and connection managers.
 */
export const derivedByCaller: CallerSide<z.output<typeof form>, z.input<typeof keyedInput>> = {
  form,
  async prepare({ jid, password }, { random }) {
    try {
      const { keys } = await makeCredentials(password, { random })
      return { jid, keys: encodeKeys(keys) }
    } catch (error) {
      throw asProblem(error)
    }
  },
  prepareNow({ jid, password }, { random }) {
    try {
      return { jid, keys: encodeKeys(makeCredentialsSync(password, { random }).keys) }
    } catch (error) {
      throw asProblem(error)
    }
  },
}

function asProblem(error: unknown): unknown {
  return error instanceof JidError
    ? new CommandError('invalid', `password: ${error.message}`)
    : error
}

/** The account's keys that a command brought. */
export function decodeKeys(input: KeysInput): AccountKeys {
  const keys: Record<string, AccountKeys[string]> = {}
  for (const [hash, { salt, iterations, storedKey, serverKey }] of Object.entries(input))
    keys[hash] = {
      iterations,
      salt: decode(salt),
      storedKey: decode(storedKey),
      serverKey: decode(serverKey),
    }
  return keys
}

function encodeKeys(keys: AccountKeys): KeysInput {
  const input: KeysInput = {}
  for (const [hash, { salt, iterations, storedKey, serverKey }] of Object.entries(keys))
    input[hashName.parse(hash)] = {
      iterations,
      salt: encode(salt),
      storedKey: encode(storedKey),
      serverKey: encode(serverKey),
    }
  return input
}

const encode = (octets: Uint8Array): string => Buffer.from(octets).toString('base64')
const decode = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
