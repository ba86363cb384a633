import { deferred, type IqAnswer, type IqRequest, type LiveStore, liveStore } from '@tactus/core'
import { bare, type Jid } from '@tactus/jid'
import { errorReply, iqResult, StanzaError } from '@tactus/stanza'
import { Stanza, xml } from '@tactus/xml'
import { isDerived } from '../attachments/names.ts'
import { dispatch } from '../dispatch.ts'
import { findNode, type Service } from '../service.ts'
import { NS_PUBSUB, payloadOf, pubsubError } from '../wire.ts'
import { patience, tellOwn } from './places.ts'
import { NS_HOSTED } from './wire.ts'

/*
 * How many nodes there are is for the service as a whole to say, as it is one entity and its nodes are many: a node that
 * shall be made asks for its place first. So nobody makes more than there may be by making them all at once.
 *
 *   client ── create ──▶ node ── reserve ──▶ service ── granted, or full ──▶ node ── result ──▶ client
 *                                              ▲                              │
 *                                              └────────── settled ───────────┘
 */

/** A request that waits for its place; the key is `''`. */
interface Waiting {
  readonly request: Uint8Array
  /** Wall clock, ms. */
  readonly at: number
}

/** State of a node that is not there yet. */
export const waitingStore: LiveStore<Waiting> = liveStore('pubsub-waiting')

/** Has a request to make a node wait for its place; `now` for any other request, which is to be answered at once. */
export function askForPlace(service: Service, request: IqRequest): IqAnswer | 'now' {
  const { scope, payload, from, stanza } = request
  const name = payload.getChild('create', NS_PUBSUB)?.attrs.node
  const isOrdinary = stanza.type === 'set' && name && !isDerived(name) && !findNode(service, name)
  if (!isOrdinary || service.administers(from)) return 'now'
  service.requireCreator(from)
  const before = scope.get(waitingStore)
  // §8.1.1: it is as good as there.
  if (before && scope.now - before.at < patience) throw new StanzaError('conflict')
  scope.set(waitingStore, '', { request: stanza.bytes, at: scope.now })
  tellOwn(scope, xml('reserve', { xmlns: NS_HOSTED, for: name, creator: bare(from) }))
  return deferred
}

const refusals: Readonly<Record<string, () => StanzaError>> = {
  full: () => pubsubError('policy-violation', 'max-nodes-exceeded'),
  busy: () => new StanzaError('resource-constraint'),
}

/** What a node hears from its service: whether it may be. Answers whether it was about that. */
export function takePlace(service: Service, message: Stanza): boolean {
  const { scope } = service
  const content = message.child(null, NS_HOSTED)
  if (!content || !(content.name === 'granted' || Object.hasOwn(refusals, content.name)))
    return false
  const waiting = scope.get(waitingStore)
  scope.set(waitingStore, '', undefined)
  if (waiting && scope.now - waiting.at < patience)
    settle(service, Stanza.parse(waiting.request), refusals[content.name]?.())
  if (content.name === 'granted')
    tellOwn(scope, xml('settled', { xmlns: NS_HOSTED, for: content.attrs.node }))
  return true
}

function settle(service: Service, stanza: Stanza, refusal: StanzaError | undefined): void {
  const { scope } = service
  try {
    if (refusal) throw refusal
    const answer = make(service, stanza)
    if (answer !== deferred) scope.send(iqResult(stanza, answer))
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error
    const reply = errorReply(stanza, error)
    if (reply) scope.send(reply)
  }
}

function make(service: Service, stanza: Stanza): IqAnswer {
  const payload = payloadOf(stanza)
  if (!payload) throw new StanzaError('bad-request')
  const { scope } = service
  return dispatch(service, { scope, stanza, payload, from: stanza.from as Jid, session: undefined })
}
