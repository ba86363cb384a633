import { createHmac } from 'node:crypto'
import type { Config } from '@tactus/config'
import type { Env } from '@tactus/env'

/**
 * Derived, so that it is the same on all instances; without a cluster secret there is one instance, and what hangs on it
 * lasts as long as that does.
 */
export function secretFor(
  purpose: 'sasl-decoy' | 'dialback',
  { cluster }: Config,
  env: Env,
): Uint8Array {
  const secret = cluster.secret?.reveal()
  if (secret === undefined) return env.random(32)
  return createHmac('sha256', secret).update(purpose).digest()
}
