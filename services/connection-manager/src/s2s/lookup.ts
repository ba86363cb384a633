import type { RemoteTarget } from '@tactus/bus'
import { isPrivate } from './private-addresses.ts'
import { findTargets, type Resolver } from './targets.ts'

/** What the DNS says of a domain's servers. @throws {Error} where it says nothing */
export async function lookUp(
  domain: string,
  options: {
    readonly resolver: Resolver
    readonly chance: () => number
    readonly port: number
    readonly allowPrivate: boolean
  },
): Promise<readonly RemoteTarget[]> {
  const targets = await findTargets(domain, options.port, options)
  return await Promise.all(
    targets.map(async ({ host, port, direct, secure }) => {
      const addresses = await options.resolver.addresses(host)
      const isRefused = (address: string): boolean => !options.allowPrivate && isPrivate(address)
      return {
        host,
        port,
        direct,
        secure,
        addresses: addresses.filter((address) => !isRefused(address)),
        refused: addresses.filter(isRefused),
      }
    }),
  )
}
