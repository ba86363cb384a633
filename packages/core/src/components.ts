import type { ComponentAccess, ComponentDelegations, ComponentPermissions } from '@tactus/bus'
import { domainpart, type Jid } from '@tactus/jid'

/**
 * An external component (XEP-0114): a domain of a host whose stanzas somebody else's process takes, over a connection to
 * any connection manager.
 */
export interface Component {
  readonly domain: string
  /** The host that it belongs to: whose policy of federation holds for it. */
  readonly host: string
  /** Milliseconds that a stanza waits for it while it is away. */
  readonly wait: number
  /** What it may do as a privileged entity; absent where it may do nothing. */
  readonly permissions?: ComponentPermissions
  /** What it answers in its host's place (XEP-0355). */
  readonly delegations?: ComponentDelegations
}

/**
 * The components of this cluster. Like hosts they may change while the server runs: look one up when it is needed.
 */
export interface ComponentDirectory {
  get(domain: string): Component | undefined
  list(): readonly Component[]
}

/** A directory over a fixed list. */
export function componentDirectory(components: readonly Component[]): ComponentDirectory {
  const byDomain = new Map(components.map((component) => [component.domain, component]))
  return { get: (domain) => byDomain.get(domain), list: () => [...byDomain.values()] }
}

/**
 * What the sender of a stanza may do with the accounts of a host as a privileged entity (XEP-0356); undefined for whoever
 * is none. Only the component's own domain is one, nobody at it.
 */
export function permissionsOf(
  components: ComponentDirectory,
  from: Jid,
  host: string,
): ComponentPermissions | undefined {
  const component = components.get(from)
  return component?.domain === domainpart(from) && component.host === host
    ? component.permissions
    : undefined
}

/** Whether an access covers requests of this type. */
export function covers(access: ComponentAccess | undefined, type: string | undefined): boolean {
  return (type === 'get' || type === 'set') && (access === type || access === 'both')
}
