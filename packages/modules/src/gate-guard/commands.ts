import {
  type CommandDefinition,
  CommandError,
  readCommand,
  type Scope,
  writeCommand,
} from '@tactus/core'
import { domainpart, parseBareJid, tryParseJid } from '@tactus/jid'
import { gateStore, listGate } from '@tactus/storage'
import { z } from 'zod'

const isDomain = (text: string): boolean => {
  const jid = tryParseJid(text)
  return jid !== undefined && domainpart(jid) === jid
}
const domainName = z
  .string()
  .refine(isDomain, { error: 'is no domain; montague.example would be one' })
const domain = domainName.meta({
  description: 'The remote domain; it stands for those below it as well.',
  positional: true,
})
const host = domainName.meta({ description: 'The host that it is about.', own: 'host' })
const reason = z.string().max(256).default('').meta({ description: 'For whoever reads the list.' })
const done = z.object({ host: z.string(), domain: z.string() })

const block = writeCommand({
  name: 's2s block',
  access: { level: 'host' },
  summary: 'Ban a remote domain from a host; its streams are ended.',
  input: z.object({
    domain,
    host,
    hours: z
      .number()
      .positive()
      .max(1_000_000)
      .optional()
      .meta({ description: 'For how long; for ever when absent.' }),
    reason,
  }),
  output: done,
  entity: ({ host }) => parseBareJid(host),
  run(scope, input) {
    const until = input.hours === undefined ? undefined : scope.now + input.hours * 3_600_000
    return note(scope, input, { kind: 'blocked', until })
  },
})

const trust = writeCommand({
  name: 's2s trust',
  access: { level: 'host' },
  summary: 'Lift the ban of a remote domain, and never ban it without being told to.',
  input: z.object({ domain, host, reason }),
  output: done,
  entity: ({ host }) => parseBareJid(host),
  run: (scope, input) => note(scope, input, { kind: 'trusted', until: undefined }),
})

const unblock = writeCommand({
  name: 's2s unblock',
  access: { level: 'host' },
  summary: 'Forget that a remote domain was banned or trusted.',
  input: z.object({ domain, host }),
  output: done,
  entity: ({ host }) => parseBareJid(host),
  run(scope, input) {
    requireHost(scope)
    const name = parseBareJid(input.domain)
    if (!scope.get(gateStore, name))
      throw new CommandError('not-found', `${name} is neither banned nor trusted`)
    scope.set(gateStore, name, undefined)
    return { host: scope.host.name, domain: name }
  },
})

const ban = writeCommand({
  name: 'gate ban',
  internal: true,
  summary: 'What a connection manager asks for when a domain has gone too far.',
  input: z.object({ domain: domainName, host: domainName, duration: z.number(), reason }),
  output: done,
  entity: ({ host }) => parseBareJid(host),
  run(scope, input) {
    const known = scope.get(gateStore, parseBareJid(input.domain))
    const isOver = known?.until !== undefined && known.until <= scope.now
    // What people decided stands.
    if (known && !isOver) return { host: scope.host.name, domain: input.domain }
    return note(scope, input, { kind: 'blocked', until: scope.now + input.duration })
  },
})

const list = readCommand({
  name: 's2s blocked',
  access: { level: 'cluster' },
  summary: 'List the remote domains that are banned or trusted.',
  input: z.object({}),
  output: z.object({
    domains: z.array(
      z.object({
        host: z.string(),
        domain: z.string(),
        kind: z.enum(['blocked', 'trusted']),
        since: z.iso.datetime(),
        until: z.iso.datetime().optional(),
        reason: z.string(),
      }),
    ),
  }),
  async run({ reader, now }) {
    const entries = (await listGate(reader)).filter(
      ({ until }) => until === undefined || until > now(),
    )
    return {
      domains: entries.map(({ host, domain, kind, until, at, reason }) => ({
        host,
        domain,
        kind: kind === 'trusted' ? ('trusted' as const) : ('blocked' as const),
        since: new Date(at).toISOString(),
        ...(until !== undefined && { until: new Date(until).toISOString() }),
        reason,
      })),
    }
  },
})

function note(
  scope: Scope,
  { domain, reason }: { readonly domain: string; readonly reason: string },
  entry: { readonly kind: 'blocked' | 'trusted'; readonly until: number | undefined },
): z.input<typeof done> {
  requireHost(scope)
  const name = parseBareJid(domain)
  if (name === scope.host.name || name.endsWith(`.${scope.host.name}`))
    throw new CommandError('invalid', `${name} is no other server's`)
  scope.set(gateStore, name, { ...entry, reason, at: scope.now })
  return { host: scope.host.name, domain: name }
}

/** A service's domain has no gate of its own. */
function requireHost(scope: Scope): void {
  if (scope.entity !== scope.host.name)
    throw new CommandError('invalid', `${scope.entity} is no host, but a service of one`)
}

/** What may be done about other servers that behave badly, or well. */
export const gateCommands: readonly CommandDefinition[] = [block, trust, unblock, ban, list]
