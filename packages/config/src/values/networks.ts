import { isIP } from 'node:net'
import { textValue } from './kind.ts'

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address; undefined for anything else. */
export function parseNetwork(input: unknown): string | undefined {
  if (typeof input !== 'string') return undefined
  const [address = '', length, ...more] = input.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  if (isIP(address) === 0 || address.includes('%') || more.length > 0) return undefined
  if (length === undefined) return `${address}/${bits}`
  return /^\d{1,3}$/.test(length) && Number(length) <= bits ? input : undefined
}

const isNothing = (input: unknown): boolean => input === false || input === 'off' || input === ''

function parseNetworks(input: unknown): readonly string[] | undefined {
  if (isNothing(input)) return []
  const items = typeof input === 'string' ? input.split(/, */) : [input].flat()
  const networks = items.map(parseNetwork)
  return networks.every((network) => network !== undefined) ? networks : undefined
}

/** Ranges of addresses, each written `address/bits`. */
export const networksValue = textValue(
  {
    name: 'network',
    expected: 'a range such as 10.0.0.0/8 or fd00::/8, an address, a list, or off',
    json: {
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }, { const: false }],
    },
  },
  parseNetworks,
)

/** Ranges of addresses, with a default. */
export const networks = (fallback: string) => networksValue.prefault(fallback)
