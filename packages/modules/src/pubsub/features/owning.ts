import type { IqAnswer } from '@tactus/core'
import { bare } from '@tactus/jid'
import { type DataForm, findForm, formElement, readForm, StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { requireExisting, requireOwner, requireUnmanaged } from '../access.ts'
import { followConfiguration, requireOwnName } from '../attachments/derived.ts'
import { noCollections, requireLeaf } from '../collections.ts'
import { awaitExpiry, forgetExpiry } from '../expiry.ts'
import type { PubsubFeature } from '../feature.ts'
import {
  type ConfigTexts,
  configForm,
  notifyConfig,
  notifyDelete,
  readConfig,
  requireCount,
  settingOf,
  toTexts,
} from '../fields.ts'
import { notify } from '../notify.ts'
import { dropSummaries, purgeItems, trimItems } from '../publish.ts'
import {
  configureNode,
  createNode,
  dropNode,
  fieldsOf,
  findNode,
  keepsItems,
  kindOf,
  type Node,
  type PubsubRequest,
  type Service,
  savePeople,
} from '../service.ts'
import {
  NS_PUBSUB,
  NS_PUBSUB_OWNER,
  ownerElement,
  pubsubElement,
  requireNode,
  unsupported,
} from '../wire.ts'

/** XEP-0060 §8.1 to §8.5: make, configure, empty and delete nodes. */
export const owning: PubsubFeature = {
  announces: [
    'create-nodes',
    'create-and-configure',
    'instant-nodes',
    'config-node',
    'config-node-max',
    'retrieve-default',
    'delete-nodes',
    'purge-nodes',
    'access-open',
    'access-authorize',
    'access-whitelist',
    'owner',
    'meta-data',
  ],
  actions: [
    { type: 'set', ns: 'pubsub', name: 'create', handle: create },
    { type: 'get', ns: 'owner', name: 'default', handle: defaults },
    { type: 'get', ns: 'owner', name: 'configure', handle: offerConfiguration },
    { type: 'set', ns: 'owner', name: 'configure', handle: configure },
    { type: 'set', ns: 'owner', name: 'purge', handle: purge },
    { type: 'set', ns: 'owner', name: 'delete', handle: remove },
    { type: 'set', ns: 'owner', name: 'collection', handle: associate },
  ],
}

/** §8.1 */
function create({ service, scope, pubsub, action, from }: PubsubRequest): IqAnswer {
  service.requireCreator(from)
  const element = pubsub.getChild('configure', NS_PUBSUB)
  const form = element && findForm(element)
  const config = form ? readOwn(readForm(form), service) : {}
  // §8.1.2: an instant node gets its name from the server.
  const name = action.attrs.node || scope.makeId()
  requireUnmanaged(service, name)
  requireOwnName(name)
  requireForced(forcedOf(service, name, config), config)
  createNode(service, { name, creator: bare(from), config })
  // A service does not know here any more whether the name was its own idea.
  if (action.attrs.node && service.owner !== undefined) return undefined
  return pubsubElement(xml('create', { node: name }))
}

function readOwn(form: DataForm, service: Service): ConfigTexts {
  requireLeaf(form)
  return readConfig(form, fieldsOf(service))
}

/** §8.3 */
function defaults({ service, action, from }: PubsubRequest): IqAnswer {
  service.requireCreator(from)
  if (action.attrs.type === 'collection') throw noCollections()
  const fields = fieldsOf(service)
  const form = configForm('form', toTexts(service.defaults, fields), fields)
  return ownerElement(xml('default', null, formElement(form)))
}

/** §8.2.1 */
function offerConfiguration(request: PubsubRequest): IqAnswer {
  const node = ownNode(request)
  const form = configForm('form', node.config, fieldsOf(node.service))
  return ownerElement(xml('configure', { node: node.name }, formElement(form)))
}

/** §8.2.4 */
function configure(request: PubsubRequest): IqAnswer {
  const node = ownNode(request)
  const element = findForm(request.action)
  if (!element) throw new StanzaError('bad-request', 'A form is expected.')
  const form = readForm(element)
  if (form.type === 'cancel') return undefined
  requireOwnName(node.name)
  changeConfiguration(node, form)
  return undefined
}

function changeConfiguration(node: Node, form: DataForm): void {
  const { service, name } = node
  const changes = readOwn(form, service)
  const wanted = { ...node.config, ...changes }
  const forced = forcedOf(service, name, wanted)
  requireForced(forced, changes)
  const config = { ...wanted, ...forced }
  requireCount(config, service.limits.items)
  const changed = configureNode(node, config)
  followConfiguration(changed)
  trimItems(changed)
  forgetExpiry(service.scope, name)
  awaitExpiry(changed)
  if (settingOf(config, notifyConfig))
    notify(changed, xml('configuration', { node: name }, told(changed)))
}

/** §8.2.5: the configuration in a notification, for the types that announce it. */
function told(node: Node): XmlElement {
  return formElement(configForm('result', node.config, fieldsOf(node.service)))
}

function forcedOf(service: Service, name: string, config: ConfigTexts): ConfigTexts {
  return toTexts(kindOf(service, name, config)?.forced ?? {}, fieldsOf(service))
}

/** SECURITY: what must be private stays so, whatever a client asks for. @throws {StanzaError} `not-acceptable` */
function requireForced(forced: ConfigTexts, config: ConfigTexts): void {
  for (const [field, texts] of Object.entries(forced))
    if (config[field] && config[field].join('\0') !== texts.join('\0'))
      throw new StanzaError('not-acceptable', `${field} cannot be changed.`)
}

/** §8.5 */
function purge(request: PubsubRequest): IqAnswer {
  requireUnmanaged(request.service, requireNode(request.action))
  const node = ownNode(request)
  requireOwnName(node.name)
  if (!keepsItems(node)) throw unsupported('persistent-items')
  emptyNode(node)
  return undefined
}

/** Takes everything out of a node, and tells those who had it. */
export function emptyNode(node: Node): void {
  purgeItems(node)
  notify(node, xml('purge', { node: node.name }))
}

/** §8.4 */
function remove(request: PubsubRequest): IqAnswer {
  requireUnmanaged(request.service, requireNode(request.action))
  const node = ownNode(request)
  requireOwnName(node.name)
  deleteNode(node, request.action.getChild('redirect', NS_PUBSUB_OWNER)?.attrs.uri)
  return undefined
}

/** Deletes a node with all that belongs to it, and tells its subscribers where to go instead, if anywhere. */
export function deleteNode(node: Node, uri?: string): void {
  if (settingOf(node.config, notifyDelete)) {
    const redirect = uri === undefined ? undefined : xml('redirect', { uri })
    notify(node, xml('delete', { node: node.name }, redirect))
  }
  purgeItems(node)
  dropSummaries(node)
  forgetExpiry(node.service.scope, node.name)
  savePeople(node, { affiliations: new Map(), subscriptions: new Map() })
  dropNode(node)
}

/** XEP-0248 §7.5 */
function associate(): IqAnswer {
  throw noCollections()
}

/** The node of a request that only its owners may make. */
function ownNode({ service, action, from }: PubsubRequest): Node {
  const name = requireNode(action)
  const node = requireExisting(service, findNode(service, name), from)
  requireOwner(node, from)
  return node
}
