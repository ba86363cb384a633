import {
  type CommandDefinition,
  CommandError,
  changeKeys,
  createAccount,
  deleteAccount,
  type ReadContext,
  readCommand,
  requireAccount,
  setDisabled,
  usernameProblem,
  writeCommand,
} from '@tactus/core'
import { localpart, parseBareJid } from '@tactus/jid'
import { accountStore, listAccounts, stateKey } from '@tactus/storage'
import { z } from 'zod'
import { onlyHost, requireHost } from './hosts.ts'
import { accountJid, ownJid } from './jids.ts'
import { decodeKeys, derivedByCaller, keyedInput } from './keys.ts'

const done = z.object({ jid: z.string() })
const summary = z.object({
  jid: z.string(),
  createdAt: z.iso.datetime(),
  disabled: z.boolean(),
  role: z.enum(['user', 'admin']),
})

const add = writeCommand({
  name: 'user add',
  access: { level: 'host' },
  summary: 'Creates an account.',
  input: keyedInput,
  output: done,
  caller: derivedByCaller,
  entity: ({ jid }) => parseBareJid(jid),
  run(scope, { keys }) {
    createAccount(scope, decodeKeys(keys))
    return { jid: scope.entity }
  },
})

const passwd = writeCommand({
  name: 'user passwd',
  access: { level: 'host' },
  summary: 'Gives an account another password and ends its sessions.',
  input: keyedInput,
  output: done,
  caller: derivedByCaller,
  entity: ({ jid }) => parseBareJid(jid),
  run(scope, { keys }) {
    changeKeys(scope, decodeKeys(keys))
    return { jid: scope.entity }
  },
})

const remove = writeCommand({
  name: 'user delete',
  access: { level: 'host' },
  irreversible: true,
  summary: 'Deletes an account with everything that is kept for it, and tells its contacts.',
  input: z.object({ jid: accountJid }),
  output: done,
  entity: ({ jid }) => parseBareJid(jid),
  run(scope) {
    deleteAccount(scope)
    return { jid: scope.entity }
  },
})

const role = writeCommand({
  name: 'user role',
  access: { level: 'host' },
  summary: 'Makes an account an administrator of its host, or an ordinary user again.',
  input: z.object({
    jid: accountJid,
    role: z.enum(['user', 'admin']).meta({ description: '`user` or `admin`.', positional: true }),
  }),
  output: done,
  entity: ({ jid }) => parseBareJid(jid),
  run(scope, { role: given }) {
    scope.set(accountStore, '', { ...requireAccount(scope), role: given })
    return { jid: scope.entity }
  },
})

const disable = writeCommand({
  name: 'user disable',
  access: { level: 'host' },
  summary: 'Keeps an account from logging in and ends its sessions; nothing of it is lost.',
  input: z.object({ jid: accountJid }),
  output: done,
  entity: ({ jid }) => parseBareJid(jid),
  run(scope) {
    setDisabled(scope, true)
    return { jid: scope.entity }
  },
})

const enable = writeCommand({
  name: 'user enable',
  access: { level: 'host' },
  summary: 'Lets an account that was disabled log in again.',
  input: z.object({ jid: accountJid }),
  output: done,
  entity: ({ jid }) => parseBareJid(jid),
  run(scope) {
    setDisabled(scope, false)
    return { jid: scope.entity }
  },
})

/** What a connection manager sends for a stranger that registers before it authenticates (XEP-0077 §3.1). */
const register = writeCommand({
  name: 'account.register',
  summary: 'Creates an account for somebody who registers in-band.',
  input: keyedInput,
  output: done,
  internal: true,
  caller: derivedByCaller,
  entity: ({ jid }) => parseBareJid(jid),
  run(scope, { keys }) {
    if (scope.host.registration !== 'open')
      throw new CommandError('not-allowed', `${scope.host.name} is closed for registration`)
    const problem = usernameProblem(localpart(scope.entity) ?? '')
    if (problem) throw new CommandError('not-acceptable', problem)
    createAccount(scope, decodeKeys(keys))
    return { jid: scope.entity }
  },
})

const list = readCommand({
  name: 'user list',
  access: { level: 'host', about: ({ host }) => host },
  summary: 'Lists the accounts of a host in the order of their addresses.',
  input: z.object({
    host: z.string().optional().meta({
      description: 'The host; may be left out where only one is served.',
      positional: true,
      own: 'host',
    }),
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
    state: z
      .enum(['any', 'enabled', 'disabled'])
      .default('any')
      .meta({ description: 'Only accounts that may log in, or only those that may not.' }),
    role: z.enum(['user', 'admin']).optional().meta({ description: 'Only accounts of this role.' }),
  }),
  output: z.object({ users: z.array(summary), next: z.string().optional() }),
  async run({ reader, hosts }, { host, after, limit, state, role }) {
    const name = host === undefined ? onlyHost(hosts) : requireHost(hosts, host)
    const disabled = state === 'any' ? undefined : state === 'disabled'
    // One more than asked for tells whether this page is the last.
    const found = await listAccounts(reader, name, { after, limit: limit + 1, disabled, role })
    const users = found
      .slice(0, limit)
      .map(({ createdAt, ...user }) => ({ ...user, createdAt: isoDate(createdAt) }))
    const last = users.at(-1)
    return { users, ...(found.length > limit && last && { next: last.jid }) }
  },
})

const show = readCommand({
  name: 'user show',
  access: { level: 'account', about: ({ jid }) => jid },
  summary: 'Shows an account and its sessions.',
  input: z.object({ jid: ownJid }),
  output: summary.extend({ sessions: z.array(z.string()) }),
  async run(context, { jid }) {
    const account = parseBareJid(jid)
    const { createdAt, disabled, role } = await loadAccount(context, account)
    const sessions = await context.sessions(account)
    return {
      jid: account,
      createdAt: isoDate(createdAt),
      disabled,
      role,
      sessions: sessions.map((session) => session.jid),
    }
  },
})

/** What an operator may do with accounts, and how strangers get one. */
export const userCommands: readonly CommandDefinition[] = [
  add,
  passwd,
  role,
  disable,
  enable,
  remove,
  list,
  show,
  register,
]

async function loadAccount({ reader }: ReadContext, entity: string) {
  const loaded = await accountStore.load(reader, [{ entity, key: '' }])
  const account = loaded.get(stateKey(entity, ''))
  if (!account) throw new CommandError('not-found', `there is no account ${entity}`)
  return account
}

const isoDate = (moment: number): string => new Date(moment).toISOString()
