import { type CommandDefinition, CommandError, readCommand, writeCommand } from '@tactus/core'
import { parseBareJid, tryParseJid } from '@tactus/jid'
import { z } from 'zod'
import { listReports, reportStore } from './store.ts'

const report = z.object({
  id: z.string(),
  reporter: z.string(),
  jid: z.string(),
  at: z.iso.datetime(),
  reason: z.string(),
  text: z.string().optional(),
  stanzaIds: z.array(z.string()),
  reportOrigin: z.boolean(),
  thirdParty: z.boolean(),
})

const list = readCommand({
  name: 'report list',
  access: { level: 'cluster' },
  summary: 'Lists what accounts reported of addresses that they blocked, newest first.',
  input: z.object({
    before: z.iso.datetime().optional().meta({
      description:
        'Only reports before this time, such as that of the last one of the page before.',
    }),
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(100)
      .meta({ description: 'Most reports to list.' }),
  }),
  output: z.object({ reports: z.array(report) }),
  async run({ reader }, { before, limit }) {
    const until = before === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(before)
    const found = await listReports(reader, { before: until, limit })
    return {
      reports: found.map(({ at, text, stanzaIds, ...rest }) => ({
        ...rest,
        at: new Date(at).toISOString(),
        stanzaIds: [...stanzaIds],
        ...(text !== undefined && { text }),
      })),
    }
  },
})

const remove = writeCommand({
  name: 'report delete',
  access: { level: 'cluster' },
  irreversible: true,
  summary: 'Removes a report that was dealt with.',
  input: z.object({
    jid: z
      .string()
      .refine((text) => tryParseJid(text) !== undefined, { error: 'is no address' })
      .meta({ description: 'Address of the account that reported.', positional: true }),
    id: z.string().meta({ description: 'Its id, as `report list` shows it.', positional: true }),
  }),
  output: z.object({ id: z.string() }),
  entity: ({ jid }) => parseBareJid(jid),
  run(scope, { id }) {
    const reports = scope.get(reportStore) ?? []
    const kept = reports.filter((entry) => entry.id !== id)
    if (kept.length === reports.length)
      throw new CommandError('not-found', `${scope.entity} made no report ${id}`)
    scope.set(reportStore, '', kept.length > 0 ? kept : undefined)
    return { id }
  },
})

/** What an operator may do with reports. */
export const reportCommands: readonly CommandDefinition[] = [list, remove]
