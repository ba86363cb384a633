import { type CommandDefinition, type Host, type ReadContext, readCommand } from '@tactus/core'
import { tryParseJid } from '@tactus/jid'
import { type Reader, readArchivePage, selectByKeys, spokenAt } from '@tactus/storage'
import { z } from 'zod'
import { lineOf } from './lines.ts'
import { type LogConfig, logStore } from './log-room.ts'

/** Days of one list. */
const mostDays = 31
/** Bytes of what is archived of one page. */
const pageBytes = 262_144
const dayLength = 86_400_000

const address = z.string().min(1).max(3_071)
const room = address.meta({ description: 'Address of a room.' })
const day = z.iso.date()
const shown = z.object({ name: z.string(), description: z.string() })

type Config = (host: Host) => LogConfig

interface LoggedRoom {
  readonly owner: string
  readonly since: number
  readonly shown: z.output<typeof shown>
}

/** What is asked about logs by whoever shows them on the web. Null is what is not logged, as what is not there. */
export function logCommands(config: Config): readonly CommandDefinition[] {
  return [roomsCommand(config), daysCommand(config), linesCommand(config)]
}

function roomsCommand(config: Config): CommandDefinition {
  return readCommand({
    name: 'room-log rooms',
    internal: true,
    summary: 'Lists the rooms of a service whose logs are public, by address.',
    input: z.object({
      service: address.meta({ description: 'Domain of the rooms.' }),
      after: address.optional().meta({ description: 'Last room of the page before.' }),
      max: z.int().min(1).max(1_000).meta({ description: 'Most rooms of a page.' }),
    }),
    output: z
      .object({ rooms: z.array(shown.extend({ jid: z.string() })), next: z.string().nullable() })
      .nullable(),
    async run({ reader, hosts }, { service, after = '', max }) {
      const rows = await reader
        .selectFrom(logStore.table)
        .select(['entity', 'name', 'description', 'host'])
        .where('service', '=', service)
        .where('entity', '>', after)
        .orderBy('entity')
        .limit(max + 1)
        .execute()
      const host = hosts.get(String(rows[0]?.host ?? ''))
      if (!host || !config(host).enabled) return null
      const rooms = rows.slice(0, max).map(({ entity, name, description }) => ({
        jid: String(entity),
        ...{ name: String(name), description: String(description) },
      }))
      return { rooms, next: rows.length > max ? (rooms.at(-1)?.jid ?? null) : null }
    },
  })
}

function daysCommand(config: Config): CommandDefinition {
  return readCommand({
    name: 'room-log days',
    internal: true,
    summary: 'Lists the days on which something was said in a room, the last first.',
    input: z.object({
      room,
      before: day.optional().meta({ description: 'Last day of the page before.' }),
    }),
    output: z.object({ room: shown, days: z.array(day), next: day.nullable() }).nullable(),
    async run(context, { room: jid, before }) {
      const found = await findRoom(context, config, jid)
      if (!found) return null
      const days: string[] = []
      let end = before === undefined ? Number.MAX_SAFE_INTEGER : startOf(before)
      while (days.length <= mostDays) {
        const last = await earlier(context.reader, found, end)
        if (last === undefined) break
        days.push(last)
        end = startOf(last)
      }
      const page = days.slice(0, mostDays)
      const next = days.length > mostDays ? (page.at(-1) ?? null) : null
      return { room: found.shown, days: page, next }
    },
  })
}

function linesCommand(config: Config): CommandDefinition {
  return readCommand({
    name: 'room-log lines',
    internal: true,
    summary: 'Reads what was said in a room on one day (UTC).',
    input: z.object({
      room,
      day: day.meta({ description: 'The day.' }),
      after: z.string().min(1).max(256).optional().meta({ description: 'Last line before.' }),
      max: z.int().min(1).max(1_000).meta({ description: 'Most lines of a page.' }),
    }),
    output: z
      .object({
        room: shown,
        lines: z.array(
          z.object({
            id: z.string(),
            at: z.int(),
            nick: z.string(),
            kind: z.enum(['says', 'does', 'subject']),
            text: z.string(),
            corrects: z.boolean(),
          }),
        ),
        next: z.string().nullable(),
        earlier: day.nullable(),
        later: day.nullable(),
      })
      .nullable(),
    async run(context, { room: jid, day: asked, after, max }) {
      const found = await findRoom(context, config, jid)
      if (!found) return null
      const { reader } = context
      const begin = startOf(asked)
      const end = begin + dayLength - 1
      const filter = {
        owner: found.owner,
        start: Math.max(begin, found.since),
        end,
        ...(after !== undefined && { after: [after] }),
      }
      // The last line of the page before may be gone by now.
      const page = await readArchivePage(reader, filter, { max, bytes: pageBytes, fromEnd: false })
      if (!page) return null
      return {
        room: found.shown,
        lines: page.rows.map(lineOf).filter((line) => line !== undefined),
        next: page.complete ? null : (page.rows.at(-1)?.id ?? null),
        earlier: (await earlier(reader, found, begin)) ?? null,
        later: (await later(reader, found, end)) ?? null,
      }
    },
  })
}

/** SECURITY: of a room whose log is not public, strangers hear what they hear of one that is not there. */
async function findRoom(
  { reader, hosts }: ReadContext,
  config: Config,
  text: string,
): Promise<LoggedRoom | undefined> {
  const jid = tryParseJid(text)
  if (!jid) return undefined
  const [row] = await selectByKeys(reader, logStore.table, ['entity', 'key'], [[jid, '']])
  const host = row && hosts.get(String(row.host))
  if (!host || !config(host).enabled) return undefined
  const { owner, since, name, description } = row
  return {
    owner: String(owner),
    since: Number(since),
    shown: { name: String(name), description: String(description) },
  }
}

async function earlier(
  reader: Reader,
  { owner, since }: LoggedRoom,
  before: number,
): Promise<string | undefined> {
  const at = await spokenAt(reader, owner, { before })
  return at === undefined || at < since ? undefined : dayOf(at)
}

async function later(
  reader: Reader,
  { owner, since }: LoggedRoom,
  after: number,
): Promise<string | undefined> {
  const at = await spokenAt(reader, owner, { after: Math.max(after, since - 1) })
  return at === undefined ? undefined : dayOf(at)
}

function startOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`)
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
