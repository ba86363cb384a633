import type { IqAnswer } from '@tactus/core'
import type { PubsubRequest } from './service.ts'

/** One thing that can be asked of nodes: `<pubsub/>` of that namespace, with that first child, in an iq of that type. */
export interface Action {
  readonly type: 'get' | 'set'
  readonly ns: 'pubsub' | 'owner'
  readonly name: string
  handle(request: PubsubRequest): IqAnswer
}

/** A part of XEP-0060: what it lets people do, and how it is announced (§10). */
export interface PubsubFeature {
  /** Names after `http://jabber.org/protocol/pubsub#`. */
  readonly announces: readonly string[]
  readonly actions: readonly Action[]
}
