import { createHash, timingSafeEqual } from 'node:crypto'
import type { ComponentPermissions, ComponentSummary } from '@tactus/bus'
import { type Config, ConfigError } from '@tactus/config'
import type { Component, ComponentDirectory, HostDirectory } from '@tactus/core'
import { parseBareJid } from '@tactus/jid'
import { componentSecret, listComponents, type Reader } from '@tactus/storage'

/** What the directory is made from. */
export interface ComponentSources {
  readonly config: Config
  readonly hosts: HostDirectory
  readonly reader: Reader
  /** Whether the domain is a host's or one of a host's services, which go before a component's. */
  isTaken(domain: string): boolean
}

/** The components of the configuration file, and those that were added since. */
export class Components implements ComponentDirectory {
  readonly #sources: ComponentSources
  #configured: ReadonlyMap<string, Component> = new Map()
  #all: ReadonlyMap<string, Component> = new Map()

  constructor(sources: ComponentSources) {
    this.#sources = sources
  }

  /** Reads them the first time. @throws {ConfigError} for one that belongs to no host, or whose domain is taken */
  async start(): Promise<void> {
    this.#configured = configured(this.#sources)
    await this.refresh()
  }

  get(domain: string): Component | undefined {
    return this.#all.get(domain)
  }

  list(): readonly Component[] {
    return [...this.#all.values()]
  }

  /** What a connection manager must know of one. */
  summary({ domain, wait, permissions, delegations }: Component): ComponentSummary {
    return {
      domain,
      wait,
      ...(permissions && { permissions }),
      ...(delegations && { delegations }),
    }
  }

  /** Reads again what was added. */
  async refresh(): Promise<void> {
    const { reader, hosts, isTaken } = this.#sources
    const all = new Map<string, Component>()
    // Of two hosts that one is below the other the nearer one's holds.
    const stored = (await listComponents(reader)).toSorted((a, b) => a.host.length - b.host.length)
    for (const component of stored)
      if (hosts.get(component.host) && !isTaken(component.domain))
        all.set(component.domain, component)
    for (const [domain, component] of this.#configured) all.set(domain, component)
    this.#all = all
  }

  /**
   * Whether a component proved its domain (XEP-0114 §3): with the secret that stands in the database now, so that one
   * that was just added or removed need not wait.
   */
  async verify(domain: string, streamId: string, digest: string): Promise<boolean> {
    await this.refresh()
    const component = this.#all.get(domain)
    const secret = component && (await this.#secretOf(component))
    // What is not known takes as long as what is wrong.
    const wanted = createHash('sha1')
      .update(`${streamId}${secret ?? ''}`)
      .digest()
    const said = Buffer.from(digest.trim(), 'hex')
    return said.length === wanted.length && timingSafeEqual(said, wanted) && secret !== undefined
  }

  async #secretOf({ domain, host }: Component): Promise<string | undefined> {
    const { config, reader } = this.#sources
    if (!this.#configured.has(domain)) return await componentSecret(reader, { host, domain })
    const entry = Object.entries(config.components).find(([name]) => parseBareJid(name) === domain)
    return entry?.[1].secret.reveal()
  }
}

function configured({ config, hosts, isTaken }: ComponentSources): ReadonlyMap<string, Component> {
  const components = new Map<string, Component>()
  for (const [name, entry] of Object.entries(config.components)) {
    const { host, wait, permissions, delegations } = entry
    const domain = parseBareJid(name)
    const refuse = (message: string): never => {
      throw new ConfigError([{ origin: undefined, path: `components.${name}`, message }])
    }
    const owner = host === undefined ? hostAbove(hosts, domain) : hosts.get(parseBareJid(host))
    if (!owner)
      return refuse('belongs to no host: its domain is below none, so `host` must name one')
    if (isTaken(domain))
      return refuse('is a host, or one of its services; switch that off or choose another domain')
    const twice = delegatedTwice(components.values(), owner.name, Object.keys(delegations))
    if (twice !== undefined) refuse(twice)
    const isPrivileged = hasAny(permissions)
    const isManaging = Object.keys(delegations).length > 0
    components.set(domain, {
      domain,
      host: owner.name,
      wait,
      ...(isPrivileged && { permissions }),
      ...(isManaging && { delegations }),
    })
  }
  return components
}

/** XEP-0355: of the components of one host, one manages a namespace. What is wrong, where another does already. */
function delegatedTwice(
  components: Iterable<Component>,
  host: string,
  namespaces: readonly string[],
): string | undefined {
  for (const { domain, delegations, host: other } of components) {
    const namespace = namespaces.find((name) => host === other && delegations?.[name])
    if (namespace !== undefined)
      return `${namespace} is delegated to ${domain} already, and one component of a host manages a namespace; delegate others, or take it from one of the two`
  }
  return undefined
}

/** Who may nothing is a stranger as any other, and told nothing of which accounts there are. */
function hasAny({ roster, message, presence, iq }: ComponentPermissions): boolean {
  return [roster, message, presence, ...Object.values(iq)].some((access) => access !== 'none')
}

function hostAbove(hosts: HostDirectory, domain: string): { readonly name: string } | undefined {
  for (let dot = domain.indexOf('.'); dot > 0; dot = domain.indexOf('.', dot + 1)) {
    const host = hosts.get(domain.slice(dot + 1))
    if (host) return host
  }
  return undefined
}
