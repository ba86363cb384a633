import type { Config } from '@tactus/config'
import { type Host, type HostDirectory, hostDirectory } from '@tactus/core'
import { type BareJid, parseBareJid } from '@tactus/jid'
import { listGate, type Reader } from '@tactus/storage'

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
        posh: host.federation.posh,
        tellsPosh: host.federation.tellPosh,
      },
    }),
  )
  return hostDirectory(hosts)
}

/** The hosts, each with the domains that are banned from it at present. */
export class GuardedHosts implements HostDirectory {
  readonly #hosts: HostDirectory
  #guarded: HostDirectory

  constructor(hosts: HostDirectory) {
    this.#hosts = hosts
    this.#guarded = hosts
  }

  get(domain: string): Host | undefined {
    return this.#guarded.get(domain)
  }

  list(): readonly Host[] {
    return this.#guarded.list()
  }

  /** Reads again who is banned. */
  async refresh(reader: Reader, now: number): Promise<void> {
    const entries = (await listGate(reader)).filter(
      ({ kind, until }) => kind === 'blocked' && (until === undefined || until > now),
    )
    const byHost = Map.groupBy(entries, ({ host }) => host)
    const guarded = this.#hosts.list().map((host): Host => {
      const blocked = (byHost.get(host.name) ?? []).map(({ domain }) => domain)
      const { federation } = host
      return federation && blocked.length > 0
        ? { ...host, federation: { ...federation, blocked } }
        : host
    })
    this.#guarded = hostDirectory(guarded)
  }
}

/** Tells the accounts that may administer the whole cluster. */
export function configuredAdmins(config: Config): (account: BareJid) => boolean {
  const admins = new Set<BareJid>(config.admins.map(parseBareJid))
  return (account) => admins.has(account)
}
