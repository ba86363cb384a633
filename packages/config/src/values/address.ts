import { textValue } from './kind.ts'

/** Where a socket listens; without a host, on every address of the machine. */
export interface Address {
  readonly host: string | undefined
  /** 0 lets the system choose. */
  readonly port: number
}

const forms = [
  /^(?<port>\d+)$/,
  /^\*:(?<port>\d+)$/,
  /^\[(?<host>[0-9a-fA-F:.]+(?:%[\w.-]+)?)\]:(?<port>\d+)$/,
  /^(?<host>[\w.-]+):(?<port>\d+)$/,
]

/** Reads `5222`, `127.0.0.1:5222` or `[::1]:5222`; undefined for anything else. */
export function parseAddress(input: unknown): Address | undefined {
  if (typeof input !== 'number' && typeof input !== 'string') return undefined
  for (const form of forms) {
    const groups = form.exec(String(input))?.groups
    if (!groups) continue
    const port = Number(groups.port)
    return port <= 65_535 ? { host: groups.host, port } : undefined
  }
  return undefined
}

/** Writes an address the way `parseAddress` reads it. */
export function formatAddress({ host, port }: Address): string {
  if (host === undefined) return String(port)
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

const isNothing = (input: unknown): boolean => input === false || input === 'off' || input === ''

function parseAddresses(input: unknown): readonly Address[] | undefined {
  if (isNothing(input)) return []
  const items = typeof input === 'string' ? input.split(/, */) : [input].flat()
  const addresses = items.map(parseAddress)
  return addresses.every((address) => address !== undefined) ? addresses : undefined
}

const one = { anyOf: [{ type: 'integer', minimum: 0, maximum: 65_535 }, { type: 'string' }] }

/** Where to listen: one address, several of them, or `off` (an empty list). */
export const addressesValue = textValue(
  {
    name: 'address',
    expected: 'a port or an address such as 5222, 127.0.0.1:5222 or [::1]:5222, a list, or off',
    json: { anyOf: [...one.anyOf, { type: 'array', items: one }, { const: false }] },
  },
  parseAddresses,
)

/** Where to listen, with a default. */
export const addresses = (fallback: string) => addressesValue.prefault(fallback)
