import { createHash } from 'node:crypto'
import { parseBareJid } from '@tactus/jid'
import {
  type ChannelBinding,
  type Credentials,
  makeCredentials,
  offeredMechanisms,
  type SaslContext,
} from '../src/index.ts'

/** A reproducible stream of octets. */
export function counterBytes(): (n: number) => Uint8Array {
  let count = 0
  return (n) => createHash('sha512').update(String(count++)).digest().subarray(0, n)
}

export const exporter: ChannelBinding = { type: 'tls-exporter', data: Buffer.alloc(32, 7) }
export const endPoint: ChannelBinding = { type: 'tls-server-end-point', data: Buffer.alloc(32, 9) }

const random = counterBytes()
const iterations = 64

/** Romeo can log in, Tybalt is banned, the Nurse was imported with SHA-1 keys alone. */
export const accounts: ReadonlyMap<string, Credentials> = new Map([
  ['romeo', await makeCredentials('0mi0', { random, iterations })],
  ['a,b=c', await makeCredentials('comma', { random, iterations })],
  ['tybalt', { ...(await makeCredentials('v1lla1n', { random, iterations })), disabled: true }],
  ['nurse', await makeCredentials('peter!', { random, iterations, hashes: ['sha-1'] })],
])

export const everyMechanism = offeredMechanisms({
  encrypted: true,
  bindings: [exporter, endPoint],
  external: true,
  anonymous: true,
})

/** The context of a TLS stream to montague.example that offers everything. */
export function contextWith(changes: Partial<SaslContext> = {}): SaslContext {
  return {
    host: 'montague.example',
    offered: everyMechanism,
    bindings: [exporter, endPoint],
    decoySecret: Buffer.from('decoy'),
    decoyIterations: iterations,
    random: counterBytes(),
    lookup: async (username) => accounts.get(username),
    external: async () => parseBareJid('romeo@montague.example'),
    anonymous: () => 'romeo',
    ...changes,
  }
}
