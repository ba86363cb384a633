import type { IqAnswer } from '@tactus/core'
import { bare } from '@tactus/jid'
import { type DataForm, findForm, formTypeOf, readForm, StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { requireExisting, requirePublisher, requireUnmanaged } from '../access.ts'
import { makeAttached } from '../attachments/derived.ts'
import { isDerived } from '../attachments/names.ts'
import type { PubsubFeature } from '../feature.ts'
import {
  type AnyField,
  type ConfigTexts,
  deliverPayloads,
  maxItems,
  notifyRetract,
  payloadType,
  settingOf,
} from '../fields.ts'
import { mayReplace, publishItem, retractItems } from '../publish.ts'
import {
  capacityOf,
  createNode,
  fieldsOf,
  findNode,
  itemsOf,
  keepsItems,
  type Node,
  type PubsubRequest,
  type Service,
} from '../service.ts'
import { isPrevious, previousIn, requirePrevious } from '../versions.ts'
import {
  isYes,
  NS_PUBSUB,
  PUBLISH_OPTIONS,
  pubsubElement,
  pubsubError,
  requireNode,
  unsupported,
} from '../wire.ts'

/** XEP-0060 §7: publish and delete items. */
export const publishing: PubsubFeature = {
  announces: [
    'publish',
    'publish-options',
    'publish-node-full',
    'item-ids',
    'delete-items',
    'retract-items',
    'persistent-items',
    'multi-items',
  ],
  actions: [
    { type: 'set', ns: 'pubsub', name: 'publish', handle: publish },
    { type: 'set', ns: 'pubsub', name: 'retract', handle: retract },
  ],
}

function publish(request: PubsubRequest): IqAnswer {
  const { action, from, session } = request
  const name = requireNode(action)
  requireUnmanaged(request.service, name)
  const options = readOptions(request)
  const node = targetOf(request, name, options)
  const published = readItems(action, node).map(({ id, payload }) =>
    publishItem(node, { id, payload, publisher: from, session }),
  )
  const items = published.map((id) => (id === undefined ? undefined : xml('item', { id })))
  return pubsubElement(xml('publish', { node: name }, items))
}

/** The node that is published to; it is made where that is allowed (§7.1.4, §7.1.5). */
function targetOf(request: PubsubRequest, name: string, options: Preconditions): Node {
  const { service, from } = request
  const node = findNode(service, name)
  if (node) {
    requirePublisher(node, from)
    // XEP-0470 §4.3: of these nodes, nobody decides what they are like.
    if (isDerived(name)) return node
    requireConditions(node, options)
    return node
  }
  if (isDerived(name)) return makeAttached(service, name, from)
  if (!service.autoCreate || bare(from) !== service.owner)
    return requireExisting(service, undefined, from)
  const made = createNode(service, { name, creator: bare(from), config: options.config })
  requireConditions(made, options)
  return made
}

/** What has to be so for anything to be published. */
interface Preconditions {
  readonly config: ConfigTexts
  /** Of the last item (XEP-0395). */
  readonly previous: string | undefined
}

/**
 * What `<publish-options/>` asks for (§7.1.5).
 *
 * @throws {StanzaError} `conflict` for a field that the server does not know
 */
function readOptions({ pubsub, service }: PubsubRequest): Preconditions {
  const element = pubsub.getChild('publish-options', NS_PUBSUB)
  const form = element && findForm(element)
  if (!form) return { config: {}, previous: undefined }
  const submitted = readForm(form)
  if (formTypeOf(submitted) !== PUBLISH_OPTIONS)
    throw new StanzaError('bad-request', `A form of type ${PUBLISH_OPTIONS} is expected.`)
  return readConditions(submitted, service)
}

function readConditions(form: DataForm, service: Service): Preconditions {
  const fields = fieldsOf(service)
  const config: Record<string, readonly string[]> = {}
  const versions = service.limits.versions ? form.fields.filter(isPrevious) : []
  for (const asked of form.fields) {
    const { var: name, values } = asked
    if (name === undefined || name === 'FORM_TYPE' || versions.includes(asked)) continue
    const field = fields.find((each) => each.name === name)
    const value = field?.definition.kind.read(values)
    if (!field || value === undefined) throw pubsubError('conflict', 'precondition-not-met')
    config[name] = field.definition.kind.write(value)
  }
  return { config, previous: versions[0] && previousIn(versions[0]) }
}

/** §7.1.5, rule 1. */
function requireConditions(node: Node, { config: wantedConfig, previous }: Preconditions): void {
  const { service, config } = node
  for (const field of fieldsOf(service)) {
    const wanted = wantedConfig[field.name]
    if (!wanted) continue
    const actual = field.definition.kind.write(settingOf(config, field))
    if (!isSame(field, wanted, actual, service.limits.items))
      throw pubsubError('conflict', 'precondition-not-met')
  }
  if (previous !== undefined) requirePrevious(node, previous)
}

function isSame(
  field: AnyField,
  wanted: readonly string[],
  actual: readonly string[],
  limit: number,
): boolean {
  // `max` is the number that it stands for.
  const plain = (texts: readonly string[]): readonly string[] =>
    field.name === maxItems.name && texts[0] === 'max' ? [String(limit)] : texts.toSorted()
  return plain(wanted).join('\0') === plain(actual).join('\0')
}

interface ItemRequest {
  readonly id: string | undefined
  readonly payload: XmlElement | undefined
}

/** The items as the kind of the node demands them; all of a batch, or none (§4.3, §7.1.3.6, §12.8). */
function readItems(action: XmlElement, node: Node): readonly ItemRequest[] {
  const items = action.getChildren('item', NS_PUBSUB)
  const most = isDerived(node.name)
    ? 1
    : Math.min(node.service.limits.pageItems, Math.max(1, capacityOf(node)))
  if (items.length > most) throw pubsubError('not-allowed', 'max-items-exceeded')
  return items.length === 0
    ? [readItem(undefined, node)]
    : items.map((item) => readItem(item, node))
}

function readItem(item: XmlElement | undefined, node: Node): ItemRequest {
  const hasPayload = settingOf(node.config, deliverPayloads)
  const isKept = keepsItems(node)
  if (!item) {
    if (isKept) throw pubsubError('bad-request', 'item-required')
    if (hasPayload) throw pubsubError('bad-request', 'payload-required')
    return { id: undefined, payload: undefined }
  }
  if (!isKept && !hasPayload) throw pubsubError('bad-request', 'item-forbidden')
  const payload = payloadOf(item, node)
  if (hasPayload && !payload) throw pubsubError('bad-request', 'payload-required')
  return { id: item.attrs.id || undefined, payload }
}

function payloadOf(item: XmlElement, node: Node): XmlElement | undefined {
  const [payload, ...others] = item.getChildElements()
  const wanted = node.type?.payload ?? settingOf(node.config, payloadType)
  const isOfOneKind = wanted !== '' && !node.type?.mixed
  const isForeign = payload && isOfOneKind && payload.getNS() !== wanted
  if (others.length > 0 || isForeign) throw pubsubError('bad-request', 'invalid-payload')
  return payload
}

/** §7.2 */
function retract({ service, action, from }: PubsubRequest): IqAnswer {
  const name = requireNode(action)
  requireUnmanaged(service, name)
  const ids = action.getChildren('item', NS_PUBSUB).map(({ attrs }) => attrs.id ?? '')
  if (ids.length === 0 || ids.includes('')) throw pubsubError('bad-request', 'item-required')
  const node = requireExisting(service, findNode(service, name), from)
  requirePublisher(node, from)
  if (!keepsItems(node)) throw unsupported('persistent-items')
  const entries = new Map(itemsOf(node).map((entry) => [entry.id, entry]))
  for (const id of ids) {
    const entry = entries.get(id)
    if (!entry) throw new StanzaError('item-not-found')
    if (!mayReplace(node, entry, from)) throw new StanzaError('forbidden')
  }
  const { notify } = action.attrs
  retractItems(
    node,
    ids,
    notify === undefined ? settingOf(node.config, notifyRetract) : isYes(notify),
  )
  return undefined
}
