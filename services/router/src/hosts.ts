import type { Config } from '@tactus/config'
import { type Host, type HostDirectory, hostDirectory } from '@tactus/core'
import { type BareJid, parseBareJid } from '@tactus/jid'

/** The hosts that the configuration file declares (design §8). */
export function configuredHosts(config: Config): HostDirectory {
  const hosts = Object.entries(config.hosts).map(
    ([name, host]): Host => ({
      name: parseBareJid(name),
      anonymous: host.auth.anonymous,
      registration: host.registration.policy,
      modules: host.modules,
      federation: {
        mode: host.federation.policy ?? (host.auth.anonymous ? 'off' : 'open'),
        domains: host.federation.domains,
        dialback: host.federation.dialback,
      },
    }),
  )
  return hostDirectory(hosts)
}

/** Tells the accounts that may administer the whole cluster. */
export function configuredAdmins(config: Config): (account: BareJid) => boolean {
  const admins = new Set<BareJid>(config.admins.map(parseBareJid))
  return (account) => admins.has(account)
}
