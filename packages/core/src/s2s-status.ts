import type { Bus, RemoteStream } from '@tactus/bus'
import { z } from 'zod'
import { type CommandDefinition, readCommand } from './commands.ts'

/** Milliseconds that one connection manager may take to tell; who is leaving says nothing. */
const patience = 2_000

/** The streams with other servers, and what waits for them. */
export const s2sList: CommandDefinition = readCommand({
  name: 's2s list',
  access: { level: 'cluster' },
  summary: 'List the streams with other servers, and the domains that stanzas wait for.',
  input: z.object({
    domain: z
      .string()
      .optional()
      .meta({ description: 'Only those with this remote domain.', positional: true }),
  }),
  output: z.object({
    streams: z.array(
      z.object({
        direction: z.enum(['in', 'out']),
        local: z.string(),
        remote: z.string(),
        state: z.string(),
        authentication: z.string(),
        tls: z.string(),
        queued: z.number(),
        address: z.string(),
        problem: z.string(),
        instance: z.string(),
      }),
    ),
  }),
  run: async ({ bus }, { domain }) => {
    const instances = await bus.instances()
    const managers = instances.filter(({ role }) => role === 'connection-manager')
    const lists = await Promise.all(managers.map(({ id }) => ask(bus, id)))
    const streams = lists.flat().filter(({ remote }) => domain === undefined || remote === domain)
    return { streams: streams.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1)) }
  },
})

async function ask(
  bus: Bus,
  instance: string,
): Promise<readonly (RemoteStream & { readonly instance: string })[]> {
  try {
    const request = { method: 's2s.list', input: undefined }
    const streams = (await bus.request(instance, request, patience)) as readonly RemoteStream[]
    return streams.map((stream) => ({ ...stream, instance }))
  } catch {
    // It ended a moment ago, or is of a release without federation.
    return []
  }
}

const keyOf = ({ remote, local, direction }: RemoteStream): string =>
  `${remote} ${local} ${direction}`
