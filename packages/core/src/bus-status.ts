import type { Requests } from '@tactus/bus'
import { z } from 'zod'
import { type CommandDefinition, controlCommand, readCommand } from './commands.ts'

/** Who owns which partition, and what waits there. */
export const busStatus: CommandDefinition = readCommand({
  name: 'bus status',
  access: { level: 'cluster' },
  summary:
    'Show partitions, their owners and what waits in them, and the instances that are alive.',
  input: z.object({}),
  output: z.object({
    incarnation: z.number(),
    instances: z.array(z.object({ id: z.string(), role: z.string(), info: z.string() })),
    partitions: z.array(
      z.object({ partition: z.number(), router: z.string().nullable(), waiting: z.number() }),
    ),
  }),
  run: async ({ status }) => {
    const { incarnation, instances, partitions } = await status()
    return { incarnation, instances: [...instances], partitions: [...partitions] }
  },
})

/** Who takes part in the cluster. */
export const instanceList: CommandDefinition = readCommand({
  name: 'instance list',
  access: { level: 'cluster' },
  summary: 'List the instances that are alive, with the partitions that each router owns.',
  input: z.object({}),
  output: z.object({
    instances: z.array(
      z.object({ id: z.string(), role: z.string(), partitions: z.number(), info: z.string() }),
    ),
  }),
  run: async ({ status }) => {
    const { instances, partitions } = await status()
    const owned = (id: string): number => partitions.filter(({ router }) => router === id).length
    return {
      instances: instances
        .map(({ id, role, info }) => ({ id, role, partitions: owned(id), info }))
        .sort((one, other) => (one.role + one.id < other.role + other.id ? -1 : 1)),
    }
  },
})

const oneInstance = z.object({
  id: z.string().meta({ description: 'Its id, as `instance list` shows it.', positional: true }),
})
const drained = z.object({ instance: z.string(), draining: z.boolean() })

function drainCommand(name: string, summary: string, draining: boolean): CommandDefinition {
  const input: Requests['instance.drain']['input'] = { draining }
  return controlCommand({
    name,
    access: { level: 'cluster' },
    summary,
    input: oneInstance,
    output: drained,
    instance: ({ id }) => id,
    request: () => ({ method: 'instance.drain', input }),
  })
}

/** Takes an instance out of service without ending it. */
export const instanceDrain: CommandDefinition = drainCommand(
  'instance drain',
  'Take an instance out of service: a connection manager sends its clients elsewhere, a router hands its partitions over.',
  true,
)

/** Undoes `instance drain`. */
export const instanceUndrain: CommandDefinition = drainCommand(
  'instance undrain',
  'Put a drained instance back into service.',
  false,
)
