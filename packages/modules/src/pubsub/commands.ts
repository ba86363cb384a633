import {
  type CommandDefinition,
  CommandError,
  readCommand,
  type Scope,
  type ServiceDefinition,
  writeCommand,
} from '@tactus/core'
import { type BareJid, bare, isBare, localpart, parseBareJid, tryParseJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import type { Reader } from '@tactus/storage'
import { z } from 'zod'
import { requireOwnName } from './attachments/derived.ts'
import { deleteNode, emptyNode } from './features/owning.ts'
import { settingOf } from './fields.ts'
import { entityOfNode } from './hosted/place.ts'
import {
  createNode,
  fieldsOf,
  findNode,
  itemsOf,
  type Node,
  peopleOf,
  type Service,
} from './service.ts'
import { tables, usageStore } from './store.ts'

type ServiceOf = (scope: Scope) => Service

/** How nodes are looked at, for commands, which are known before there is a service. */
const served = new WeakMap<ServiceDefinition, ServiceOf>()

/** Says whose nodes a service's commands are about. */
export function serveCommands(definition: ServiceDefinition, serviceOf: ServiceOf): void {
  served.set(definition, serviceOf)
}

const mostShown = 1_000

const service = z
  .string()
  .refine(
    (text) => {
      const jid = tryParseJid(text)
      return jid !== undefined && isBare(jid) && localpart(jid) === undefined
    },
    { error: 'is no domain of a service; pubsub.montague.example would be one' },
  )
  .meta({ description: 'Domain of the pubsub service.', positional: true })
const node = z.string().min(1).meta({ description: 'Name of the node.', positional: true })
const limit = z.coerce.number().int().min(1).max(mostShown).default(100)
const entity = (given: { readonly service: string; readonly node: string }): BareJid =>
  parseBareJid(`${entityOfNode(given.node)}@${given.service}`)
const access = {
  level: 'host',
  about: (given: { readonly service: string }) => given.service,
} as const

interface NodeRow {
  readonly node: string
  readonly title: string
  readonly payload_type: string
  readonly creator: string
  readonly created_at: number
}

const list = readCommand({
  name: 'pubsub list',
  access: { level: 'host', about: ({ address }) => address },
  summary: 'Lists the nodes of a pubsub service, hidden ones among them, or those of an account.',
  input: z.object({
    address: z
      .string()
      .refine((text) => tryParseJid(text) !== undefined, { error: 'is no address' })
      .meta({ description: 'Domain of a service, or address of an account.', positional: true }),
    after: z.string().optional().meta({ description: 'Last node of the page before.' }),
    limit: limit.meta({ description: 'Most nodes to list.' }),
  }),
  output: z.object({
    nodes: z.array(
      z.object({
        node: z.string(),
        title: z.string(),
        type: z.string(),
        creator: z.string(),
        created: z.iso.datetime(),
      }),
    ),
    next: z.string().optional(),
  }),
  async run({ reader }, { address, after, limit: most }) {
    // One more than asked for tells whether this page is the last.
    const found = await nodesAt(reader, address, after ?? '', most + 1)
    const nodes = found.slice(0, most).map((row) => ({
      ...{ node: row.node, title: row.title, type: row.payload_type, creator: row.creator },
      created: new Date(Number(row.created_at)).toISOString(),
    }))
    const last = nodes.at(-1)
    return { nodes, ...(found.length > most && last && { next: last.node }) }
  },
})

async function nodesAt(
  reader: Reader,
  address: string,
  after: string,
  most: number,
): Promise<readonly NodeRow[]> {
  const jid = bare(parseBareJid(address))
  const column = localpart(jid) === undefined ? 'service' : 'entity'
  const rows = await reader
    .selectFrom(tables.nodes)
    .select(['node', 'title', 'payload_type', 'creator', 'created_at'])
    .where(column, '=', jid)
    .where('node', '>', after)
    .orderBy('node')
    .limit(most)
    .execute()
  return rows as unknown as readonly NodeRow[]
}

const show = writeCommand({
  name: 'pubsub show',
  access,
  summary: 'Shows a node of a service: its configuration, who is what to it, how much it holds.',
  input: z.object({ service, node }),
  output: z.object({
    node: z.string(),
    creator: z.string(),
    created: z.iso.datetime(),
    items: z.number(),
    bytes: z.number(),
    options: z.record(z.string(), z.array(z.string())),
    affiliations: z.array(z.object({ jid: z.string(), affiliation: z.string() })),
    subscriptions: z.array(z.object({ jid: z.string(), state: z.string(), subid: z.string() })),
  }),
  entity,
  run(scope, given) {
    const found = requireNode(scope, given.node)
    const options = fieldsOf(found.service).map((field) => [
      field.name,
      [...field.definition.kind.write(settingOf(found.config, field))],
    ])
    const { affiliations, subscriptions } = peopleOf(found)
    return {
      node: found.name,
      creator: found.creator,
      created: new Date(found.createdAt).toISOString(),
      items: itemsOf(found).length,
      bytes: scope.get(usageStore)?.bytes ?? 0,
      options: Object.fromEntries(options),
      affiliations: [...affiliations]
        .slice(0, mostShown)
        .map(([jid, affiliation]) => ({ jid, affiliation })),
      subscriptions: [...subscriptions.values()]
        .slice(0, mostShown)
        .map(({ jid, state, subid }) => ({ jid, state, subid })),
    }
  },
})

const create = writeCommand({
  name: 'pubsub create',
  access,
  summary: 'Makes a node of a service, over whatever number there may be.',
  input: z.object({
    service,
    node,
    owner: z
      .string()
      .refine((text) => tryParseJid(text) !== undefined, { error: 'is no address' })
      .meta({
        description: 'Address of the account that shall own it.',
        positional: true,
        jid: true,
      }),
  }),
  output: z.object({ node: z.string(), owner: z.string() }),
  entity,
  run(scope, { node: name, owner }) {
    const creator = bare(parseBareJid(owner))
    const unbound = { ...requireService(scope), requireRoom: () => undefined }
    explained(() => requireOwnName(name))
    explained(() => createNode(unbound, { name, creator, config: {} }))
    return { node: name, owner: creator }
  },
})

const remove = writeCommand({
  name: 'pubsub delete',
  access,
  irreversible: true,
  summary: 'Deletes a node of a service with all that it holds; its subscribers are told.',
  input: z.object({ service, node }),
  output: z.object({ node: z.string() }),
  entity,
  run(scope, { node: name }) {
    const found = requireNode(scope, name)
    explained(() => requireOwnName(name))
    deleteNode(found)
    return { node: name }
  },
})

const purge = writeCommand({
  name: 'pubsub purge',
  access,
  irreversible: true,
  summary: 'Takes all items out of a node of a service; its subscribers are told.',
  input: z.object({ service, node }),
  output: z.object({ node: z.string(), items: z.number() }),
  entity,
  run(scope, { node: name }) {
    const found = requireNode(scope, name)
    explained(() => requireOwnName(name))
    const items = itemsOf(found).length
    emptyNode(found)
    return { node: name, items }
  },
})

const items = writeCommand({
  name: 'pubsub items',
  access,
  summary: 'Lists the items of a node of a service, the most recent first, without what they hold.',
  input: z.object({ service, node, limit: limit.meta({ description: 'Most items to list.' }) }),
  output: z.object({
    items: z.array(
      z.object({
        id: z.string(),
        publisher: z.string(),
        published: z.iso.datetime(),
        bytes: z.number(),
      }),
    ),
  }),
  entity,
  run(scope, { node: name, limit: most }) {
    const entries = itemsOf(requireNode(scope, name)).toReversed().slice(0, most)
    return {
      items: entries.map(({ id, publisher, at, bytes }) => ({
        ...{ id, publisher, bytes },
        published: new Date(at).toISOString(),
      })),
    }
  },
})

/** What operators do about the nodes of services; the administrator of a host about those of the host's. */
export const nodeCommands: readonly CommandDefinition[] = [list, show, create, remove, items, purge]

function requireService(scope: Scope): Service {
  const serviceOf = scope.service && served.get(scope.service.definition)
  if (!serviceOf) throw new CommandError('not-found', 'there is no pubsub service of that name')
  return serviceOf(scope)
}

function requireNode(scope: Scope, name: string): Node {
  const found = findNode(requireService(scope), name)
  if (!found) throw new CommandError('not-found', `there is no node ${name}`)
  return found
}

/** Says to operators what the service would say to whoever asks it. */
function explained(change: () => void): void {
  try {
    change()
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error
    const isThere = error.condition === 'conflict'
    const text = isThere ? 'there is a node of that name already' : (error.text ?? error.condition)
    throw new CommandError(isThere ? 'conflict' : 'invalid', text)
  }
}
