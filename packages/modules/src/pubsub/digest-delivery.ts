import type { JobDefinition, Scope } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { NS_CLIENT } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { mayAccess, subscriptionsFor } from './access.ts'
import { type Collected, digestStore } from './digest.ts'
import { parsedPayload, readPayloads, type Wanted, wanted } from './fetch.ts'
import { deliverPayloads, settingOf } from './fields.ts'
import { deliverOrSend, messageTypeOf } from './notify.ts'
import { bodyOf, deliver, endOf, includeBody, wantsStill } from './options.ts'
import { fitting } from './paging.ts'
import { addressOf, findNode, itemsOf, type Node, peopleOf, type Service } from './service.ts'
import type { Subscription } from './store.ts'
import { eventElement, subscriptionHeaders } from './wire.ts'

/** How the messages of a digest are made. */
interface Form {
  readonly to: string
  readonly type: string
  /** Tells the subscription from others of the address (XEP-0060 §7.1.2.4). */
  readonly subid: string | undefined
}

/** Items that are told together, the payloads of which have to be read. */
interface Spec {
  readonly job: 'digest'
  readonly entity: string
  readonly node: string
  readonly list: readonly Wanted[]
  readonly subid: string
  readonly form: Form
  readonly shown: boolean
  readonly withBody: boolean
}

/** The time of a digest has come: what was collected is told, unless the subscriber may not have it any more. */
export function sendDigest(service: Service, data: string): void {
  const [subid = '', ...words] = data.split(' ')
  const { scope } = service
  const collected = scope.get(digestStore, subid)
  scope.set(digestStore, subid, undefined)
  const node = findNode(service, words.join(' '))
  const subscription = node && peopleOf(node).subscriptions.get(subid)
  if (!collected || !node || !subscription || !isEntitled(node, subscription)) return
  const jid = subscription.jid as Jid
  const isOne = subscriptionsFor(node, jid).length === 1
  const form = { to: jid, type: messageTypeOf(node), subid: isOne ? undefined : subid }
  tellGone(node, collected, form)
  const list = itemsSince(node, collected).map((entry) => wanted(node, entry))
  if (list.length === 0) return
  const spec: Spec = {
    ...{ job: 'digest', entity: scope.entity, node: node.name, list, subid, form },
    shown: settingOf(node.config, deliverPayloads),
    withBody: settingOf(subscription.options, includeBody),
  }
  scope.job('pubsub', `pubsub digest ${scope.makeId()}`, spec)
}

function isEntitled(node: Node, subscription: Subscription): boolean {
  const { state, options, jid } = subscription
  const isOver = (endOf(subscription) ?? Number.POSITIVE_INFINITY) <= node.service.scope.now
  const isWanted = state === 'subscribed' && settingOf(options, deliver)
  return isWanted && !isOver && mayAccess(node, jid as Jid)
}

/** As many as go into one message, the most recent. */
function itemsSince(node: Node, { from }: Collected): ReturnType<typeof itemsOf> {
  if (from === undefined) return []
  const { pageItems, pageBytes } = node.service.limits
  const fresh = itemsOf(node).filter(({ seq }) => seq >= from)
  return fitting(fresh.slice(-pageItems).toReversed(), pageBytes).toReversed()
}

function tellGone(node: Node, { gone }: Collected, form: Form): void {
  const there = new Set(itemsOf(node).map(({ id }) => id))
  const retracts = gone.filter((id) => !there.has(id)).map((id) => xml('retract', { id }))
  if (retracts.length > 0)
    tell(node.service.scope, form, undefined, xml('items', { node: node.name }, retracts))
}

/** The job that reads what a digest is about. */
export const digestJob: JobDefinition<Spec, readonly (string | undefined)[]> = {
  run: ({ entity, list }, { reader }) => readPayloads(reader, entity, list),

  done(scope, { node, list, subid, form, shown, withBody }, result) {
    if (!result.ok || !wantsStill(scope, node, subid)) return
    const found = list
      .map((item, index) => ({ ...item, payload: parsedPayload(result.value[index]) }))
      // Taken back since.
      .filter(({ full, payload }) => !full || payload)
    if (found.length === 0) return
    const texts = withBody ? found.flatMap(({ payload }) => bodyOf(payload)?.text() ?? []) : []
    const items = found.map(({ id, publisher, payload }) =>
      xml('item', { id, publisher }, shown ? payload : undefined),
    )
    const body =
      texts.length > 0 ? xml('body', {}, texts.join('\n\n').slice(0, longestBody)) : undefined
    tell(scope, form, body, xml('items', { node }, items))
  },
}

/** Of all items together. */
const longestBody = 16_384

function tell(
  scope: Scope,
  { to, type, subid }: Form,
  body: XmlElement | undefined,
  items: XmlElement,
): void {
  const headers = subid === undefined ? undefined : subscriptionHeaders([subid])
  const attrs = { xmlns: NS_CLIENT, type, id: scope.makeId(), from: addressOf(scope) }
  const message = xml('message', attrs, body, eventElement(items), headers)
  deliverOrSend(scope, to, message, { durable: type === 'normal' })
}
