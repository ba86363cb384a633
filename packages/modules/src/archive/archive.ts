import {
  defineModule,
  type IqAnswer,
  type IqRequest,
  type ModuleContext,
  requireOwn,
  type Scope,
  type XmppModule,
  xep,
} from '@tactus/core'
import { bare, tryParseJid } from '@tactus/jid'
import {
  archiveQueryForm,
  NS_ARCHIVE,
  NS_ARCHIVE_EXTENDED,
  NS_ARCHIVE_GROUPCHAT,
  NS_FULL_TEXT,
  NS_HINTS,
  orderFeatures,
} from '@tactus/stanza'
import { archivePurgeTable, archiveStore } from '@tactus/storage'
import { counter } from '@tactus/telemetry'
import { z } from 'zod'
import { archiveCommands } from './commands.ts'
import { type Candidate, keepMessage } from './keeping.ts'
import { changePreferences, tellPreferences } from './preferences.ts'
import { askEnds, askPage, endsJob, pageJob, type QueryLimits, runningStore } from './query.ts'
import { arrangeLook, expiryJob, limitsOfAccount, look, lookStore, lookTimer } from './retention.ts'
import { NS_RETRACTION, NS_TOMBSTONES } from './retraction.ts'
import { roomRetention } from './room-archive.ts'
import { archiveRooms, roomRunningStore } from './room-query.ts'
import { archiveOwner, changeSettings, settingsOf, settingsStore } from './settings.ts'

/**
 * Message Archive Management: what an account said and heard, on all its devices, from the server.
 *
 * A message is archived in the step that accepts it, under the id that its copies carry (XEP-0359). What is kept:
 * `rules.ts`.
 *
 * @see {@link https://xmpp.org/extensions/xep-0313.html | XEP-0313}
 */
export const archive: XmppModule = defineModule({
  name: 'archive',
  implements: [
    xep('0313', '1.1.3', {
      status: 'partial',
      note: 'Rooms: lines are not found by nickname (`with`), and who was banned for a while reads all of it afterwards. A query of somebody else’s archive gets service-unavailable and not forbidden, as where there is no account. Ids of messages of one session follow each other (§3.5 wants them unpredictable); those of others cannot be guessed.',
    }),
    xep('0441', '0.2.0', {
      status: 'partial',
      note: 'Without the ad-hoc command of §2, which is optional.',
    }),
    xep('0059', '1.0', {
      status: 'partial',
      note: 'Of archives: no pages by index; a count where only that is asked for, up to 100,000.',
    }),
    xep('0334', '1.0.0'),
    xep('0413', '0.2.1', {
      note: 'What is archived is not overwritten, so by creation and by modification is the same order.',
    }),
    xep('0424', '0.4.2'),
    xep('0431', '0.2.0'),
  ],
  features: {
    account: [
      NS_ARCHIVE,
      NS_ARCHIVE_EXTENDED,
      NS_ARCHIVE_GROUPCHAT,
      NS_FULL_TEXT,
      NS_HINTS,
      NS_RETRACTION,
      NS_TOMBSTONES,
      ...orderFeatures(NS_ARCHIVE),
    ],
    // Clients such as profanity look for it here, where the specification puts it at the account (§8).
    domain: [NS_ARCHIVE, NS_HINTS, NS_RETRACTION],
  },
  stores: [archiveStore, settingsStore, runningStore, roomRunningStore, lookStore],
  migrations: [settingsStore.migration('0110-archive-setting')],
  metrics: {
    messages: counter('Messages that were archived.', { direction: ['in', 'out', 'room'] }),
  },
  commands: archiveCommands,
  config: z.strictObject({
    default: z.enum(['always', 'never', 'roster']).default('always').meta({
      description:
        'What is archived of accounts that set no preference: all messages, none, or those from and to contacts in the roster.',
    }),
    search: z.boolean().default(true).meta({
      description:
        'Keep an index of words, so that accounts can search. Without, new messages are not found.',
    }),
    days: z.int().min(0).default(0).meta({
      description:
        'Days that messages are kept; 0 for ever. Accounts may have another limit (`archive retention`).',
    }),
    messages: z.int().min(0).default(0).meta({
      description:
        'Messages of an account that are kept at most; beyond, the oldest go within a day. 0 is no limit.',
    }),
    page: z.int().positive().default(50).meta({
      description: 'Messages of a page where a client asks for no number.',
    }),
    pageMax: z.int().positive().max(1_000).default(250).meta({
      description: 'Most messages of a page.',
    }),
    queries: z.int().positive().default(8).meta({
      description: 'Queries of an account that run at once; more are refused.',
    }),
    roomArchives: z.enum(['configured', 'always', 'never']).default('configured').meta({
      description:
        'Which rooms have an archive: those whose owners want it (`configured`; they do unless they say otherwise), all, or none.',
    }),
    roomDays: z.int().min(0).default(0).meta({
      description:
        'Days that what is said in rooms is kept; 0 for ever. Owners may keep it shorter.',
    }),
    roomMessages: z.int().min(0).default(0).meta({
      description: 'Messages of a room that are kept at most, as with `messages`. 0 is no limit.',
    }),
    roomQueries: z.int().positive().default(32).meta({
      description: 'Queries of one room that run at once; more are refused.',
    }),
    addresses: z.int().min(0).default(1_000).meta({
      description: 'Most addresses in the preferences of an account.',
    }),
  }),

  setup({ iq, hooks, config, job, metrics, rooms, pubsub }) {
    const limits = (scope: Scope) => {
      const { page, pageMax, queries } = config(scope.host)
      return { page: { default: page, max: pageMax }, parallel: queries }
    }
    answerAccounts({ iq, pubsub }, limits)
    job('page', pageJob)
    job('ends', endsJob)

    archiveRooms(
      { iq, job, rooms },
      (scope) => {
        const settings = config(scope.host)
        const { roomQueries: parallel, queries: parallelPerAccount } = settings
        return { ...settings, ...limits(scope), parallel, parallelPerAccount }
      },
      () => metrics.messages.with({ direction: 'room' }).inc(),
    )

    iq.get('account', NS_ARCHIVE, 'prefs', (request) =>
      tellPreferences(request, config(request.host).default),
    )
    iq.set('account', NS_ARCHIVE, 'prefs', (request) => {
      const settings = config(request.host)
      return changePreferences(request, settings.default, settings.addresses)
    })

    job('expiry', expiryJob)
    hooks.timer(lookTimer, ({ scope }) => {
      const room = scope.service && rooms.room(scope)
      if (room) return look(scope, room.archiveOwner, roomRetention(room, config(scope.host)))
      const limits = scope.accountExists() ? limitsOfAccount(scope, config(scope.host)) : undefined
      look(scope, archiveOwner(scope), limits)
    })

    const keep = (
      candidate: Pick<Candidate, 'message' | 'id' | 'incoming'>,
      scope: Scope,
    ): void => {
      const settings = config(scope.host)
      const { default: mode, search: searchable } = settings
      if (!keepMessage(scope, { ...candidate, mode, searchable })) return
      arrangeLook(scope, limitsOfAccount(scope, settings))
      metrics.messages.with({ direction: candidate.incoming ? 'in' : 'out' }).inc()
    }
    hooks.on('message.received', ({ scope, message, id }) => {
      keep({ message, id, incoming: true }, scope)
    })
    hooks.on('message.sent', ({ scope, message, id }) => {
      // §6.1: once. What somebody says to themselves was archived when they received it.
      const to = message.to === undefined ? undefined : tryParseJid(message.to)
      if (to === undefined || bare(to) === scope.entity) return
      keep({ message, id, incoming: false }, scope)
    })

    hooks.on('account.deleted', ({ scope }) => giveUp(scope))
  },
})

/** What an account answers about its archive, and about those of its nodes. */
function answerAccounts(
  { iq, pubsub }: Pick<ModuleContext<never, never, Record<never, never>>, 'iq' | 'pubsub'>,
  limits: (scope: Scope) => QueryLimits,
): void {
  /** An archive is its owner's; those of an account's nodes are the nodes' own matter (XEP-0442). */
  const own =
    (handle: (request: IqRequest) => IqAnswer) =>
    (request: IqRequest): IqAnswer => {
      const nodes = request.payload.attrs.node === undefined ? undefined : pubsub.nodes()
      if (nodes) return nodes.askArchive(request)
      requireOwn(request)
      return handle(request)
    }
  iq.set(
    'account',
    NS_ARCHIVE,
    'query',
    own((request) => askPage(request, limits(request.scope))),
  )
  iq.get(
    'account',
    NS_ARCHIVE,
    'query',
    own(() => archiveQueryForm()),
  )
  iq.get(
    'account',
    NS_ARCHIVE,
    'metadata',
    own((request) => askEnds(request, limits(request.scope))),
  )
}

/** The archive is nobody's from now on: the next account of this name begins another, and what is left of it goes. */
function giveUp(scope: Scope): void {
  const owner = archiveOwner(scope)
  const { generation } = settingsOf(scope)
  scope.set(settingsStore, '', undefined)
  changeSettings(scope, { generation: generation + 1 })
  scope.turn.remove(archiveStore, archivePurgeTable, ['owner'], { owner })
  scope.turn.insert(archiveStore, archivePurgeTable, { owner })
}
