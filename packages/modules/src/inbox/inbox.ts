import { defineModule, requireOwn, type XmppModule, xep } from '@tactus/core'
import { bare, tryParseJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { inboxMigrations, inboxStore } from '@tactus/storage'
import { z } from 'zod'
import { noteArchived, noteRead } from './conversations.ts'
import { markedAsRead } from './counting.ts'
import { askInbox, pageJob, runningStore } from './query.ts'
import { maybeTrim, trimJob } from './trimming.ts'
import { NS_INBOX } from './wire.ts'

/**
 * Inbox: with whom an account talks, what was said last and how much of it is unread, without reading the archive.
 *
 * A row for each conversation, changed in the step that archives a message, so that it is as exact as the archive is.
 *
 * @see {@link https://xmpp.org/extensions/xep-0430.html | XEP-0430}
 */
export const inbox: XmppModule = defineModule({
  name: 'inbox',
  implements: [
    xep('0430', '0.2.0', {
      status: 'partial',
      note: 'The newest conversation first. Of what accounts archive, so without rooms, and from the moment on at which the module is enabled. Whoever says something has read what was said before. A marker that is more than 64 messages behind the last tells nothing. No marking as unread, for which the specification has no element.',
    }),
  ],
  requires: ['archive'],
  stores: [inboxStore, runningStore],
  migrations: inboxMigrations,
  jobs: { page: pageJob, trim: trimJob },
  config: z.strictObject({
    enabled: z.boolean().default(true).meta({
      description: 'Whether accounts have an inbox. It costs a row more for every message.',
    }),
    conversations: z.int().min(1).default(10_000).meta({
      description:
        'Conversations of an account that are kept, more or less; beyond, those that are quiet for the longest time go.',
    }),
    page: z.int().positive().default(50).meta({
      description: 'Conversations of a page where a client asks for no number.',
    }),
    pageMax: z.int().positive().max(1_000).default(250).meta({
      description: 'Most conversations of a page.',
    }),
    queries: z.int().positive().default(4).meta({
      description: 'Queries of an account that run at once; more are refused.',
    }),
  }),

  setup({ iq, hooks, disco, config }) {
    disco.info('account', ({ host }) => (config(host).enabled ? { features: [NS_INBOX] } : {}))

    iq.get('account', NS_INBOX, 'inbox', (request) => {
      requireOwn(request)
      const { enabled, page, pageMax, queries } = config(request.host)
      if (!enabled) throw new StanzaError('service-unavailable')
      return askInbox(request, { page: { default: page, max: pageMax }, parallel: queries })
    })

    hooks.on('message.archived', (archived) => {
      const { scope } = archived
      const { enabled, conversations } = config(scope.host)
      if (enabled && noteArchived(archived)) maybeTrim(scope, conversations)
    })

    // §4; a marker counts whether or not it is archived.
    hooks.on('message.sent', ({ scope, message }) => {
      const marked = markedAsRead(message)
      const peer = message.to === undefined ? undefined : tryParseJid(message.to)
      if (marked !== undefined && peer !== undefined && config(scope.host).enabled)
        noteRead(scope, bare(peer), 'origin', marked)
    })
    hooks.on('chat.displayed', ({ scope, peer, id }) => {
      if (config(scope.host).enabled) noteRead(scope, peer, 'id', id)
    })

    hooks.on('account.deleted', ({ scope }) => {
      scope.turn.clear(inboxStore, inboxStore.table, { entity: scope.entity })
    })
  },
})
