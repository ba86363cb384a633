import type { FederationPolicy } from '@tactus/bus'

/**
 * A virtual host (design §8): what the router needs to know of a domain that is served here.
 *
 * Hosts are data: the directory may change while the server runs, so look a host up when it is needed, keep none.
 */
export interface Host {
  readonly name: string
  readonly anonymous: boolean
  readonly registration: 'open' | 'closed'
  /** Settings of modules for this host, over the global ones; validated by each module's schema. */
  readonly modules: Readonly<Record<string, unknown>>
  /** With which other servers it speaks; none where absent. */
  readonly federation?: FederationPolicy
}

/** The hosts served by this cluster. */
export interface HostDirectory {
  get(domain: string): Host | undefined
  list(): readonly Host[]
}

/** A directory over a fixed list, as the configuration file gives it. */
export function hostDirectory(hosts: readonly Host[]): HostDirectory {
  const byName = new Map(hosts.map((host) => [host.name, host]))
  return { get: (domain) => byName.get(domain), list: () => [...byName.values()] }
}
