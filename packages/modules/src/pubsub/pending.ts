import type { DiscoNode, IqAnswer, IqRequest } from '@tactus/core'
import { bare } from '@tactus/jid'
import { findForm, NS_COMMANDS, NS_DATA_FORMS, readForm, StanzaError } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'
import { affiliationOf, requireExisting, requireOwner } from './access.ts'
import { askOwners } from './approval.ts'
import { startList } from './lists.ts'
import { commandElement, getPending, pendingForm, title } from './pending-wire.ts'
import { findNode, type Node, nodesOf, peopleOf, type Service } from './service.ts'

/**
 * Tells an owner at which nodes somebody waits for approval, or asks about those who wait at one (XEP-0060 §8.7).
 *
 * Both are complete in themselves: nothing is kept of a command between them.
 */
export function answerCommand(service: Service, request: IqRequest): IqAnswer {
  const { payload, from, stanza, scope } = request
  // An account tells of itself nothing but what one tells that is not there.
  if (service.owner !== undefined && bare(from) !== service.owner)
    throw new StanzaError('service-unavailable')
  if (payload.attrs.node !== getPending) throw new StanzaError('item-not-found')
  const sessionid = payload.attrs.sessionid ?? scope.makeId()
  if (payload.attrs.action === 'cancel') return commandElement({ sessionid, status: 'canceled' })
  const form = findForm(payload)
  if (form) {
    askAgain(service, nodeIn(form), request)
    return commandElement({ sessionid, status: 'completed' })
  }
  if (service.owner !== undefined)
    return pendingForm(
      sessionid,
      nodesOf(service)
        .filter((node) => affiliationOf(node, from) === 'owner' && waitingAt(node).length > 0)
        .map(({ name }) => name),
    )
  const what = { kind: 'pending', person: bare(from), sessionid } as const
  return startList(service, what, { from, id: stanza.id, set: payload, type: 'set' })
}

/** What there is to run, and what it is called (XEP-0050 §2); undefined for any other node. */
export function describeCommands({ address }: Service, name: string): DiscoNode | undefined {
  if (name === NS_COMMANDS) {
    const identity = { category: 'automation', type: 'command-list' }
    return {
      info: { identities: [identity] },
      items: [{ jid: address, node: getPending, name: title }],
    }
  }
  if (name !== getPending) return undefined
  const identity = { category: 'automation', type: 'command-node', name: title }
  return {
    info: { identities: [identity], features: [NS_COMMANDS, NS_DATA_FORMS] },
    items: [],
  }
}

/** Who waits gets asked about once more, as many as go into one answer. */
function askAgain(service: Service, name: string, { from, scope }: IqRequest): void {
  const node = requireExisting(service, findNode(service, name), from)
  requireOwner(node, from)
  const waiting = waitingAt(node).slice(0, service.limits.pageItems)
  scope.charge(Math.ceil(waiting.length / 10))
  for (const subscription of waiting) askOwners(node, subscription, [bare(from)])
}

function nodeIn(element: XmlElement): string {
  const field = readForm(element).fields.find((each) => each.var === 'pubsub#node')
  const [name] = field?.values ?? []
  if (!name) throw new StanzaError('bad-request', 'The form names a node.')
  return name
}

function waitingAt(node: Node) {
  return [...peopleOf(node).subscriptions.values()].filter(({ state }) => state === 'pending')
}
