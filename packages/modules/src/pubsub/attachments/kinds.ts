import type { ItemEvent, NodeConfig, Nodes, NodeType, Scope } from '@tactus/core'
import { bare } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { serialize, type XmlElement } from '@tactus/xml'
import { publishItem, retractItems } from '../publish.ts'
import { findNode, type Service } from '../service.ts'
import { makeDerived } from './derived.ts'
import {
  attachedPrefix,
  NS_ATTACHMENTS,
  NS_SUMMARY,
  summaryName,
  summaryPrefix,
  targetIn,
} from './names.ts'
import { readSummary, recount, type Summary, summaryElement } from './summary.ts'

/** Of what one person attaches to one item, others pay for the room that it takes. */
const mostBytes = 4_096

const forced: NodeConfig = {
  'pubsub#persist_items': true,
  'pubsub#max_items': 'max',
  // Who is counted stays so: nobody makes room.
  'pubsub#publish_node_full': 'reject',
  'pubsub#send_last_published_item': 'never',
  'pubsub#notify_retract': true,
  'pubsub#item_expire': 'max',
}

/** Something that happens to a node of attachments. */
interface Change {
  readonly scope: Scope
  readonly node: string
}

/**
 * Nodes of what others attach to items, one item for each person (XEP-0470 §4.2), and of what there is of it.
 *
 * A summary is changed by what comes and goes, never made anew: it costs the same however many there are.
 */
export function attachmentKinds(
  serviceOf: (scope: Scope) => Service,
  nodes: Nodes,
): readonly NodeType[] {
  /** Read before anything is written, told afterwards. */
  const pending = new WeakMap<Change, Summary>()

  const countedBefore = ({ scope, node }: Change): Summary => {
    const target = targetIn(node)
    const item = target && nodes.item(scope, summaryName(target.node), target.item)
    return readSummary(item?.payload)
  }
  const tell = (change: Change): void => {
    const summary = pending.get(change)
    if (summary) publishSummary(serviceOf(change.scope), change.node, summaryElement(summary))
  }

  return [
    {
      node: attachedPrefix,
      family: true,
      payload: NS_ATTACHMENTS,
      config: { 'pubsub#publish_model': 'open' },
      forced,
      check(event) {
        requireOwn(event)
        const { scope, node, item } = event
        const before = nodes.item(scope, node, item.id)?.payload
        pending.set(event, recount(countedBefore(event), before, item.payload))
      },
      published: tell,
      retracting(event) {
        const { scope, node, ids } = event
        const summary = ids.reduce(
          (counted, id) => recount(counted, nodes.item(scope, node, id)?.payload, undefined),
          countedBefore(event),
        )
        pending.set(event, summary)
      },
      retracted(event) {
        if (pending.has(event)) tell(event)
        // All of it went at once.
        else publishSummary(serviceOf(event.scope), event.node, undefined)
      },
    },
    { node: summaryPrefix, family: true, payload: NS_SUMMARY, forced },
  ]
}

/** §4.5 @throws {StanzaError} `bad-request` */
function requireOwn({ item: { id, payload, publisher } }: ItemEvent): void {
  if (id !== bare(publisher))
    throw new StanzaError('bad-request', 'The id of the item is who publishes it.')
  if (!payload?.is('attachments', NS_ATTACHMENTS))
    throw new StanzaError('bad-request', 'Attachments are expected.')
  if (Buffer.byteLength(serialize(payload)) > mostBytes)
    throw new StanzaError('not-acceptable', `Attachments may have ${mostBytes} bytes.`)
}

function publishSummary(service: Service, node: string, payload: XmlElement | undefined): void {
  const target = targetIn(node)
  const base = target && findNode(service, target.node)
  if (!base) return
  const name = summaryName(base.name)
  const summary = findNode(service, name) ?? makeDerived(base, name)
  if (payload) publishItem(summary, { id: target.item, payload, publisher: service.address })
  else retractItems(summary, [target.item], true)
}
