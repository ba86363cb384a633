import { type BareJid, bare, type Jid, localpart } from '@tactus/jid'
import type { Stanza } from '@tactus/xml'
import type { Host, HostDirectory } from './hosts.ts'
import type { Target } from './module.ts'
import type { Scope } from './scope.ts'

/** A stanza that reached something on a service's domain: the service itself, what lives there, or somebody in it. */
export interface ServiceStanza {
  readonly scope: Scope
  readonly from: Jid
  readonly to: Jid
  readonly stanza: Stanza
  /** The stanza's id, made in the sender's half and the same in every repeat (design §3.4). */
  readonly id: string
  /** When the sender's half ran, ms. */
  readonly at: number
}

/**
 * A service on a domain of its own below a host's: rooms, pubsub, a user directory. What lives there (`room@…`) and the
 * service itself are entities like accounts: one writer, state of their own, timers and jobs.
 */
export interface ServiceDefinition {
  /** Names its targets: `service:<name>` is the domain itself, `entity:<name>` whatever has a localpart there. */
  readonly name: string
  /** What people call it, for disco#items of the host. */
  readonly title: string
  /** What stands before the host's name; undefined where this host has no such service. */
  subdomain(host: Host): string | undefined
  /**
   * Takes messages and presence for anything there, and IQs of any type for full JIDs. Requests to bare JIDs go to the
   * handlers of its targets, answers to the fact `iq.answered`. Refuse by throwing StanzaError: the sender gets it.
   */
  receive(arriving: ServiceStanza): void
  /**
   * Which of the entities below the service takes a stanza that is for the service's own address: their localpart. So what
   * a service holds is spread over partitions, though people know one address only. Undefined for what the service takes
   * itself. Asked in the sender's half, or where a stanza from elsewhere arrives; it is pure, and does not throw.
   */
  placeOf?(stanza: Stanza): string | undefined
}

/** A service of one host. */
export interface Service {
  readonly name: string
  readonly title: string
  readonly domain: BareJid
  readonly definition: ServiceDefinition
}

/** Whose a domain is: a host's own, or a service's of that host. */
export interface Served {
  readonly host: Host
  readonly service: Service | undefined
}

/** The domains that are served here: hosts, and below them the services that modules added. */
export class Domains {
  readonly #hosts: HostDirectory
  readonly #services = new Map<string, ServiceDefinition>()

  constructor(hosts: HostDirectory) {
    this.#hosts = hosts
  }

  /** @throws {Error} when a service of that name is there already */
  add(definition: ServiceDefinition): void {
    if (this.#services.has(definition.name))
      throw new Error(`two modules add a service called ${definition.name}`)
    this.#services.set(definition.name, definition)
  }

  /** Undefined for a domain that is not served here. A host goes before a service of the same name. */
  get(domain: string): Served | undefined {
    const own = this.#hosts.get(domain)
    if (own) return { host: own, service: undefined }
    for (let dot = domain.indexOf('.'); dot > 0; dot = domain.indexOf('.', dot + 1)) {
      const host = this.#hosts.get(domain.slice(dot + 1))
      const service = host && this.#find(host, domain.slice(0, dot))
      if (service) return { host, service }
    }
    return undefined
  }

  /** The services of a host. */
  of(host: Host): readonly Service[] {
    return [...this.#services.values()].flatMap((definition) => {
      const subdomain = definition.subdomain(host)
      return subdomain === undefined ? [] : [toService(definition, subdomain, host)]
    })
  }

  #find(host: Host, subdomain: string): Service | undefined {
    for (const definition of this.#services.values())
      if (definition.subdomain(host) === subdomain) return toService(definition, subdomain, host)
    return undefined
  }
}

/** What answers requests for a bare JID of a service. */
export function targetOf(service: Service, jid: Jid): Target {
  return `${localpart(jid) === undefined ? 'service' : 'entity'}:${service.name}`
}

/** The entity that a stanza for an address of the service is handled by. */
export function entityFor(service: Service | undefined, to: Jid, stanza: Stanza): BareJid {
  const place = to === service?.domain ? service.definition.placeOf?.(stanza) : undefined
  return place === undefined ? bare(to) : (`${place}@${bare(to)}` as BareJid)
}

function toService(definition: ServiceDefinition, subdomain: string, host: Host): Service {
  const { name, title } = definition
  return { name, title, domain: `${subdomain}.${host.name}` as BareJid, definition }
}
