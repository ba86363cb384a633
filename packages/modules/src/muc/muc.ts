import {
  type DiscoNode,
  defineModule,
  type RoomFeature,
  type Scope,
  type ServiceDefinition,
  type ServiceStanza,
  type XmppModule,
  xep,
} from '@tactus/core'
import { bare, domainpart, isFull } from '@tactus/jid'
import {
  formElement,
  formTypeField,
  NS_COMMANDS,
  NS_DISCO_INFO,
  NS_DISCO_ITEMS,
  NS_RSM,
  NS_STANZA_IDS,
  presenceType,
  StanzaError,
} from '@tactus/stanza'
import {
  activityJob,
  hearMessage,
  hearPresence,
  NS_ACTIVITY,
  subscriptionStore,
} from './activity.ts'
import { changeList, readList, requireRoom } from './admin.ts'
import { affiliationLogStore } from './affiliation-log.ts'
import { roomCommands, serveCommands } from './commands.ts'
import { mucConfig } from './config.ts'
import { activity, visitStore, watcherStore } from './features/activity.ts'
import { maxOccupants, membersOnly, password } from './features/admission.ts'
import { affiliationVersions } from './features/affiliation-versions.ts'
import { avatar, NS_VCARD, readAvatar, roomCardStore, setAvatar } from './features/avatar.ts'
import { farewell, farewellJob, sayFarewell } from './features/farewell.ts'
import { hatCommandNode, runHatCommand } from './features/hat-commands.ts'
import { hats } from './features/hats.ts'
import { history } from './features/history.ts'
import { invitations } from './features/invitations.ts'
import { moderate, moderation, NS_MODERATE } from './features/moderation.ts'
import { occupantIds } from './features/occupant-ids.ts'
import { flapStore, pace, paceTimer, purseStore, settlePurses } from './features/pace.ts'
import {
  anonymity,
  memberList,
  persistence,
  presenceBroadcast,
  profile,
  publicity,
} from './features/profile.ts'
import {
  NS_REGISTER,
  offerRegistration,
  register,
  registration,
  reservedNick,
} from './features/registration.ts'
import { slowMode, spokenStore } from './features/slow-mode.ts'
import { subject } from './features/subject.ts'
import { drawName, NS_UNIQUE } from './features/unique-name.ts'
import { privateMessages, voice } from './features/voice.ts'
import { bePresent } from './join.ts'
import { leave, lose } from './leave.ts'
import { listingJob, startListing } from './listing.ts'
import {
  affiliationLogMigration,
  creatorMigration,
  listingMigration,
  mucMigration,
  temporaryMigration,
} from './migrations.ts'
import { nickStore, occupantStore } from './occupants.ts'
import { changeRoom, offerConfiguration } from './owner.ts'
import { passIq } from './private.ts'
import { initialSettings, type Rooms, RoomTurn } from './room.ts'
import { receiveMessage } from './speak.ts'
import { affiliationStore, historyStore, roomCountStore, roomStore } from './store.ts'
import { beginning, beginningStore, sweepJob } from './sweep.ts'
import { NS_MUC, NS_MUC_ADMIN, NS_MUC_OWNER, NS_ROOM_INFO } from './wire.ts'

const service = 'service:rooms'
const entity = 'entity:rooms'
const NS_STABLE_ID = 'http://jabber.org/protocol/muc#stable_id'
const NS_SELF_PING = 'http://jabber.org/protocol/muc#self-ping-optimization'

/**
 * Rooms: many who talk, under names that they choose.
 *
 * A room is an entity as an account is one: all that happens in it happens one after the other, in one place, and
 * everybody sees it in that order. Who is in it is live state, which outlives the router that keeps it; what it is and
 * what was said is in tables, and a room that nobody is in is nothing but rows. What rooms can do is made of features,
 * one of which each file in `features/` adds, as other modules may (`rooms.feature`).
 *
 * @see {@link https://xmpp.org/extensions/xep-0045.html | XEP-0045}
 */
export const muc: XmppModule = defineModule({
  name: 'muc',
  implements: [
    xep('0045', '1.35.5', {
      status: 'partial',
      note: 'Left out: codes 101 and 102 and approval of registrations by admins (§9.9), which are MAY (who registers is a member at once); 210, as no nickname is changed by the room; fast reconnect (XEP-0311), deferred since 2013 and known to no client: a session that is resumed (XEP-0198) misses nothing, and history is asked for by time or from the archive; 332, as no shutdown empties a room; muc#rooms and the traffic node, which clients answer. An invitation to an account that does not exist is not refused (§7.8.2 SHOULD), as that would tell who has one.',
    }),
    xep('0249', '1.2', {
      note: 'Mediated invitations carry a direct one; those between people need nothing of a server.',
    }),
    xep('0307', '0.1', { note: 'Deferred; clients draw a name themselves nowadays.' }),
    xep('0317', '0.3.1', {
      note: 'The hash of the list says nothing of who wears what; custom payloads of hats are not kept.',
    }),
    xep('0410', '1.1.0'),
    xep('0421', '1.0.1'),
    xep('0425', '0.3.0'),
    xep('0437', '0.2.0', {
      note: 'Of rooms in which the subscriber is a member. Each room tells for itself, so what happened before a subscription comes in several messages; it is known of rooms that keep a history.',
    }),
    xep('0463', '0.2.0', {
      note: 'Versions are told to those who asked for them when they came in and may read the lists; the banned are named to admins alone.',
    }),
    xep('0486', '0.1.0'),
    xep('0500', '0.1.1'),
  ],
  requires: ['presence', 'disco'],
  config: mucConfig,
  stores: [
    roomStore,
    affiliationStore,
    affiliationLogStore,
    historyStore,
    roomCountStore,
    occupantStore,
    nickStore,
    roomCardStore,
    spokenStore,
    purseStore,
    flapStore,
    beginningStore,
    subscriptionStore,
    watcherStore,
    visitStore,
  ],
  migrations: [
    mucMigration,
    roomCardStore.migration('0131-muc-card'),
    visitStore.migration('0152-muc-visit'),
    temporaryMigration,
    listingMigration,
    affiliationLogMigration,
    creatorMigration,
  ],
  commands: roomCommands,
  jobs: { list: listingJob, farewell: farewellJob, sweep: sweepJob, activity: activityJob },
  identities: { [service]: [{ category: 'conference', type: 'text' }] },
  features: {
    [service]: [NS_DISCO_INFO, NS_DISCO_ITEMS, NS_RSM, NS_MUC, NS_UNIQUE, NS_VCARD, NS_ACTIVITY],
    [entity]: [
      NS_DISCO_INFO,
      NS_DISCO_ITEMS,
      NS_COMMANDS,
      NS_MUC,
      NS_STABLE_ID,
      NS_STANZA_IDS,
      NS_SELF_PING,
    ],
  },

  setup({ iq, hooks, config, services, rooms: port, disco, isAdmin }) {
    const settings = (scope: Scope) => config(scope.host)
    let initial: Rooms['initial'] | undefined
    const rooms: Rooms = {
      features: () => port.features(),
      get initial() {
        initial ??= initialSettings(port.features())
        return initial
      },
      config: settings,
      isAdmin,
    }
    for (const feature of builtIn(settings)) port.feature(feature)
    port.provide((scope) => RoomTurn.find(rooms, scope))

    const definition: ServiceDefinition = {
      name: 'rooms',
      title: 'Chat rooms',
      subdomain: (host) => config(host).subdomain || undefined,
      receive: (arriving) => receive(rooms, arriving),
    }
    services.add(definition)
    serveCommands(definition, rooms)
    iq.get(service, NS_DISCO_ITEMS, 'query', startListing)
    iq.get(service, NS_UNIQUE, 'unique', (request) => drawName(rooms, request))
    iq.get(entity, NS_MUC_ADMIN, 'query', (request) => readList(rooms, request))
    iq.set(entity, NS_MUC_ADMIN, 'query', (request) => changeList(rooms, request))
    iq.get(entity, NS_MUC_OWNER, 'query', (request) => offerConfiguration(rooms, request))
    iq.set(entity, NS_MUC_OWNER, 'query', (request) => changeRoom(rooms, request))
    iq.set(entity, NS_MODERATE, 'moderate', (request) => moderate(rooms, request))
    iq.get(entity, NS_VCARD, 'vCard', (request) => readAvatar(rooms, request))
    iq.set(entity, NS_VCARD, 'vCard', (request) => setAvatar(rooms, request))
    iq.set(entity, NS_COMMANDS, 'command', (request) => runHatCommand(rooms, request))
    iq.get(entity, NS_REGISTER, 'query', (request) => offerRegistration(rooms, request))
    iq.set(entity, NS_REGISTER, 'query', (request) => register(rooms, request))

    hooks.timer(paceTimer, ({ scope }) => settlePurses(scope, settings(scope)))
    hooks.on('account.deleted', ({ scope }) => sayFarewell(scope))

    disco.info(entity, (query) => describe(requireRoom(rooms, query)))
    // §6.5: who is in a room is not the public's business.
    disco.items(entity, (query) => {
      requireRoom(rooms, query)
      return []
    })
    disco.node(entity, (query) => hatCommandNode(rooms, query))
    disco.node(entity, (query): DiscoNode | undefined => {
      if (query.node !== 'x-roomuser-item') return undefined
      const name = reservedNick(requireRoom(rooms, query), bare(query.from))
      const identities = name === undefined ? [] : [{ category: 'conference', type: 'text', name }]
      return { info: { identities }, items: [] }
    })
  },
})

function builtIn(
  config: (scope: Scope) => ReturnType<typeof mucConfig.parse>,
): readonly RoomFeature[] {
  return [
    profile,
    publicity,
    persistence,
    membersOnly,
    password,
    maxOccupants(({ scope }) => config(scope).occupants),
    anonymity,
    presenceBroadcast,
    memberList,
    affiliationVersions,
    // Before what takes messages for the room.
    pace(({ scope }) => config(scope)),
    voice,
    privateMessages,
    invitations,
    registration,
    occupantIds,
    hats,
    slowMode,
    moderation,
    avatar,
    farewell,
    activity(({ scope }) => config(scope)),
    // §7.1: the history, then the subject.
    history(({ scope }) => config(scope)),
    subject(({ scope }) => config(scope)),
  ]
}

/** §6.4 */
function describe(room: RoomTurn): ReturnType<NonNullable<RoomFeature['disco']>> {
  const parts = room.rooms.features().map((feature) => feature.disco?.(room) ?? {})
  const fields = room.rooms.features().flatMap((feature) => feature.info?.(room) ?? [])
  const form = formElement({ type: 'result', fields: [formTypeField(NS_ROOM_INFO), ...fields] })
  return {
    identities: parts.flatMap(({ identities = [] }) => identities),
    features: parts.flatMap(({ features = [] }) => features),
    forms: [form, ...parts.flatMap(({ forms = [] }) => forms)],
  }
}

function receive(rooms: Rooms, arriving: ServiceStanza): void {
  const { stanza, scope } = arriving
  if (!scope.entity.includes('@')) return receiveForService(rooms, arriving)
  switch (stanza.name) {
    case 'message':
      return receiveMessage(rooms, arriving)
    case 'presence':
      return receivePresence(rooms, arriving)
    default:
      return passIq(rooms, arriving)
  }
}

/** The service itself reads what its rooms tell it, and who wants to hear of them. */
function receiveForService(rooms: Rooms, arriving: ServiceStanza): void {
  const { stanza, scope, from, at } = arriving
  if (stanza.name === 'message') return hearMessage(arriving)
  if (stanza.name !== 'presence') throw new StanzaError('service-unavailable')
  if (domainpart(from) === scope.entity && !isFull(from)) beginning(scope, at)
  else hearPresence(arriving, rooms.config(scope))
}

function receivePresence(rooms: Rooms, arriving: ServiceStanza): void {
  const { scope, from, stanza } = arriving
  const type = presenceType(stanza)
  if (type === 'available') return bePresent(rooms, arriving)
  const room = RoomTurn.find(rooms, scope)
  if (!room || !isFull(from)) return
  if (type === 'unavailable') leave(room, from, stanza)
  else if (type === 'error') lose(room, from)
}
