import type { Client } from '@tactus/testkit'
import { ask, form, item, owner, pubsub, tune } from './words.ts'

/** What stories of a host’s service are told in; those of accounts have the same words in `words.ts`. */
export const service = 'pubsub.capulet.example'

type Fields = Readonly<Record<string, string | readonly string[]>>

let nodes = 0
/** A name that no other story has: against real processes they share a server. */
export const newNode = (what = 'node'): string => {
  nodes += 1
  return `${what}-${nodes}-${process.pid}`
}

export const set = (client: Client, content: string, to = service) =>
  ask(client, 'set', pubsub(content), to)
export const get = (client: Client, content: string, to = service) =>
  ask(client, 'get', pubsub(content), to)
/** Asks what only owners may. */
export const rule = (client: Client, content: string, type: 'get' | 'set' = 'set') =>
  ask(client, type, owner(content), service)

export const create = (client: Client, node: string, config: Fields = {}) =>
  set(client, `<create node='${node}'/><configure>${form('node_config', config)}</configure>`)
export const publish = (client: Client, node: string, id: string, payload = tune(id)) =>
  set(client, `<publish node='${node}'>${item(id, payload)}</publish>`)
/** A node with room for all that comes, and these items; an id that comes twice is overwritten. */
export async function filled(client: Client, ids: readonly string[], config: Fields = {}) {
  const node = newNode()
  await create(client, node, { max_items: 'max', ...config })
  for (const id of ids) await publish(client, node, id)
  return node
}

export const optionsForm = (fields: Fields) => form('subscribe_options', fields)
/** What subscribes an account, with these options if any are given. */
export const subscribing = (client: Client, node: string, fields?: Fields) =>
  `<subscribe node='${node}' jid='${client.account}'/>${fields ? `<options>${optionsForm(fields)}</options>` : ''}`
export const subscribe = (client: Client, node: string, fields?: Fields, to = service) =>
  set(client, subscribing(client, node, fields), to)
/** What changes the options of an account's only subscription. */
export const choosing = (client: Client, node: string, fields: Fields) =>
  `<options node='${node}' jid='${client.account}'>${optionsForm(fields)}</options>`

export const configure = (client: Client, node: string, fields: Fields) =>
  rule(client, `<configure node='${node}'>${form('node_config', fields)}</configure>`)
export const affiliate = (client: Client, node: string, other: Client, affiliation: string) =>
  rule(
    client,
    `<affiliations node='${node}'><affiliation jid='${other.account}' affiliation='${affiliation}'/></affiliations>`,
  )
