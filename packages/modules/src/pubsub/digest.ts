import { type LiveStore, liveStore } from '@tactus/core'
import type { XmlElement } from '@tactus/xml'
import { settingOf } from './fields.ts'
import { deliver, digest, digestFrequency } from './options.ts'
import { keepsItems, type Node, storedItemsOf } from './service.ts'
import type { Subscription } from './store.ts'

/** Retractions that a digest names; who has to hear of more looks for itself. */
const mostGone = 100

/** What a subscription has not been told of yet. */
export interface Collected {
  /** Number of the first item; undefined where none came. */
  readonly from: number | undefined
  readonly gone: readonly string[]
}

/** The same by SubID. It is told when the timer of that name fires; both are lost with the bus, or neither. */
export const digestStore: LiveStore<Collected> = liveStore('pubsub-digest')

/** First word of the timers that tell. */
export const digestTimer = 'pubsub-digest'

/** Whether a notification waits for the next digest of a subscription (XEP-0060 §16.4.2): one of items does. */
export function mayWait(
  node: Node,
  { state, options }: Subscription,
  content: XmlElement,
): boolean {
  const isWanted = state === 'subscribed' && settingOf(options, deliver)
  return isWanted && content.name === 'items' && settingOf(options, digest) && keepsItems(node)
}

/**
 * Has it wait. Nothing is copied: the items are at the node, so a digest costs the same however much it is about, and tells
 * of each item only how it is then.
 */
export function collect(node: Node, { subid, options }: Subscription, content: XmlElement): void {
  const { scope } = node.service
  const before = scope.get(digestStore, subid)
  const gone = content.getChildren('retract').map(({ attrs }) => attrs.id ?? '')
  const last = content.getChild('item') && storedItemsOf(node).at(-1)?.seq
  // Where many want digests, only the first item after one costs something.
  if (before?.from !== undefined && gone.length === 0) return
  scope.set(digestStore, subid, {
    from: before?.from ?? last,
    gone: [...new Set([...(before?.gone ?? []), ...gone])].slice(-mostGone),
  })
  if (!before) arrange(node, subid, scope.now + settingOf(options, digestFrequency))
}

/** What waits already goes by the options that there are now: at once where no digest is wanted any more. */
export function followOptions(node: Node, { subid, options }: Subscription): void {
  const { scope } = node.service
  if (!scope.get(digestStore, subid)) return
  const delay = settingOf(options, digest) ? settingOf(options, digestFrequency) : 0
  arrange(node, subid, scope.now + delay)
}

function arrange({ service: { scope }, name }: Node, subid: string, at: number): void {
  scope.timer(`${digestTimer} ${subid}`, at, `${subid} ${name}`)
}
