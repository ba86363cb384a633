import { type CommandDefinition, CommandError, type ReadContext, readCommand } from '@tactus/core'
import { domainpart, parseBareJid, resourcepart, tryParseJid } from '@tactus/jid'
import { accountStore, countAccounts, type Roster, rosterStore, stateKey } from '@tactus/storage'
import { z } from 'zod'
import { onlyHost, requireHost } from './hosts.ts'
import { accountJid } from './jids.ts'

const hostField = z.string().optional().meta({
  description: 'The host; may be left out where only one is served.',
  positional: true,
  own: 'host',
})

const count = readCommand({
  name: 'user count',
  access: { level: 'host', about: ({ host }) => host },
  summary: 'Counts the accounts of a host that are in a state.',
  input: z.object({
    host: hostField,
    state: z
      .enum(['registered', 'disabled', 'online', 'active', 'idle'])
      .default('registered')
      .meta({
        description:
          '`online`: somebody is logged in; `active`: and a client is in use; `idle`: and none is (XEP-0352).',
      }),
  }),
  output: z.object({ count: z.number() }),
  async run(context, { host, state }) {
    const name = hostOf(context, host)
    if (state === 'registered' || state === 'disabled') {
      const filter = state === 'disabled' ? { disabled: true } : {}
      return { count: await countAccounts(context.reader, name, filter) }
    }
    const found = await context.onlineAccounts({ host: name, active: activeOf(state) })
    return { count: found.length }
  },
})

const online = readCommand({
  name: 'user online',
  access: { level: 'host', about: ({ host }) => host },
  summary: 'Lists the accounts of a host that somebody is logged in to, by address.',
  input: z.object({
    host: hostField,
    state: z
      .enum(['online', 'active', 'idle'])
      .default('online')
      .meta({ description: '`active`: a client is in use; `idle`: none is (XEP-0352).' }),
    after: z
      .string()
      .optional()
      .meta({ description: 'Address of the last account of the page before.' }),
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(100)
      .meta({ description: 'Most accounts to list.' }),
  }),
  output: z.object({
    users: z.array(z.object({ jid: z.string(), active: z.boolean() })),
    next: z.string().optional(),
  }),
  async run(context, { host, state, after, limit }) {
    const query = { host: hostOf(context, host), after, active: activeOf(state) }
    // One more than asked for tells whether this page is the last.
    const found = await context.onlineAccounts({ ...query, limit: limit + 1 })
    const users = found.slice(0, limit).map((account) => ({ ...account }))
    const last = users.at(-1)
    return { users, ...(found.length > limit && last && { next: last.jid }) }
  },
})

const roster = readCommand({
  name: 'user roster',
  access: { level: 'host', about: ({ jid }) => jid },
  summary: 'Lists the contacts of an account.',
  input: z.object({ jid: accountJid }),
  output: z.object({
    jid: z.string(),
    contacts: z.array(
      z.object({
        jid: z.string(),
        name: z.string().optional(),
        subscription: z.string(),
        ask: z.boolean(),
        groups: z.array(z.string()),
      }),
    ),
  }),
  async run(context, { jid }) {
    const account = await requireStored(context, jid)
    const { items = new Map() }: Partial<Roster> = (await loadRoster(context, account)) ?? {}
    return {
      jid: account,
      contacts: [...items.values()]
        // Somebody whose request waits for an answer is no contact yet.
        .filter(({ subscription, ask, pendingIn }) => subscription !== 'none' || ask || !pendingIn)
        .map(({ jid: contact, name, subscription, ask, groups }) => ({
          jid: contact,
          ...(name !== undefined && { name }),
          subscription,
          ask,
          groups: [...groups],
        })),
    }
  },
})

const stats = readCommand({
  name: 'user stats',
  access: { level: 'host', about: ({ jid }) => jid },
  summary: 'Shows how an account is used: its sessions, where they come from, its contacts.',
  input: z.object({ jid: accountJid }),
  output: z.object({
    jid: z.string(),
    contacts: z.number(),
    resources: z.array(z.string()),
    addresses: z.array(z.string()),
  }),
  async run(context, { jid }) {
    const account = await requireStored(context, jid)
    const [sessions, stored] = await Promise.all([
      context.sessions(parseBareJid(account)),
      loadRoster(context, account),
    ])
    const addresses = sessions.map(({ info }) => info.address ?? '').filter((text) => text !== '')
    return {
      jid: account,
      contacts: stored?.items.size ?? 0,
      resources: sessions.map((session) => resourceOf(session.jid)),
      addresses: [...new Set(addresses)],
    }
  },
})

/** How many there are, who is there, and what can be said of one. */
export const overviewCommands: readonly CommandDefinition[] = [count, online, roster, stats]

function hostOf({ hosts }: ReadContext, host: string | undefined): string {
  return host === undefined ? onlyHost(hosts) : requireHost(hosts, host)
}

function activeOf(state: 'online' | 'active' | 'idle'): boolean | undefined {
  return state === 'online' ? undefined : state === 'active'
}

function resourceOf(text: string): string {
  const jid = tryParseJid(text)
  return (jid && resourcepart(jid)) ?? ''
}

async function requireStored({ reader, hosts }: ReadContext, text: string): Promise<string> {
  const entity = parseBareJid(text)
  requireHost(hosts, domainpart(entity))
  const loaded = await accountStore.load(reader, [{ entity, key: '' }])
  if (!loaded.has(stateKey(entity, '')))
    throw new CommandError('not-found', `there is no account ${entity}`)
  return entity
}

async function loadRoster({ reader }: ReadContext, entity: string): Promise<Roster | undefined> {
  const loaded = await rosterStore.load(reader, [{ entity, key: '' }])
  return loaded.get(stateKey(entity, ''))
}
