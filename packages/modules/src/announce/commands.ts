import {
  type CommandDefinition,
  CommandError,
  type HostDirectory,
  type ReadContext,
  readCommand,
  writeCommand,
} from '@tactus/core'
import { isBare, localpart, parseBareJid, tryParseJid } from '@tactus/jid'
import { stateKey } from '@tactus/storage'
import { z } from 'zod'
import { beginCampaign, campaignsOf, makeId, stopCampaigns, wakeCampaign } from './campaign.ts'
import { type Campaign, campaignStore, noticeStore, readNotice } from './store.ts'

/** Longest text of an announcement, in characters. */
const longest = 10_000

const host = z
  .string()
  .refine(
    (text) => {
      const jid = tryParseJid(text)
      return jid !== undefined && isBare(jid) && localpart(jid) === undefined
    },
    { error: 'is no host' },
  )
  .meta({ description: 'The host whose accounts are meant.', positional: true, own: 'host' })
const text = z
  .string()
  .min(1, { error: 'must not be empty' })
  .max(longest)
  .meta({ description: 'The text.', lines: true })
const ofHost = { level: 'host', about: (given: { readonly host: string }) => given.host } as const
const entity = (given: { readonly host: string }) => parseBareJid(given.host)
const done = z.object({ host: z.string(), id: z.string() })
const notice = z.object({ host: z.string(), text: z.string(), at: z.iso.datetime() })

const send = writeCommand({
  name: 'announce send',
  access: ofHost,
  summary: 'Sends a message to the accounts of a host.',
  input: z.object({
    host,
    text,
    subject: z.string().max(200).default('').meta({ description: 'A subject.' }),
    to: z.enum(['online', 'all']).default('online').meta({
      description: '`online`: whoever is there now; `all`: also who is not, when they come.',
    }),
  }),
  output: done.extend({ to: z.enum(['online', 'all']) }),
  entity,
  run(scope, { to, text: said, subject }) {
    const id = beginCampaign(scope, { kind: to, subject, text: said })
    return { host: scope.host.name, id, to }
  },
})

const list = readCommand({
  name: 'announce list',
  access: ofHost,
  summary: 'Lists announcements that are still going round, and how far they are.',
  input: z.object({ host }),
  output: z.object({
    announcements: z.array(
      z.object({
        id: z.string(),
        kind: z.string(),
        sent: z.number(),
        after: z.string(),
        at: z.iso.datetime(),
      }),
    ),
  }),
  async run(context, given) {
    const name = requireHost(context.hosts, given.host)
    const loaded = await campaignStore.load(context.reader, [{ entity: name, key: '' }])
    const campaigns = loaded.get(stateKey(name, '')) ?? []
    return {
      announcements: campaigns.map(({ id, kind, sent, after, at }: Campaign) => ({
        id,
        kind,
        sent,
        after,
        at: new Date(at).toISOString(),
      })),
    }
  },
})

const stop = writeCommand({
  name: 'announce stop',
  access: ofHost,
  summary: 'Stops an announcement that is still going round; who has it keeps it.',
  input: z.object({
    host,
    id: z.string().meta({ description: 'Its id, as `announce list` shows it.', positional: true }),
  }),
  output: done,
  entity,
  run(scope, { id }) {
    if (stopCampaigns(scope, (campaign) => campaign.id === id) === 0)
      throw new CommandError('not-found', `no announcement ${id} is going round`)
    return { host: scope.host.name, id }
  },
})

const resume = writeCommand({
  name: 'announce resume',
  access: ofHost,
  summary: 'Goes on with announcements that stand still, as they do after a loss of Redis.',
  input: z.object({ host }),
  output: z.object({ host: z.string(), resumed: z.number() }),
  entity,
  run(scope) {
    const campaigns = campaignsOf(scope)
    for (const { id } of campaigns) wakeCampaign(scope, id)
    return { host: scope.host.name, resumed: campaigns.length }
  },
})

const setMotd = writeCommand({
  name: 'motd set',
  access: ofHost,
  summary: 'Sets the message of the day: each account has it once, now or when somebody logs in.',
  input: z.object({ host, text }),
  output: done,
  entity,
  run(scope, { text: said }) {
    const id = makeId(scope)
    stopCampaigns(scope, ({ kind }) => kind === 'motd')
    scope.set(noticeStore, 'motd', { id, text: said, at: scope.now })
    beginCampaign(scope, { kind: 'motd', subject: '', text: said }, id)
    return { host: scope.host.name, id }
  },
})

const editMotd = writeCommand({
  name: 'motd edit',
  access: ofHost,
  summary: 'Corrects the message of the day; who had it already is not bothered again.',
  input: z.object({ host, text }),
  output: done,
  entity,
  run(scope, { text: said }) {
    const before = scope.get(noticeStore, 'motd')
    if (!before) throw new CommandError('not-found', 'there is no message of the day')
    scope.set(noticeStore, 'motd', { ...before, text: said })
    const campaigns = campaignsOf(scope)
    if (campaigns.some(({ kind }) => kind === 'motd'))
      scope.set(
        campaignStore,
        '',
        campaigns.map((one) => (one.kind === 'motd' ? { ...one, text: said } : one)),
      )
    return { host: scope.host.name, id: before.id }
  },
})

const deleteMotd = writeCommand({
  name: 'motd delete',
  access: ofHost,
  summary: 'Takes the message of the day back: who has not had it will not have it.',
  input: z.object({ host }),
  output: z.object({ host: z.string() }),
  entity,
  run(scope) {
    stopCampaigns(scope, ({ kind }) => kind === 'motd')
    scope.set(noticeStore, 'motd', undefined)
    return { host: scope.host.name }
  },
})

const setWelcome = writeCommand({
  name: 'welcome set',
  access: ofHost,
  summary: 'Sets the message that new accounts get.',
  input: z.object({ host, text }),
  output: done,
  entity,
  run(scope, { text: said }) {
    const id = makeId(scope)
    scope.set(noticeStore, 'welcome', { id, text: said, at: scope.now })
    return { host: scope.host.name, id }
  },
})

const deleteWelcome = writeCommand({
  name: 'welcome delete',
  access: ofHost,
  summary: 'New accounts get no message any more.',
  input: z.object({ host }),
  output: z.object({ host: z.string() }),
  entity,
  run(scope) {
    scope.set(noticeStore, 'welcome', undefined)
    return { host: scope.host.name }
  },
})

function show(kind: 'motd' | 'welcome', what: string): CommandDefinition {
  return readCommand({
    name: `${kind} show`,
    access: ofHost,
    summary: `Shows ${what}.`,
    input: z.object({ host }),
    output: notice.partial({ text: true, at: true }),
    async run({ reader, hosts }: ReadContext, given) {
      const name = requireHost(hosts, given.host)
      const found = await readNotice(reader, name, kind)
      if (!found) return { host: name }
      return { host: name, text: found.text, at: new Date(found.at).toISOString() }
    },
  })
}

/** What an operator may tell the accounts of a host. */
export const announceCommands: readonly CommandDefinition[] = [
  send,
  list,
  stop,
  resume,
  show('motd', 'the message of the day'),
  setMotd,
  editMotd,
  deleteMotd,
  show('welcome', 'the message that new accounts get'),
  setWelcome,
  deleteWelcome,
]

function requireHost(hosts: HostDirectory, name: string): string {
  if (hosts.get(name)) return name
  throw new CommandError('not-found', `${name} is not served here`)
}
