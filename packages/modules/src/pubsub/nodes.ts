import type { Nodes, Scope } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { parseElement, type XmlElement } from '@tactus/xml'
import { mayAccess } from './access.ts'
import { askNodeArchive } from './archive.ts'
import { deleteNode } from './features/owning.ts'
import { accessModel, settingOf, toTexts } from './fields.ts'
import { publishItem, retractItems } from './publish.ts'
import { createNode, fieldsOf, findNode, itemsOf, type Node, type Service } from './service.ts'
import { type ItemEntry, payloadKey, payloadStore } from './store.ts'

const audiences = {
  open: 'everybody',
  presence: 'presence',
  roster: 'some',
  authorize: 'some',
  whitelist: 'some',
} as const

const nothing: ReadonlyMap<number, string> = new Map()
/** Most payloads that are read at once. */
const mostRead = 1_000

/** The engine as other modules use it, in an entity's own name. */
export function nodesFor(serviceOf: (scope: Scope) => Service): Nodes {
  const find = (scope: Scope, name: string): Node | undefined => findNode(serviceOf(scope), name)
  const entriesOf = (scope: Scope, name: string): readonly ItemEntry[] => {
    const node = find(scope, name)
    return node ? itemsOf(node) : []
  }

  return {
    askArchive: (request) => askNodeArchive(serviceOf(request.scope), request),

    ids: (scope, name) =>
      entriesOf(scope, name)
        .map(({ id }) => id)
        .toReversed(),

    items(scope, name) {
      const entries = entriesOf(scope, name).slice(-mostRead)
      return read(scope, name, entries).toReversed()
    },

    item(scope, name, id) {
      const entries = entriesOf(scope, name)
      const entry = id === undefined ? entries.at(-1) : entries.find((each) => each.id === id)
      return entry && read(scope, name, [entry])[0]
    },

    publish(scope, name, { id, payload }, config = {}) {
      const service = serviceOf(scope)
      const texts = toTexts(config, fieldsOf(service))
      const node =
        findNode(service, name) ??
        createNode(service, { name, creator: scope.entity, config: texts })
      publishItem(node, { id, payload, publisher: scope.entity })
    },

    retract(scope, name, ids) {
      const node = find(scope, name)
      if (node) retractItems(node, ids, true)
    },

    drop(scope, name) {
      const node = find(scope, name)
      if (node) deleteNode(node)
    },

    mayRead(scope, name, reader) {
      const node = find(scope, name)
      return node !== undefined && mayAccess(node, reader)
    },

    audience(scope, name) {
      const node = find(scope, name)
      return node && audiences[settingOf(node.config, accessModel)]
    },
  }
}

function read(
  scope: Scope,
  node: string,
  entries: readonly ItemEntry[],
): ReturnType<Nodes['items']> {
  if (entries.length === 0) return []
  const seqs = entries.map(({ seq }) => seq)
  const payloads = scope.get(payloadStore, payloadKey(node, seqs)) ?? nothing
  return entries.map(({ seq, id, publisher, at }) => ({
    ...{ id, publisher: publisher as Jid, at },
    payload: parsed(payloads.get(seq)),
  }))
}

function parsed(text: string | undefined): XmlElement | undefined {
  return text === undefined ? undefined : parseElement(text)
}
