import {
  deferred,
  type IqAnswer,
  type IqRequest,
  type Scope,
  type ServiceStanza,
} from '@tactus/core'
import {
  findForm,
  formTypeOf,
  NS_CLIENT,
  NS_DISCO_ITEMS,
  NS_RSM,
  pageElement,
  readForm,
  readPageRequest,
  StanzaError,
} from '@tactus/stanza'
import { clone, Stanza, type XmlElement, xml } from '@tactus/xml'
import { requireAccess } from '../access.ts'
import { takeApproval } from '../approval.ts'
import { describeNode } from '../discovery.ts'
import { dispatch } from '../dispatch.ts'
import { startList, type TypeFilter } from '../lists.ts'
import { mostRecentFirst, pageOf } from '../paging.ts'
import { describeCommands } from '../pending.ts'
import { findNode, itemsOf, type Service } from '../service.ts'
import { NS_PUBSUB } from '../wire.ts'
import { takeFarewell } from './farewell.ts'
import { isWhole } from './hosted.ts'
import { takeReservation } from './places.ts'
import { askForPlace, takePlace } from './quota.ts'

/** XEP-0462 §3.1 */
export const NS_FILTER = 'urn:xmpp:pubsub-filter:0'

type ServiceOf = (scope: Scope) => Service

/** Answers a `<pubsub/>` request, to a node or to the service as a whole. */
export function answerHosted(serviceOf: ServiceOf, request: IqRequest): IqAnswer {
  if (isWhole(request.scope) && isInstant(request.payload)) return passInstant(request)
  const service = serviceOf(request.scope)
  const answer = askForPlace(service, request)
  return answer === 'now' ? dispatch(service, request) : answer
}

/** XEP-0060 §8.1.2: a node whose name is the service's to find. */
function isInstant(pubsub: XmlElement): boolean {
  const create = pubsub.getChild('create', NS_PUBSUB)
  return create !== undefined && !create.attrs.node
}

/** Where the node will be follows from its name, so the name comes first. */
function passInstant({ scope, stanza, payload }: IqRequest): IqAnswer {
  if (stanza.type !== 'set') throw new StanzaError('bad-request')
  const named = clone(payload)
  const create = named.getChild('create', NS_PUBSUB)
  if (create) create.attrs.node = Buffer.from(scope.random(15)).toString('base64url')
  scope.pass(Stanza.from(xml('iq', { ...stanza.element.attrs, xmlns: NS_CLIENT }, named)))
  return deferred
}

/** disco#items: the nodes of the service (XEP-0060 §5.2), or the items of a node (§5.5). */
export function listHosted(serviceOf: ServiceOf, request: IqRequest): IqAnswer {
  const { scope, payload, from, stanza } = request
  const service = serviceOf(scope)
  const { node: name } = payload.attrs
  const commands = name ? describeCommands(service, name) : undefined
  if (commands)
    return xml(
      'query',
      { xmlns: NS_DISCO_ITEMS, node: name },
      commands.items.map((each) => xml('item', { ...each })),
    )
  if (!name) {
    const filter = readFilter(payload)
    return startList(service, { kind: 'nodes', filter }, { from, id: stanza.id, set: payload })
  }
  const node = findNode(service, name)
  const described = node && describeNode(service, name, from)
  if (!node || !described) throw new StanzaError('item-not-found')
  requireAccess(node, from)
  const limit = service.limits.pageItems
  const page = pageOf(
    mostRecentFirst(itemsOf(node)),
    readPageRequest(payload, { default: limit, max: limit }),
    (entries) => entries,
  )
  const asked = payload.getChild('set', NS_RSM) !== undefined
  const isCut = asked || page.items.length < itemsOf(node).length
  const items = page.items.map(({ id }) => xml('item', { jid: service.address, name: id }))
  const attrs = { xmlns: NS_DISCO_ITEMS, node: name }
  return xml('query', attrs, items, isCut ? pageElement(page.summary) : undefined)
}

/** XEP-0462 §3.2 */
function readFilter(query: XmlElement): TypeFilter | undefined {
  const element = query.getChild('filter', NS_FILTER)
  const form = element && findForm(element)
  if (!form) return undefined
  const { fields, ...rest } = readForm(form)
  if (formTypeOf({ fields, ...rest }) !== NS_FILTER) throw new StanzaError('bad-request')
  const typesOf = (name: string) => fields.find((each) => each.var === name)?.values
  const [included, excluded] = [typesOf('included-types'), typesOf('excluded-types')]
  if (included && excluded)
    throw new StanzaError('bad-request', 'Types are either included or excluded.')
  const types = included ?? excluded
  return types && types.length > 0 ? { including: included !== undefined, types } : undefined
}

/** Takes what is no request: owners’ answers, and what this server's accounts tell. */
export function receiveHosted(serviceOf: ServiceOf, { scope, from, stanza }: ServiceStanza): void {
  const isAnswer = stanza.type === 'error' || stanza.type === 'result'
  if (stanza.name === 'presence' || isAnswer) return
  if (stanza.name !== 'message') throw new StanzaError('service-unavailable')
  const isOwn = from === scope.service?.domain
  if (isWhole(scope) && isOwn) return takeReservation(scope, stanza)
  if (isWhole(scope)) throw new StanzaError('service-unavailable')
  const service = serviceOf(scope)
  if (isOwn && takePlace(service, stanza)) return
  if (!takeFarewell(service, from, stanza)) takeApproval(service, stanza)
}
