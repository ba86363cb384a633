import { deferred, defineModule, type IqRequest, type XmppModule } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import { listAccounts } from '@tactus/storage'
import { z } from 'zod'
import { continueCampaign, moduleName, type PageSpec, pageJob, sendPage } from './campaign.ts'
import { announceCommands } from './commands.ts'
import { deliverPending, isPending, type Motd, offerMotd } from './motd.ts'
import { announceMigrations, campaignStore, markerStore, noticeStore, readNotice } from './store.ts'
import { NS_ANNOUNCE, noticeMessage } from './wire.ts'

interface HostSpec {
  readonly job: string
  readonly host: string
}
interface Newcomer {
  readonly welcome: Motd | undefined
  readonly motd: Motd | undefined
}

/**
 * Announcements to the accounts of a host, its message of the day, and what new accounts are welcomed with.
 *
 * An announcement belongs to its host, and goes round page by page: a page is a job that reads addresses, and one step
 * that sends to them and notes how far it is. So a hundred thousand accounts are never in memory, hold up nobody, and
 * have it once each, whatever dies meanwhile.
 *
 * @see {@link https://xmpp.org/extensions/xep-0133.html | XEP-0133} §4.23 to §4.28
 */
export const announce: XmppModule = defineModule({
  name: moduleName,
  implements: [],
  requires: ['accounts'],
  stores: [noticeStore, markerStore, campaignStore],
  migrations: announceMigrations,
  commands: announceCommands,
  config: z.strictObject({
    page: z.int().min(1).max(1_000).default(200).meta({
      description: 'How many accounts an announcement is sent to at a time.',
    }),
    pause: z.int().min(0).default(100).meta({
      description: 'Time between two such pages, in milliseconds.',
    }),
  }),

  setup({ iq, hooks, job, config, log }) {
    hooks.timer(moduleName, ({ scope, data }) => continueCampaign(scope, data, config(scope.host)))
    job<PageSpec, readonly string[]>(pageJob, {
      async run({ host, after, limit }, { reader }) {
        const accounts = await listAccounts(reader, host, { after, limit })
        return accounts.map(({ jid }) => jid)
      },
      done(scope, spec, result) {
        const accounts = result.ok ? result.value : undefined
        sendPage(scope, spec, accounts, { pace: config(scope.host), log })
      },
    })

    iq.set('account', NS_ANNOUNCE, 'motd', (request) => {
      const motd = readMotd(request)
      if (!request.host.anonymous) offerMotd(request.scope, motd)
      return deferred
    })
    hooks.on('presence.changed', ({ scope, after }) => {
      if (!after || after.priority < 0 || scope.host.anonymous || !isPending(scope)) return
      const spec: HostSpec = { job: 'motd', host: scope.host.name }
      scope.job(moduleName, `${moduleName} motd`, spec)
    })
    job<HostSpec, Motd | undefined>('motd', {
      run: async ({ host }, { reader }) => await readNotice(reader, host, 'motd'),
      done(scope, _, result) {
        if (result.ok) deliverPending(scope, result.value)
      },
    })

    hooks.on('account.created', ({ scope }) => {
      const spec: HostSpec = { job: 'newcomer', host: scope.host.name }
      scope.job(moduleName, `${moduleName} newcomer`, spec)
    })
    job<HostSpec, Newcomer>('newcomer', {
      async run({ host }, { reader }) {
        const [welcome, motd] = await Promise.all([
          readNotice(reader, host, 'welcome'),
          readNotice(reader, host, 'motd'),
        ])
        return { welcome, motd }
      },
      done(scope, { host }, result) {
        if (!result.ok || !scope.accountExists()) return
        const { welcome, motd } = result.value
        if (welcome) {
          const said = { from: host, id: welcome.id, subject: 'Welcome', text: welcome.text }
          scope.send(noticeMessage(said, scope.entity), { durable: true })
        }
        if (motd) offerMotd(scope, motd)
      },
    })
    hooks.on('account.deleted', ({ scope }) => scope.set(markerStore, '', undefined))
  },
})

/** SECURITY: what the host says to its accounts is nobody else's to say; to them there is no such namespace. */
function readMotd({ scope, from, payload }: IqRequest): Motd {
  const { id } = payload.attrs
  if (from !== scope.host.name || !id) throw new StanzaError('service-unavailable')
  return { id, text: payload.text() }
}
