import type { DiscoItem, DiscoNode } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { type FormField, formatDateTime, formElement, formTypeField } from '@tactus/stanza'
import { affiliationOf, mayAccess } from './access.ts'
import { isDerived } from './attachments/names.ts'
import { cachingHints } from './caching.ts'
import {
  accessModel,
  contact,
  description,
  language,
  maxItems,
  payloadType,
  publishModel,
  settingOf,
  title,
} from './fields.ts'
import {
  capacityOf,
  findNode,
  itemsOf,
  type Node,
  nodesOf,
  peopleOf,
  type Service,
} from './service.ts'
import { META_DATA, NS_PUBSUB } from './wire.ts'

/** Nodes that somebody may have (XEP-0060 §5.2, XEP-0163 §6.2). */
export function visibleNodes(service: Service, from: Jid): readonly DiscoItem[] {
  return nodesOf(service)
    .filter((node) => !isDerived(node.name) && mayAccess(node, from))
    .map((node) => {
      const name = settingOf(node.config, title)
      return { jid: service.address, node: node.name, ...(name !== '' && { name }) }
    })
}

/** What a node says of itself (XEP-0060 §5.3 to §5.5); undefined for who may not know of it. */
export function describeNode(service: Service, name: string, from: Jid): DiscoNode | undefined {
  const node = findNode(service, name)
  if (!node || !mayKnow(node, from)) return undefined
  return {
    info: {
      identities: [{ category: 'pubsub', type: 'leaf' }],
      features: [NS_PUBSUB],
      forms: [formElement({ type: 'result', fields: metaData(node, from) })],
    },
    items: (mayAccess(node, from) ? itemsOf(node) : [])
      .toReversed()
      .map(({ id }) => ({ jid: service.address, name: id })),
  }
}

/** Who has to ask an owner of a service’s node first needs to know what for. */
function mayKnow(node: Node, from: Jid): boolean {
  const asks = settingOf(node.config, accessModel) === 'authorize'
  const isShown = node.service.owner === undefined && asks
  return mayAccess(node, from) || (isShown && affiliationOf(node, from) !== 'outcast')
}

/** §5.4. SECURITY: who subscribed is the owner's business, and how many. */
function metaData(node: Node, from: Jid): readonly FormField[] {
  const { config } = node
  const plain = (field: typeof title): FormField[] => {
    const value = settingOf(config, field)
    return value === '' ? [] : [entry(field.name, value)]
  }
  const isOwner = affiliationOf(node, from) === 'owner'
  return [
    formTypeField(META_DATA),
    ...[title, description, payloadType, language].flatMap(plain),
    ...owners(node),
    ...contacts(node),
    entry('pubsub#creator', node.creator),
    entry('pubsub#creation_date', formatDateTime(node.createdAt)),
    entry(accessModel.name, settingOf(config, accessModel)),
    entry(publishModel.name, settingOf(config, publishModel)),
    entry(maxItems.name, String(capacityOf(node))),
    ...(isOwner
      ? [entry('pubsub#num_subscribers', String(peopleOf(node).subscriptions.size))]
      : []),
    ...cachingHints(node),
  ]
}

/** Of a service; an account is the owner of all that it has. */
function owners(node: Node): readonly FormField[] {
  if (node.service.owner !== undefined) return []
  const all = [...peopleOf(node).affiliations].filter(([, affiliation]) => affiliation === 'owner')
  return [{ var: 'pubsub#owner', type: 'jid-multi', values: all.map(([jid]) => jid) }]
}

/** §5.4: whom to ask about it. */
function contacts({ config }: Node): readonly FormField[] {
  const values = settingOf(config, contact)
  return values.length === 0 ? [] : [{ var: contact.name, type: 'jid-multi', values }]
}

function entry(name: string, value: string): FormField {
  return { var: name, type: 'text-single', values: [value] }
}
