import {
  type CommandDefinition,
  CommandError,
  type LiveSession,
  type ReadContext,
  readCommand,
  writeCommand,
} from '@tactus/core'
import { bare, domainpart, parseBareJid, parseJid, resourcepart } from '@tactus/jid'
import { z } from 'zod'
import { requireHost } from './hosts.ts'
import { accountJid, resourceJid, sessionsJid } from './jids.ts'

const listHosts = readCommand({
  name: 'host list',
  access: { level: 'cluster' },
  summary: 'Lists the hosts that are served.',
  input: z.object({}),
  output: z.object({
    hosts: z.array(
      z.object({
        name: z.string(),
        anonymous: z.boolean(),
        registration: z.enum(['open', 'closed']),
      }),
    ),
  }),
  async run({ hosts }) {
    return {
      hosts: hosts.list().map(({ name, anonymous, registration }) => ({
        name,
        anonymous,
        registration,
      })),
    }
  },
})

const list = readCommand({
  name: 'session list',
  access: { level: 'account', about: ({ jid, host }) => jid ?? host },
  summary: 'Lists the bound resources of an account, or all of them by address.',
  input: z.object({
    jid: accountJid.optional().meta({
      description: 'Address of the account; without it, all sessions are listed in pages.',
      positional: true,
      jid: true,
      own: 'account',
    }),
    host: z.string().optional().meta({ description: 'Only sessions of this host.', own: 'host' }),
    after: resourceJid.optional().meta({
      description: 'Address of the last session of the page before.',
      positional: false,
      jid: true,
    }),
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(100)
      .meta({ description: 'Most sessions to list.' }),
  }),
  output: z.object({
    sessions: z.array(
      z.object({
        jid: z.string(),
        attached: z.boolean(),
        since: z.iso.datetime(),
        info: z.record(z.string(), z.string()),
      }),
    ),
    next: z.string().optional(),
  }),
  async run(context, { jid, host, after, limit }) {
    if (jid !== undefined) return { sessions: (await ofAccount(context, jid)).map(shown) }
    if (host !== undefined) requireHost(context.hosts, host)
    // One more than asked for tells whether this page is the last.
    const found = await context.allSessions({ host, after, limit: limit + 1 })
    const sessions = found.slice(0, limit)
    const last = sessions.at(-1)
    return {
      sessions: sessions.map(shown),
      ...(found.length > limit && last && { next: last.jid }),
    }
  },
})

function ofAccount({ hosts, sessions }: ReadContext, jid: string): Promise<readonly LiveSession[]> {
  const account = parseBareJid(jid)
  requireHost(hosts, domainpart(account))
  return sessions(account)
}

function shown({ jid, attached, since, info }: LiveSession) {
  return { jid, attached, since: new Date(since).toISOString(), info: { ...info } }
}

const kick = writeCommand({
  name: 'session kick',
  access: { level: 'account' },
  summary: 'Ends a session, or all of an account; its clients may log in again.',
  input: z.object({
    jid: sessionsJid,
    reason: z.string().max(1_000).optional().meta({ description: 'What its client is told.' }),
  }),
  output: z.object({ jid: z.string(), ended: z.number() }),
  entity: ({ jid }) => bare(parseJid(jid)),
  run(scope, { jid: text, reason = 'The session was ended by an operator.' }) {
    const jid = parseJid(text)
    const resource = resourcepart(jid)
    const ending = scope
      .sessions()
      .filter((session) => resource === undefined || session.resource === resource)
    if (ending.length === 0) throw new CommandError('not-found', `there is no session ${jid}`)
    for (const session of ending) scope.endSession(session, 'policy-violation', reason)
    return { jid, ended: ending.length }
  },
})

/** What an operator may do with sessions, and the hosts they belong to. */
export const sessionCommands: readonly CommandDefinition[] = [listHosts, list, kick]
