import type { Scope } from '@tactus/core'
import { itemExpire, settingOf } from './fields.ts'
import { type Node, storedItemsOf } from './service.ts'

/** First word of the timers that end items. */
export const expiryTimer = 'pubsub-expire'

/** Has the items of a node go when their time is over (XEP-0060 §16.4.3, `pubsub#item_expire`). */
export function awaitExpiry(node: Node): void {
  const lifetime = settingOf(node.config, itemExpire)
  const [oldest] = lifetime === 'max' ? [] : storedItemsOf(node)
  if (lifetime === 'max' || !oldest) return
  const { scope } = node.service
  // A place in the clock that has passed is no error: what is over goes in the next turn.
  scope.timer(timerOf(node.name), Math.max(scope.now, oldest.at + lifetime * 1_000), node.name)
}

/** A node has no such items any more. */
export function forgetExpiry(scope: Scope, node: string): void {
  scope.timer(timerOf(node), undefined)
}

function timerOf(node: string): string {
  return `${expiryTimer} ${node}`
}
