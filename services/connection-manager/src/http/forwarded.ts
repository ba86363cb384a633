import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { plainAddress } from '../door/networks.ts'

/** Who asks, as far as it can be believed. */
export interface Client {
  readonly address: string
  /** Whether it has TLS, up to a proxy that is trusted. */
  readonly isSecure: boolean
}

/**
 * Whom a request comes from: the last address in `X-Forwarded-For` that no trusted proxy has.
 *
 * SECURITY: what an untrusted peer says of others is not believed, and what stands before it in the
 * header neither: anybody can have written that.
 */
export function clientOf(
  headers: IncomingHttpHeaders,
  peer: { readonly address: string; readonly isSecure: boolean },
  isTrusted: (address: string) => boolean,
): Client {
  if (!isTrusted(peer.address)) return peer
  const proto = words(headers['x-forwarded-proto']).at(-1)
  const isSecure = proto === undefined ? peer.isSecure : proto.toLowerCase() === 'https'
  const chain = words(headers['x-forwarded-for'])
  let address = peer.address
  while (isTrusted(address)) {
    const next = chain.pop()
    const before = next === undefined ? undefined : addressIn(next)
    if (before === undefined) break
    address = before
  }
  return { address, isSecure }
}

function words(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '')
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

/** An address, with or without a port; undefined for `unknown` and names. */
function addressIn(word: string): string | undefined {
  const bare = /^\[(.+)\](?::\d+)?$/.exec(word)?.[1] ?? /^([\d.]+):\d+$/.exec(word)?.[1] ?? word
  return isIP(bare) === 0 ? undefined : plainAddress(bare)
}
