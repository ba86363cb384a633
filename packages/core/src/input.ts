import { createHash } from 'node:crypto'
import type { Input } from '@tactus/cluster'

/** Passages a stanza may make before it counts as a loop (design §3.10). */
const maxHops = 16

/** Passages left for what an input makes. */
export function inputHops(input: Input): number {
  return 'hops' in input ? input.hops - 1 : maxHops
}

/** A public, repeatable tag of a command's secret source. */
export function commandTag(source: string): string {
  return createHash('sha256').update(source).digest('base64url').slice(0, 16)
}
