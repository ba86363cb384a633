import { isRefusal, type LiveStore, liveStore, type Scope, type Session } from '@tactus/core'
import { bare, type Jid, tryParseJid } from '@tactus/jid'
import { messageType, readStanzaError, type StanzaCondition, StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { type Importance, importanceOf, mentions } from './importance.ts'
import { nodesOf, type PushNode, removeNodes } from './nodes.ts'
import { publishRequest, readShutOut } from './wire.ts'

/** How often, how patiently and about what services are notified. Times are seconds. */
export interface NotifierSettings {
  readonly sender: boolean
  readonly body: boolean
  readonly interval: number
  readonly patience: number
  readonly pause: number
  readonly attempts: number
  readonly otherDevices: boolean
  readonly rooms: boolean
}

/** What became of a notification. */
export type Outcome = 'sent' | 'confirmed' | 'failed' | 'disabled'

/** What one node is still to be told. Key: the node's id. */
interface Pending {
  /** Messages since the device was there. */
  readonly count: number
  readonly sender: string | undefined
  readonly body: string | undefined
  /** Something of it was not told yet. */
  readonly isNews: boolean
  /** Id of the request whose answer is waited for. */
  readonly asked: string | undefined
  readonly sentAt: number
  /** In a row. */
  readonly failures: number
}

/** Live state: written in the step that takes the message, so it is taken over with it. */
export const pendingStore: LiveStore<Pending> = liveStore('push')
/** First word of the timers' names. */
export const notifyTimer = 'push-notify'

const nothing: Pending = {
  count: 0,
  sender: undefined,
  body: undefined,
  isNews: false,
  asked: undefined,
  sentAt: 0,
  failures: 0,
}
/** Even calls come no faster than this, milliseconds. */
const callInterval = 1_000
/** The longest pause after a failure, milliseconds. */
const longestPause = 3_600_000
/** Characters of a body that are told. */
const bodyLength = 256
/** Errors of a service that may be back in a while (§7.1); others are final. */
const passing: ReadonlySet<StanzaCondition> = new Set([
  'internal-server-error',
  'recipient-unavailable',
  'remote-server-not-found',
  'remote-server-timeout',
  'resource-constraint',
  'service-unavailable',
  'undefined-condition',
])

/** Tells push services of messages, one request at a time for each node. */
export class Notifier {
  readonly #settings: (scope: Scope) => NotifierSettings
  readonly #count: (outcome: Outcome) => void
  readonly #disabled: (service: string, reason: string) => void

  constructor(options: {
    readonly settings: (scope: Scope) => NotifierSettings
    readonly count: (outcome: Outcome) => void
    readonly disabled: (service: string, reason: string) => void
  }) {
    this.#settings = options.settings
    this.#count = options.count
    this.#disabled = options.disabled
  }

  /** A message came for the account; `reached` get it now. */
  received(scope: Scope, message: Stanza, reached: readonly Session[]): void {
    const from = tryParseJid(message.from ?? '')
    if (!from) return
    // §8: the service itself says that nothing more is to be published there.
    const node = readShutOut(message)
    if (node !== undefined)
      for (const gone of removeNodes(scope, { service: from, node })) this.forget(scope, gone)
    const importance = importanceOf(message)
    if (!importance || isOwn(scope, message)) return
    for (const node of nodesOf(scope)) {
      // A room speaks to each of those that are in it.
      const concerns = messageType(message) !== 'groupchat' || reached.some((one) => is(node, one))
      if (concerns) this.#tell(scope, node, message, importance)
    }
  }

  /** The connection of a resource was lost: what was on its way is news to it, too. */
  lost(scope: Scope, session: Session): void {
    const nodes = nodesOf(scope).filter((node) => is(node, session))
    if (nodes.length === 0) return
    for (const { stanza } of scope.turn.queued(session.id)) {
      const importance = stanza.name === 'message' ? importanceOf(stanza) : undefined
      if (!importance || isOwn(scope, stanza)) continue
      for (const node of nodes) this.#tell(scope, node, stanza, importance)
    }
  }

  /** A device is there again. */
  returned(scope: Scope, session: Session): void {
    // Without a look at the nodes, which costs a read, where nothing is to be told.
    if (scope.all(pendingStore).size === 0) return
    for (const node of nodesOf(scope)) if (is(node, session)) this.forget(scope, node)
  }

  #tell(scope: Scope, node: PushNode, message: Stanza, importance: Importance): void {
    const isOfRoom = messageType(message) === 'groupchat'
    if (isOfRoom && !this.#settings(scope).rooms && !mentions(message, scope.entity)) return
    if (isAway(scope, node, this.#settings(scope))) this.#news(scope, node, importance)
    else this.forget(scope, node)
  }

  #news(scope: Scope, node: PushNode, { body, isCall, sender }: Importance): void {
    const before = scope.get(pendingStore, node.id) ?? nothing
    const settings = this.#settings(scope)
    const pending: Pending = {
      ...before,
      count: before.count + 1,
      sender: settings.sender ? sender : undefined,
      body: settings.body ? body?.slice(0, bodyLength).toWellFormed() : undefined,
      isNews: true,
    }
    scope.set(pendingStore, node.id, pending)
    if (pending.asked === undefined && pending.failures === 0)
      this.#schedule(scope, node, pending, isCall ? callInterval : settings.interval * 1_000)
  }

  /** The device is there, or the node is gone: nothing is to be told. */
  forget(scope: Scope, node: PushNode): void {
    if (!scope.get(pendingStore, node.id)) return
    scope.set(pendingStore, node.id, undefined)
    scope.timer(timerOf(node), undefined)
  }

  /** A node's timer: something is to be told, or an answer is overdue. */
  due(scope: Scope, id: string): void {
    const node = nodesOf(scope).find((each) => each.id === id)
    const pending = scope.get(pendingStore, id)
    if (!node || !pending) return scope.set(pendingStore, id, undefined)
    if (pending.asked !== undefined) return this.#failed(scope, node, pending, 'timeout')
    if (!isAway(scope, node, this.#settings(scope))) return this.forget(scope, node)
    if (pending.isNews) this.#publish(scope, node, pending)
  }

  #publish(scope: Scope, node: PushNode, pending: Pending): void {
    const id = scope.makeId()
    const addresses = { from: scope.entity, id, service: node.service }
    const asked: Pending = { ...pending, isNews: false, asked: id, sentAt: scope.now }
    scope.set(pendingStore, node.id, asked)
    scope.timer(timerOf(node), scope.now + this.#settings(scope).patience * 1_000, node.id)
    this.#count('sent')
    try {
      scope.send(publishRequest(addresses, node.node, node.options, pending), { durable: false })
    } catch (error) {
      if (!isRefusal(error)) throw error
      const reason = error instanceof StanzaError ? error.condition : 'undefined-condition'
      this.#refused(scope, node, asked, new StanzaError(reason))
    }
  }

  /** SECURITY: V40. Only who was asked answers, by an id that nobody else knows. */
  answered(scope: Scope, from: Jid, answer: Stanza): void {
    if (scope.all(pendingStore).size === 0) return
    for (const node of nodesOf(scope)) {
      const pending = scope.get(pendingStore, node.id)
      if (pending?.asked === undefined || pending.asked !== answer.id) continue
      if (node.service !== from) continue
      if (answer.type === 'result') this.#confirmed(scope, node, pending)
      else this.#refused(scope, node, pending, readStanzaError(answer))
      return
    }
  }

  #confirmed(scope: Scope, node: PushNode, pending: Pending): void {
    this.#count('confirmed')
    const told: Pending = { ...pending, asked: undefined, failures: 0 }
    scope.set(pendingStore, node.id, told)
    if (told.isNews) this.#schedule(scope, node, told, this.#settings(scope).interval * 1_000)
    else scope.timer(timerOf(node), undefined)
  }

  /** §7.1: an error disables the node, unless it may pass. */
  #refused(scope: Scope, node: PushNode, pending: Pending, error: StanzaError | undefined): void {
    const condition = error?.condition ?? 'undefined-condition'
    if (error?.type === 'wait' || passing.has(condition))
      this.#failed(scope, node, pending, condition)
    else this.#disable(scope, node, condition)
  }

  #failed(scope: Scope, node: PushNode, pending: Pending, reason: string): void {
    const failures = pending.failures + 1
    const { attempts, pause } = this.#settings(scope)
    if (failures >= attempts) return this.#disable(scope, node, reason)
    this.#count('failed')
    scope.set(pendingStore, node.id, { ...pending, isNews: true, asked: undefined, failures })
    scope.timer(timerOf(node), scope.now + pauseAfter(scope, pause * 1_000, failures), node.id)
  }

  #disable(scope: Scope, node: PushNode, reason: string): void {
    this.#count('disabled')
    this.#disabled(node.service, reason)
    this.forget(scope, node)
    removeNodes(scope, { service: node.service as Jid, node: node.node })
  }

  #schedule(scope: Scope, node: PushNode, { sentAt }: Pending, interval: number): void {
    scope.timer(timerOf(node), Math.max(scope.now, sentAt + interval), node.id)
  }
}

/**
 * Whether nobody is there at the node's device: it is not bound, it waits to be resumed, or it said that nobody looks at
 * it and takes nothing either.
 */
export function isAway(
  scope: Scope,
  { resource }: PushNode,
  { otherDevices }: Pick<NotifierSettings, 'otherDevices'>,
): boolean {
  if (!otherDevices && scope.sessions().some(isThere)) return false
  const session = scope.session(resource)
  return session === undefined || !isThere(session)
}

/** What the account says to itself is no news to it. */
function isOwn(scope: Scope, { from }: Stanza): boolean {
  const jid = from === undefined ? undefined : tryParseJid(from)
  return jid === undefined || bare(jid) === scope.entity
}

function is(node: PushNode, { resource }: Session): boolean {
  return node.resource === resource
}

function isThere({ attached, active, stalled }: Session): boolean {
  return attached && (active || !stalled)
}

function timerOf({ id }: PushNode): string {
  return `${notifyTimer} ${id}`
}

/** Twice as long each time, ± 25 %, so that accounts do not come all at once to a service that is back. */
function pauseAfter(scope: Scope, first: number, failures: number): number {
  const pause = Math.min(longestPause, first * 2 ** Math.min(failures - 1, 20))
  const [byte = 0] = scope.random(1)
  return Math.round(pause * (0.75 + byte / 512))
}
