import type { RemoteStream } from '@tactus/bus'
import { z } from 'zod'
import { askManagers } from './ask-managers.ts'
import { type CommandDefinition, readCommand } from './commands.ts'

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
    const all = await askManagers<RemoteStream>(bus, 's2s.list')
    const streams = all.filter(({ remote }) => domain === undefined || remote === domain)
    return { streams: streams.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1)) }
  },
})

const keyOf = ({ remote, local, direction }: RemoteStream): string =>
  `${remote} ${local} ${direction}`
