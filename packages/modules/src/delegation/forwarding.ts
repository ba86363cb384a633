import { type IqRequest, type LiveStore, liveStore, type Scope } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { iqResult, StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import {
  type Asked,
  askManager,
  isAnswerOf,
  keptId,
  makeKey,
  refuse,
  reply,
  requestOf,
} from './relay.ts'
import { type Forwarded, forwardElement, readAnswer } from './wire.ts'

/** What waits for the answer of a managing entity. */
interface Waiting extends Asked, Forwarded {}

/** Requests that wait, by key. */
export const waitingStore: LiveStore<Waiting> = liveStore<Waiting>('delegation-waiting')
/** When one has waited long enough. */
export const waitingTimer = 'delegation-waiting'

/**
 * §4.3: hands a request on. What waits is live state: whoever owns the entity when the answer comes gives it, and one that
 * does not come ends with an error.
 */
export function forwardRequest(
  { scope, stanza, from, host }: IqRequest,
  component: string,
  bounds: { readonly waiting: number; readonly patience: number },
): void {
  const to = stanza.to
  const id = keptId(stanza)
  if (scope.all(waitingStore).size >= bounds.waiting) throw new StanzaError('resource-constraint')
  const key = makeKey(scope)
  scope.set(waitingStore, key, { host: host.name, component, from, to, id })
  scope.timer(`${waitingTimer} ${key}`, scope.now + bounds.patience, key)
  askManager(
    scope,
    { host: host.name, component },
    { key, type: 'set', payload: forwardElement(stanza) },
  )
}

/** §4.3: an answer that is bad is as none. */
export function takeForwardedAnswer(scope: Scope, key: string, from: Jid, answer: Stanza): void {
  const waiting = scope.get(waitingStore, key)
  if (!waiting || !isAnswerOf(waiting, scope, from)) return
  forget(scope, key)
  const meant = { ...waiting, to: waiting.to ?? scope.entity }
  const payload = readAnswer(answer, meant)
  if (payload === false) return refuse(scope, waiting)
  reply(scope, iqResult(requestOf(waiting), payload))
}

/** Nothing came in time. */
export function endWaiting(scope: Scope, key: string): void {
  const waiting = scope.get(waitingStore, key)
  if (!waiting) return
  forget(scope, key)
  refuse(scope, waiting)
}

function forget(scope: Scope, key: string): void {
  scope.set(waitingStore, key, undefined)
  scope.timer(`${waitingTimer} ${key}`, undefined)
}
