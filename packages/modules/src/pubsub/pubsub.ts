import {
  defineModule,
  isTo,
  type ModuleContext,
  maySeePresence,
  NS_CAPS,
  NS_CAPS2,
  type PubsubPort,
  relationTo,
  rosterOf,
  type Scope,
  type ServiceDefinition,
  type Session,
  type XmppModule,
  xep,
} from '@tactus/core'
import { domainpart, isFull } from '@tactus/jid'
import {
  isRequest,
  NS_ARCHIVE,
  NS_ARCHIVE_EXTENDED,
  NS_COMMANDS,
  NS_DATA_FORMS,
  NS_DISCO_INFO,
  NS_DISCO_ITEMS,
  NS_PUBLIC_SUBSCRIPTIONS,
  NS_RSM,
  orderFeatures,
} from '@tactus/stanza'
import { rosterStore } from '@tactus/storage'
import { requireKnown } from './access.ts'
import { endLease, leaseTimer, takeApproval } from './approval.ts'
import { archiveJob, askNodeArchive } from './archive.ts'
import { attachmentKinds } from './attachments/kinds.ts'
import { NS_ATTACHMENTS } from './attachments/names.ts'
import { NS_CACHING } from './caching.ts'
import { nodeCommands, serveCommands } from './commands.ts'
import { digestStore, digestTimer } from './digest.ts'
import { digestJob, sendDigest } from './digest-delivery.ts'
import { describeNode, visibleNodes } from './discovery.ts'
import { announced, dispatch } from './dispatch.ts'
import { expiryTimer } from './expiry.ts'
import { fetchJob } from './fetch.ts'
import { followersKind } from './followers/followers.ts'
import { farewellJob, sayFarewell } from './hosted/farewell.ts'
import { hostedService } from './hosted/hosted.ts'
import { placeOf } from './hosted/place.ts'
import { askedStore, grantStore, placesJob } from './hosted/places.ts'
import { waitingStore } from './hosted/quota.ts'
import { answerHosted, listHosted, NS_FILTER, receiveHosted } from './hosted/serve.ts'
import { type PubsubConfig, pubsubConfig } from './limits.ts'
import { listJob } from './lists.ts'
import { hostedMigration, orderMigration, pubsubMigration } from './migration.ts'
import { nodesFor } from './nodes.ts'
import { answerCommand, describeCommands } from './pending.ts'
import { accountService, askContacts, receiveRelayed, sendLastItems } from './pep/account.ts'
import { visitorStore } from './pep/elsewhere.ts'
import { type InterestState, Interests, interestState } from './pep/interests.ts'
import { stripPrivateEvents } from './pep/private-events.ts'
import { serveVisitors } from './pep/visits.ts'
import { agoIn, readArrival, relayedIn } from './pep/wire.ts'
import { expireItems } from './publish.ts'
import { findNode, type Service } from './service.ts'
import { itemStore, nodeStore, payloadStore, peopleStore, tables, usageStore } from './store.ts'
import { NS_VERSIONS } from './versions.ts'
import { webCommands } from './web/commands.ts'
import { NS_PUBSUB, NS_PUBSUB_OWNER, payloadOf } from './wire.ts'

const hosted = 'service:pubsub'

type Context = ModuleContext<PubsubConfig, InterestState, Record<never, never>>

/**
 * Publish-Subscribe, and every account as a service of its own: what somebody wants others to know, or to find again on
 * every device.
 *
 * @see {@link https://xmpp.org/extensions/xep-0060.html | XEP-0060}
 * @see {@link https://xmpp.org/extensions/xep-0163.html | XEP-0163}
 */
export const pubsub: XmppModule = defineModule({
  name: 'pubsub',
  implements: [
    xep('0060', '1.30.0', {
      status: 'partial',
      note: 'Without collections (XEP-0248), payment, and choice by presence (show-values): a service knows nobody’s presence. A digest is of one subscription, and holds as many items as go into one answer, the most recent. A service lists the nodes whose access model is open or authorize; of the others only those know that have their names. A stranger hears presence-subscription-required of all nodes of an account that are not open, of those that do not exist, and of accounts that do not exist.',
    }),
    xep('0163', '1.2.2', {
      status: 'partial',
      note: 'Contacts on other servers are notified whose presence the account gets, as it is by that that their wishes are known. Who has subscribed by a bare JID is told there, and not at the resources that want to know (§4.3.2); a resource of a contact here that has subscribed by itself is told twice if it wants to know as well. Nobody can subscribe to the account as the collection of its nodes (§5).',
    }),
    xep('0115', '1.6.0', {
      status: 'partial',
      note: 'Clients’ hashes are verified; the server has none of its own (a MAY of §6.3), and leaves them in all presence (§8.4, a MAY).',
    }),
    xep('0390', '0.3.2', {
      status: 'partial',
      note: 'Clients’ hashes are verified, SHA-2 and SHA-3; the server has none of its own, and answers no questions in a client’s place.',
    }),
    xep('0312', '0.3', {
      status: 'partial',
      note: 'Of accounts; a service knows nobody’s presence. As many notifications as go into one answer.',
    }),
    xep('0395', '0.2.0', {
      status: 'partial',
      note: 'Where the setting `versions` of the pubsub module has it, which is not the default: some clients fail at what tells versions. An empty value demands that there is no item.',
    }),
    xep('0413', '0.2.1'),
    xep('0442', '0.2.0', {
      status: 'partial',
      note: 'A node is its own archive: what was retracted or overwritten is not in it, and what is not kept never was.',
    }),
    xep('0460', '0.1.0', {
      status: 'partial',
      note: 'Owners choose neither that everything is told nor that a node may be suggested.',
    }),
    xep('0462', '0.1.1', {
      status: 'partial',
      note: 'At services; the nodes of an account are few, and are not filtered.',
    }),
    xep('0465', '0.1.1', {
      note: 'What an account follows is told where it subscribes by XEP-0376, as the specification has it; the node of it can be configured by the account.',
    }),
    xep('0470', '0.2.0', {
      status: 'partial',
      note: 'Whoever may read a node may attach to its items, also where only publishers publish; where subscribers do, only they. Names of nodes are taken in the spelling of XEP-0060 §12.21 only. Of attachments that are not specified there nothing is summed up.',
    }),
    xep('0222', '1.0'),
    xep('0223', '1.1.1'),
  ],
  features: {
    account: [
      NS_CAPS,
      NS_CAPS2,
      NS_COMMANDS,
      NS_PUBSUB,
      NS_ATTACHMENTS,
      NS_CACHING,
      NS_PUBLIC_SUBSCRIPTIONS,
      ...orderFeatures(NS_PUBSUB),
      ...announced(
        ...['auto-create', 'auto-subscribe', 'filtered-notifications', 'presence-subscribe'],
        ...['access-presence', 'access-roster', 'since'],
      ),
    ],
    // XEP-0115 §7, XEP-0390 §5.1: of the server as well, which does it for all accounts.
    domain: [NS_CAPS, NS_CAPS2],
    [hosted]: [
      NS_DISCO_INFO,
      NS_DISCO_ITEMS,
      NS_RSM,
      NS_ARCHIVE,
      NS_ARCHIVE_EXTENDED,
      NS_COMMANDS,
      ...orderFeatures(NS_ARCHIVE),
      NS_PUBSUB,
      NS_FILTER,
      NS_ATTACHMENTS,
      NS_CACHING,
      NS_PUBLIC_SUBSCRIPTIONS,
      ...orderFeatures(NS_PUBSUB),
      ...announced(),
    ],
  },
  session: interestState,
  stores: [
    nodeStore,
    itemStore,
    payloadStore,
    peopleStore,
    usageStore,
    digestStore,
    askedStore,
    grantStore,
    waitingStore,
    rosterStore,
    visitorStore,
  ],
  migrations: [pubsubMigration, hostedMigration, orderMigration],
  jobs: { archive: archiveJob, digest: digestJob, fetch: fetchJob, farewell: farewellJob },
  commands: [...nodeCommands, ...webCommands],
  config: pubsubConfig,

  setup(context) {
    const { hooks, session, config, isAdmin, pubsub: port } = context
    const interests = new Interests(session)
    const serviceOf = (scope: Scope): Service => {
      const { service: settings, ...limits } = config(scope.host)
      return scope.service
        ? hostedService(scope, { limits, settings, port, isAdmin })
        : accountService(scope, { limits, port, interests })
    }
    provideNodes(port, serviceOf)
    context.job('list', listJob(serviceOf))
    context.job(
      'places',
      placesJob(({ host }) => config(host).service),
    )
    serveHosted(context, serviceOf)
    serveAccounts(context, serviceOf)

    const greet = (scope: Scope, current: Session, names: readonly string[]): void => {
      const { jid, invisible, presence } = current
      const ago = presence && agoIn(presence.stanza)
      sendLastItems(serviceOf(scope), jid, { names, ago })
      if (invisible !== 'silent') askContacts(scope, { jid, names, ago })
    }
    hooks.on('presence.changed', ({ scope, session: current, before, after }) => {
      if (after && interests.announced(scope, current, before))
        greet(scope, current, interests.of(scope, current))
    })
    hooks.on('iq.answered', ({ scope, from, answer }) => {
      const own = scope.sessions().find(({ jid }) => jid === from)
      if (own) {
        if (interests.answered(scope, own, answer)) greet(scope, own, interests.of(scope, own))
        return
      }
      const content = relayedIn(answer)
      if (!content) return
      if (content.name === 'notify') receiveRelayed(scope, from, content, { interests, port })
      else if (isFull(from) && scope.serves(domainpart(from)))
        sendLastItems(serviceOf(scope), from, readArrival(content))
    })
    hooks.on('message.received', ({ scope, message }) => {
      if (message.hasChild('x', NS_DATA_FORMS)) takeApproval(serviceOf(scope), message)
    })
    // Who is let in learns what there is.
    hooks.on('roster.changed', ({ scope, contact, before }) => {
      if ((before && isTo(before)) || !isTo(relationTo(rosterOf(scope), contact))) return
      for (const current of scope.sessions())
        if (current.presence)
          askContacts(scope, { jid: current.jid, names: interests.of(scope, current), contact })
    })
    hooks.rewrite('message.receiving', (message, { scope }) =>
      stripPrivateEvents(message, scope, port),
    )

    serveVisitors(context, serviceOf, interests)
    watchTheClock(hooks, serviceOf)
    hooks.on('account.deleted', ({ scope }) => forget(scope))
  },
})

/** What other modules have of this one, and kinds of nodes of its own. */
function provideNodes(port: PubsubPort, serviceOf: (scope: Scope) => Service): void {
  const nodes = nodesFor(serviceOf)
  port.provide(nodes)
  for (const kind of [...attachmentKinds(serviceOf, nodes), followersKind]) port.type(kind)
}

/** Subscriptions and items end by themselves, and what was collected is told. */
function watchTheClock(hooks: Context['hooks'], serviceOf: (scope: Scope) => Service): void {
  hooks.timer(leaseTimer, ({ scope, data }) => endLease(serviceOf(scope), data))
  hooks.timer(digestTimer, ({ scope, data }) => sendDigest(serviceOf(scope), data))
  hooks.timer(expiryTimer, ({ scope, data }) => {
    const node = findNode(serviceOf(scope), data)
    if (node) expireItems(node)
  })
}

/** What every account answers as a service of its own. */
function serveAccounts(
  { iq, hooks, disco }: Pick<Context, 'iq' | 'hooks' | 'disco'>,
  serviceOf: (scope: Scope) => Service,
): void {
  for (const ns of [NS_PUBSUB, NS_PUBSUB_OWNER]) {
    iq.get('account', ns, 'pubsub', (request) => dispatch(serviceOf(request.scope), request))
    iq.set('account', ns, 'pubsub', (request) => dispatch(serviceOf(request.scope), request))
  }
  iq.set('account', NS_COMMANDS, 'command', (request) =>
    answerCommand(serviceOf(request.scope), request),
  )
  hooks.decide('account.missing', ({ scope, from, stanza }) => {
    const payload = isRequest(stanza) ? payloadOf(stanza) : undefined
    if (isRequest(stanza) && stanza.child(null, NS_ARCHIVE)?.attrs.node)
      requireKnown(serviceOf(scope), from)
    if (payload) dispatch(serviceOf(scope), { scope, from, stanza, payload, session: undefined })
  })

  // A guest publishes nothing: it would outlive the visit.
  disco.info('account', ({ host }) =>
    host.anonymous ? {} : { identities: [{ category: 'pubsub', type: 'pep' }] },
  )
  disco.items('account', ({ scope, from }) => visibleNodes(serviceOf(scope), from))
  // XEP-0060 §8.7
  disco.node('account', ({ scope, from, node }) =>
    maySeePresence(scope, from) ? describeCommands(serviceOf(scope), node) : undefined,
  )
  disco.node('account', ({ scope, from, node }) => describeNode(serviceOf(scope), node, from))
}

/** The service that a host has beside its accounts. */
function serveHosted(
  { iq, config, disco, services }: Pick<Context, 'iq' | 'config' | 'disco' | 'services'>,
  serviceOf: (scope: Scope) => Service,
): void {
  const definition: ServiceDefinition = {
    name: 'pubsub',
    title: 'Publish-Subscribe',
    subdomain: (host) => (!host.anonymous && config(host).service.subdomain) || undefined,
    placeOf,
    receive: (arriving) => receiveHosted(serviceOf, arriving),
  }
  services.add(definition)
  serveCommands(definition, serviceOf)
  for (const ns of [NS_PUBSUB, NS_PUBSUB_OWNER]) {
    iq.get(hosted, ns, 'pubsub', (request) => answerHosted(serviceOf, request))
    iq.set(hosted, ns, 'pubsub', (request) => answerHosted(serviceOf, request))
  }
  for (const name of ['query', 'metadata'])
    iq.get(hosted, NS_ARCHIVE, name, (request) => askNodeArchive(serviceOf(request.scope), request))
  iq.set(hosted, NS_ARCHIVE, 'query', (request) =>
    askNodeArchive(serviceOf(request.scope), request),
  )
  iq.get(hosted, NS_DISCO_ITEMS, 'query', (request) => listHosted(serviceOf, request))
  for (const target of ['account', hosted] as const)
    disco.info(target, ({ host }) => ({ features: config(host).versions ? [NS_VERSIONS] : [] }))
  disco.info(hosted, ({ host }) => ({
    identities: [{ category: 'pubsub', type: 'service', name: config(host).service.name }],
  }))
  iq.set(hosted, NS_COMMANDS, 'command', (request) =>
    answerCommand(serviceOf(request.scope), request),
  )
  disco.node(hosted, ({ scope, node }) => describeCommands(serviceOf(scope), node))
  disco.node(hosted, ({ scope, from, node }) => describeNode(serviceOf(scope), node, from))
}

function forget(scope: Scope): void {
  sayFarewell(scope)
  const { entity, turn } = scope
  turn.clear(nodeStore, tables.nodes, { entity })
  turn.clear(itemStore, tables.items, { entity })
  turn.clear(payloadStore, tables.payloads, { entity })
  turn.clear(peopleStore, tables.affiliations, { entity })
  turn.clear(peopleStore, tables.subscriptions, { entity })
  turn.clear(usageStore, usageStore.table, { entity })
}
