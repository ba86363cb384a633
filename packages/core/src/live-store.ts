import type { LiveStore } from '@tactus/cluster'

/**
 * Declares live state whose values are plain data already.
 *
 * `decode` may be given to bring what an older release stored into the present shape.
 */
export function liveStore<T>(name: string, decode?: (stored: unknown) => T): LiveStore<T> {
  return {
    kind: 'live',
    name,
    decode: decode ?? ((stored) => stored as T),
    encode: (value) => value,
  }
}
