import type { ItemEvent, Session } from '@tactus/core'
import { bare, type Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { clone, serialize, type XmlElement, xml } from '@tactus/xml'
import { affiliationOf } from './access.ts'
import { attachedName, isDerived, summaryName } from './attachments/names.ts'
import { awaitExpiry } from './expiry.ts'
import { maxPayload, notifyRetract, settingOf, whenFull } from './fields.ts'
import { followersName } from './followers/names.ts'
import { notify, notifyItem, replyAddress } from './notify.ts'
import {
  capacityOf,
  dropNode,
  findNode,
  itemsOf,
  keepsItems,
  type Node,
  savePeople,
  storedItemsOf,
} from './service.ts'
import { type ItemEntry, itemKey, itemStore, payloadStore, tables, usageStore } from './store.ts'
import { pubsubError } from './wire.ts'

/** SECURITY: an id comes back in stanzas and in pages of results. */
const longestId = 1_024

/** What is to be published. */
export interface Publication {
  readonly id: string | undefined
  readonly payload: XmlElement | undefined
  readonly publisher: Jid
  /** The resource it comes from. */
  readonly session?: Session | undefined
}

/**
 * Publishes an item: stores it, makes room, tells everybody (XEP-0060 §7.1.2).
 *
 * Whether the publisher may is the caller's to know. Answers the id of the item; undefined where there is none, but only
 * a signal (§4.3).
 * @throws {StanzaError} as the examples of §7.1.3 show
 */
export function publishItem(node: Node, publication: Publication): string | undefined {
  const { scope } = node.service
  const { payload, publisher, session } = publication
  const isItem = payload !== undefined || keepsItems(node)
  const id = publication.id ?? (isItem ? scope.makeId() : undefined)
  if (id && id.length > longestId)
    throw new StanzaError('not-acceptable', 'The item id is too long.')
  const text = payload ? serialize(clone(payload)) : ''
  const bytes = Buffer.byteLength(text)
  requireSize(node, bytes)
  const event: ItemEvent = {
    scope,
    node: node.name,
    item: { id: id ?? '', payload, publisher, at: scope.now },
  }
  node.type?.check?.(event)
  const evicted =
    id !== undefined && keepsItems(node) ? keep(node, { id, publisher, bytes, text }) : []
  awaitExpiry(node)
  notifyItem(node, { id, payload, publisher: replyAddress(node, publisher) }, session)
  if (tellsEvictions(node)) notifyRetracted(node, evicted)
  if (evicted.length > 0) tellType(node, evicted)
  node.type?.published?.(event)
  return id
}

/** Takes items out of a node, and tells who had them if that is wanted (XEP-0060 §7.2). */
export function retractItems(node: Node, ids: readonly string[], tell: boolean): void {
  const gone = new Set(ids)
  const entries = storedItemsOf(node)
  const removed = entries.filter(({ id }) => gone.has(id))
  if (removed.length === 0) return
  const { scope } = node.service
  const event = { scope, node: node.name, ids: removed.map(({ id }) => id) }
  node.type?.retracting?.(event)
  remove(
    node,
    entries.filter(({ id }) => !gone.has(id)),
    removed,
  )
  if (tell) notifyRetracted(node, removed)
  node.type?.retracted?.(event)
  dropAttached(node, event.ids)
}

/** Takes all items out of a node (XEP-0060 §8.5). */
export function purgeItems(node: Node): void {
  const entries = storedItemsOf(node)
  if (entries.length === 0) return
  clearItems(node, entries)
  tellType(node, entries)
}

function clearItems(node: Node, entries: readonly ItemEntry[]): void {
  const { scope } = node.service
  scope.set(itemStore, node.name, undefined)
  scope.turn.clear(payloadStore, tables.payloads, { entity: scope.entity, node: node.name })
  changeUsage(node, -sum(entries))
}

/** Brings a node down to what its configuration allows now. */
export function trimItems(node: Node): void {
  const entries = storedItemsOf(node)
  const surplus = keepsItems(node) ? Math.max(0, entries.length - capacityOf(node)) : entries.length
  if (surplus === 0) return
  const gone = entries.slice(0, surplus)
  remove(node, entries.slice(surplus), gone)
  dropAttached(
    node,
    gone.map(({ id }) => id),
  )
}

/** Takes out what is over by its node’s `item_expire`. Nobody is told: who has it knows how long (XEP-0501 §4). */
export function expireItems(node: Node): void {
  const fresh = itemsOf(node)
  const gone = storedItemsOf(node).filter((entry) => !fresh.includes(entry))
  if (gone.length > 0) {
    remove(node, fresh, gone)
    tellType(node, gone)
  }
  awaitExpiry(node)
}

interface NewItem {
  readonly id: string
  readonly publisher: Jid
  readonly bytes: number
  readonly text: string
}

/** Stores an item, and answers those that made room for it. */
function keep(node: Node, { id, publisher, bytes, text }: NewItem): readonly ItemEntry[] {
  const { scope } = node.service
  const entries = storedItemsOf(node)
  const former = entries.find((entry) => entry.id === id)
  if (former) requireAuthor(node, former, publisher)
  const others = former ? entries.filter((entry) => entry !== former) : entries
  const surplus = Math.max(0, others.length + 1 - capacityOf(node))
  if (surplus > 0 && !former && settingOf(node.config, whenFull) === 'reject')
    throw pubsubError('conflict', 'node-full')
  const evicted = others.slice(0, surplus)
  const last = entries.at(-1)?.seq ?? 0
  // From the clock, so that no number comes back after the last item of a node is gone.
  const seq = Math.max(last + 1, scope.now * 100)
  const born = former?.born ?? seq
  const entry: ItemEntry = { seq, born, id, publisher, at: scope.now, bytes }
  const removed = former ? [...evicted, former] : evicted
  changeUsage(node, bytes - sum(removed))
  dropPayloads(node, removed)
  scope.set(itemStore, node.name, [...others.slice(surplus), entry])
  if (text !== '') {
    const row = { entity: scope.entity, node: node.name, seq, xml: text }
    scope.turn.insert(payloadStore, tables.payloads, row)
  }
  return evicted
}

/** Where many may publish, nobody overwrites what is somebody else’s; owners and publishers may. */
function requireAuthor(node: Node, entry: ItemEntry, publisher: Jid): void {
  if (!mayReplace(node, entry, publisher)) throw new StanzaError('forbidden')
}

/** Whether somebody may overwrite or retract an item (XEP-0060 §7.2.3.1). */
export function mayReplace(node: Node, entry: ItemEntry, jid: Jid): boolean {
  if (bare(entry.publisher as Jid) === bare(jid)) return true
  const affiliation = affiliationOf(node, jid)
  return affiliation === 'owner' || affiliation === 'publisher'
}

function remove(node: Node, kept: readonly ItemEntry[], removed: readonly ItemEntry[]): void {
  changeUsage(node, -sum(removed))
  dropPayloads(node, removed)
  node.service.scope.set(itemStore, node.name, kept.length > 0 ? kept : undefined)
}

function dropPayloads({ service: { scope }, name }: Node, entries: readonly ItemEntry[]): void {
  for (const { seq } of entries) {
    const row = { entity: scope.entity, node: name, seq }
    scope.turn.remove(payloadStore, tables.payloads, itemKey, row)
  }
}

function changeUsage({ service: { scope, limits } }: Node, difference: number): void {
  if (difference === 0) return
  const before = scope.get(usageStore)?.bytes ?? 0
  const bytes = Math.max(0, before + difference)
  if (difference > 0 && bytes > limits.bytes)
    throw new StanzaError('policy-violation', `All items together may have ${limits.bytes} bytes.`)
  scope.set(usageStore, '', bytes > 0 ? { bytes } : undefined)
}

function requireSize(node: Node, bytes: number): void {
  const limit = Math.min(node.service.limits.payloadBytes, settingOf(node.config, maxPayload))
  if (bytes > limit) throw pubsubError('not-acceptable', 'payload-too-big')
}

function notifyRetracted(node: Node, entries: readonly ItemEntry[]): void {
  if (entries.length === 0) return
  const retracts = entries.map(({ id }) => xml('retract', { id }))
  notify(node, xml('items', { node: node.name }, retracts))
}

/** §7.1.2.5, §16.4.3 */
function tellsEvictions({ config }: Node): boolean {
  return settingOf(config, notifyRetract) && settingOf(config, whenFull) === 'retract-oldest'
}

function tellType(node: Node, entries: readonly ItemEntry[]): void {
  const { scope } = node.service
  const ids = entries.map(({ id }) => id)
  node.type?.retracted?.({ scope, node: node.name, ids })
  dropAttached(node, ids)
}

/** What was attached to items goes with them (XEP-0470). */
function dropAttached(node: Node, ids: readonly string[]): void {
  const { service, name } = node
  const summary = isDerived(name) ? undefined : findNode(service, summaryName(name))
  if (!summary) return
  for (const item of ids) {
    const attached = findNode(service, attachedName({ address: service.address, node: name, item }))
    if (attached) dropDerived(attached)
  }
  retractItems(summary, ids, true)
}

/** What the server tells about a node, in nodes of their own, goes with it. */
export function dropSummaries({ service, name }: Node): void {
  for (const derived of [summaryName(name), followersName(name)]) {
    const node = findNode(service, derived)
    if (node) dropDerived(node)
  }
}

function dropDerived(node: Node): void {
  clearItems(node, storedItemsOf(node))
  savePeople(node, { affiliations: new Map(), subscriptions: new Map() })
  dropNode(node)
}

function sum(entries: readonly ItemEntry[]): number {
  return entries.reduce((total, { bytes }) => total + bytes, 0)
}
