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
