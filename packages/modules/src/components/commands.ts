import {
  askManagers,
  type CommandDefinition,
  CommandError,
  type ComponentState,
  readCommand,
  writeCommand,
} from '@tactus/core'
import { type BareJid, domainpart, parseBareJid, tryParseJid } from '@tactus/jid'
import { componentStore, listComponents } from '@tactus/storage'
import { z } from 'zod'

const domainName = z.string().refine(
  (text) => {
    const jid = tryParseJid(text)
    return jid !== undefined && domainpart(jid) === jid
  },
  { error: 'is no domain; irc.example.org would be one' },
)
const domain = domainName.meta({
  description: 'Domain that the component serves, below its host’s.',
  positional: true,
})
const host = domainName.optional().meta({
  description: 'The host that it belongs to; what follows the first dot of its domain when absent.',
})
const done = z.object({ domain: z.string(), host: z.string() })

interface Named {
  readonly domain: string
  readonly host?: string | undefined
}

const hostOf = (input: Named): BareJid =>
  parseBareJid(input.host ?? input.domain.slice(input.domain.indexOf('.') + 1))

const add = writeCommand({
  name: 'component add',
  access: { level: 'host' },
  summary: 'Lets an external component (XEP-0114) serve a domain, or gives it another secret.',
  input: z.object({
    domain,
    host,
    secret: z
      .string()
      .min(8)
      .max(1_023)
      .meta({ description: 'What it proves its domain with.', secret: true }),
    wait: z.int().min(0).max(86_400).default(120).meta({
      description: 'For how many seconds a stanza waits for it while it is away.',
    }),
  }),
  output: done,
  entity: hostOf,
  run(scope, input) {
    const name = parseBareJid(input.domain)
    // Whoever administers a host has no say over domains elsewhere.
    if (scope.entity !== scope.host.name || !name.endsWith(`.${scope.host.name}`))
      throw new CommandError('invalid', `${name} is not below a host that is served here`)
    scope.set(componentStore, name, { secret: input.secret, wait: input.wait * 1_000 })
    return { domain: name, host: scope.host.name }
  },
})

const remove = writeCommand({
  name: 'component remove',
  access: { level: 'host' },
  summary: 'Takes the domain from a component that was added; its connections are closed.',
  input: z.object({ domain, host }),
  output: done,
  entity: hostOf,
  run(scope, input) {
    const name = parseBareJid(input.domain)
    if (!scope.get(componentStore, name))
      throw new CommandError('not-found', `${name} was not added; the configuration may name it`)
    scope.set(componentStore, name, undefined)
    return { domain: name, host: scope.host.name }
  },
})

const list = readCommand({
  name: 'component list',
  access: { level: 'cluster' },
  summary: 'Lists external components, their connections, and what waits for them.',
  input: z.object({}),
  output: z.object({
    components: z.array(
      z.object({
        domain: z.string(),
        host: z.string(),
        /** `unused` is one that was added where a host, a service or the configuration has the domain. */
        origin: z.enum(['configuration', 'command', 'unused']),
        waitSeconds: z.number(),
        connections: z.array(z.object({ instance: z.string(), address: z.string() })),
        queued: z.number(),
      }),
    ),
  }),
  async run({ bus, reader, components }) {
    const stored = await listComponents(reader)
    const states = await askManagers<ComponentState>(bus, 'component.list')
    const isStored = (one: { readonly domain: string; readonly host: string }): boolean =>
      stored.some((other) => other.domain === one.domain && other.host === one.host)
    const served = components.list().map((component) => ({
      ...component,
      origin: isStored(component) ? ('command' as const) : ('configuration' as const),
    }))
    const unused = stored
      .filter(({ domain, host }) => components.get(domain)?.host !== host)
      .map((component) => ({ ...component, origin: 'unused' as const }))
    return {
      components: [...served, ...unused].map(({ domain, host, wait, origin }) => {
        const own = origin === 'unused' ? [] : states.filter((state) => state.domain === domain)
        return {
          domain,
          host,
          origin,
          waitSeconds: wait / 1_000,
          connections: own.flatMap(({ instance, connections }) =>
            connections.map((address) => ({ instance, address })),
          ),
          queued: own.reduce((sum, state) => sum + state.queued, 0),
        }
      }),
    }
  },
})

/** What may be done with external components. */
export const componentCommands: readonly CommandDefinition[] = [add, remove, list]
