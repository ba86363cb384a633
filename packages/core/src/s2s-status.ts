import { type Bus, isListed, mayFederate, type RemoteStream, type RemoteTarget } from '@tactus/bus'
import { domainpart, tryParseJid } from '@tactus/jid'
import { z } from 'zod'
import { askManagers } from './ask-managers.ts'
import { type CommandDefinition, CommandError, readCommand } from './commands.ts'

/** Milliseconds that looking a domain up may take: the DNS has its own patience. */
const lookupPatience = 20_000

const stream = z.object({
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
})
const target = z.object({
  host: z.string(),
  port: z.number(),
  direct: z.boolean(),
  secure: z.boolean(),
  addresses: z.array(z.string()),
  refused: z.array(z.string()),
})
const domain = z
  .string()
  .refine(
    (text) => {
      const jid = tryParseJid(text)
      return jid !== undefined && domainpart(jid) === jid
    },
    { error: 'is no domain; montague.example would be one' },
  )
  .meta({ description: 'The remote domain.', positional: true })

const list = readCommand({
  name: 's2s list',
  access: { level: 'cluster' },
  summary: 'List the streams with other servers, and the domains that stanzas wait for.',
  input: z.object({
    domain: z
      .string()
      .optional()
      .meta({ description: 'Only those with this remote domain.', positional: true }),
  }),
  output: z.object({ streams: z.array(stream) }),
  run: async ({ bus }, { domain }) => ({ streams: await streamsWith(bus, domain) }),
})

const show = readCommand({
  name: 's2s show',
  access: { level: 'cluster' },
  summary:
    'Show everything of a remote domain: which hosts speak to it, its streams and what waits for it, and what the DNS says.',
  input: z.object({ domain }),
  output: z.object({
    hosts: z.array(z.object({ host: z.string(), speaks: z.boolean(), banned: z.boolean() })),
    streams: z.array(stream),
    targets: z.array(target),
    /** Why there are none. */
    problem: z.string(),
  }),
  async run({ bus, hosts }, given) {
    const name = tryParseJid(given.domain) ?? given.domain
    const [streams, found] = await Promise.all([streamsWith(bus, name), lookUp(bus, name)])
    return {
      hosts: hosts.list().map(({ name: host, federation }) => ({
        host,
        speaks: mayFederate(federation, name),
        banned: isListed(name, federation?.blocked ?? []),
      })),
      streams,
      ...found,
    }
  },
})

const close = readCommand({
  name: 's2s close',
  access: { level: 'cluster' },
  summary: 'End the streams with a remote domain; what waits for it goes by new ones.',
  input: z.object({ domain }),
  output: z.object({
    closed: z.array(
      z.object({ local: z.string(), direction: z.enum(['in', 'out']), instance: z.string() }),
    ),
  }),
  async run({ bus }, given) {
    const name = tryParseJid(given.domain) ?? given.domain
    type Closed = { readonly local: string; readonly direction: 'in' | 'out' }
    return { closed: [...(await askManagers<Closed>(bus, 's2s.close', { domain: name }))] }
  },
})

const lookup = readCommand({
  name: 's2s lookup',
  access: { level: 'cluster' },
  summary: 'Ask the DNS where the servers of a domain are, as one connection manager sees it now.',
  input: z.object({ domain }),
  output: z.object({ targets: z.array(target), problem: z.string() }),
  run: async ({ bus }, given) => await lookUp(bus, tryParseJid(given.domain) ?? given.domain),
})

/** What an operator may know of other servers, and do about them, from any instance. */
export const s2sCommands: readonly CommandDefinition[] = [list, show, close, lookup]

async function streamsWith(
  bus: Bus,
  domain: string | undefined,
): Promise<(RemoteStream & { readonly instance: string })[]> {
  const all = await askManagers<RemoteStream>(bus, 's2s.list')
  const streams = all.filter(({ remote }) => domain === undefined || remote === domain)
  return streams.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
}

/** Any connection manager: all of them ask the same servers. */
async function lookUp(
  bus: Bus,
  domain: string,
): Promise<{ readonly targets: z.input<typeof target>[]; readonly problem: string }> {
  const managers = (await bus.instances()).filter(({ role }) => role === 'connection-manager')
  const [manager] = managers
  if (!manager) throw new CommandError('unavailable', 'there is no connection manager')
  try {
    const request = { method: 's2s.lookup', input: { domain } }
    const found = (await bus.request(manager.id, request, lookupPatience)) as RemoteTarget[]
    const targets = found.map((one) => ({
      ...one,
      addresses: [...one.addresses],
      refused: [...one.refused],
    }))
    return { targets, problem: problemOf(targets) }
  } catch (error) {
    return { targets: [], problem: error instanceof Error ? error.message : String(error) }
  }
}

/** Why nothing of it can be connected to; empty where something can. */
function problemOf(targets: readonly z.input<typeof target>[]): string {
  if (targets.length === 0) return 'its DNS says that it has no servers'
  if (targets.some(({ addresses }) => addresses.length > 0)) return ''
  return targets.some(({ refused }) => refused.length > 0)
    ? 'the DNS knows only private addresses'
    : 'the DNS knows no address'
}

const keyOf = ({ remote, local, direction }: RemoteStream): string =>
  `${remote} ${local} ${direction}`
