import type { PubsubPort, Scope } from '@tactus/core'
import { type BareJid, bare, domainpart } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { followPublicly } from '../followers/followers.ts'
import type { Limits, Service } from '../service.ts'
import type { HostedSettings } from './config.ts'

/** What the nodes of services are made with. */
export interface HostedParts {
  readonly limits: Limits
  readonly settings: HostedSettings
  readonly port: PubsubPort
  isAdmin(account: BareJid): boolean
}

/**
 * A pubsub service on a domain of its own (XEP-0060), as one of its nodes sees it, or what is asked of it as a whole.
 *
 * Every node is an entity: see `entityOfNode`.
 */
export function hostedService(scope: Scope, parts: HostedParts): Service {
  const { limits, settings, port, isAdmin } = parts
  const address = scope.service?.domain ?? scope.entity
  return {
    scope,
    limits: { ...limits, bytes: settings.nodeBytes },
    port,
    address,
    owner: undefined,
    autoCreate: false,
    // What was published stays until its owner says otherwise; presence is not known here.
    defaults: {
      'pubsub#access_model': 'open',
      'pubsub#max_items': 'max',
      'pubsub#send_last_published_item': 'on_sub',
      'pubsub#notify_retract': true,
    },
    administers: (jid) => isAdmin(bare(jid)),
    sharesPresence: () => false,
    groupsOf: () => [],
    announce() {},
    peopleChanged: followPublicly,

    requireCreator(jid) {
      const { creation } = settings
      const isLocal = domainpart(jid) === scope.host.name
      if (isAdmin(bare(jid)) || creation === 'everyone' || (creation === 'local' && isLocal)) return
      throw new StanzaError('forbidden')
    },

    // The service as a whole has counted before: see quota.ts.
    requireRoom() {},
  }
}

/** An address that a request to the service as a whole comes with; nodes have none of their own. */
export function isWhole({ entity, service }: Scope): boolean {
  return entity === service?.domain
}
