import type { Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { requireAttacher, requireExisting } from '../access.ts'
import { accessModel, type ConfigTexts, rosterGroups, settingOf } from '../fields.ts'
import {
  configureNode,
  createNode,
  findNode,
  itemsOf,
  type Node,
  nodesOf,
  type Service,
} from '../service.ts'
import { pubsubError } from '../wire.ts'
import { baseOf, isDerived, targetIn } from './names.ts'

/**
 * The node that holds what is attached to an item, made for the first who attaches something (XEP-0470 §4.3).
 *
 * @throws {StanzaError} `item-not-found` where there is no such item
 */
export function makeAttached(service: Service, name: string, from: Jid): Node {
  const target = targetIn(name)
  const base = requireExisting(service, target && findNode(service, target.node), from)
  requireAttacher(base, from)
  const isHere = target?.address === service.address
  if (!isHere || !itemsOf(base).some(({ id }) => id === target.item))
    throw new StanzaError('item-not-found')
  const others = nodesOf(service).filter((node) => isDerived(node.name))
  if (others.length >= service.limits.attachedItems)
    throw pubsubError('policy-violation', 'max-nodes-exceeded')
  return makeDerived(base, name)
}

/** Makes a node that belongs to another one, and is for the same people. */
export function makeDerived(base: Node, name: string): Node {
  const { service } = base
  return createNode(service, { name, creator: service.address, config: sharedConfig(base) })
}

/** §4.3: what belongs to a node follows when that is opened, or closed. */
export function followConfiguration(base: Node): void {
  const shared = sharedConfig(base)
  for (const node of nodesOf(base.service))
    if (baseOf(node.name) === base.name) configureNode(node, { ...node.config, ...shared })
}

/** Refuses what only the server does to these nodes (XEP-0470 §4.4). @throws {StanzaError} `not-allowed` */
export function requireOwnName(name: string): void {
  if (isDerived(name)) throw new StanzaError('not-allowed')
}

function sharedConfig({ config }: Node): ConfigTexts {
  return {
    [accessModel.name]: [settingOf(config, accessModel)],
    [rosterGroups.name]: settingOf(config, rosterGroups),
  }
}
