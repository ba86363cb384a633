import { followersPrefix } from '../followers/names.ts'

/** XEP-0470 §4.1: what others attach to items. */
export const NS_ATTACHMENTS = 'urn:xmpp:pubsub-attachments:1'
/** XEP-0470 §4.6: what of it there is for each item of a node. */
export const NS_SUMMARY = 'urn:xmpp:pubsub-attachments:summary:1'
/** What the names of nodes begin with that hold what is attached to one item. */
export const attachedPrefix: string = `${NS_ATTACHMENTS}/`
/** What the names of nodes begin with that sum it up for one node. */
export const summaryPrefix: string = `${NS_SUMMARY}/`

/** An item that something is attached to. */
export interface Target {
  /** Of the account or the service. */
  readonly address: string
  readonly node: string
  readonly item: string
}

/** The address of a node or an item for XMPP clients (XEP-0060 §12.21). */
export function xmppUri(address: string, node: string, item?: string): string {
  const uri = `xmpp:${encodeURI(address)}?;node=${encodeURIComponent(node)}`
  return item === undefined ? uri : `${uri};item=${encodeURIComponent(item)}`
}

/** Name of the node that holds what is attached to an item. */
export function attachedName({ address, node, item }: Target): string {
  return attachedPrefix + xmppUri(address, node, item)
}

/** Name of the node that sums up what is attached to the items of a node. */
export function summaryName(node: string): string {
  return summaryPrefix + node
}

/**
 * The item that a name of such a node is of.
 *
 * Undefined for any other spelling than the one: nobody shall be counted twice.
 */
export function targetIn(name: string): Target | undefined {
  if (!name.startsWith(attachedPrefix)) return undefined
  const parts = /^xmpp:([^?;]+)\?;node=([^;]+);item=([^;]+)$/.exec(
    name.slice(attachedPrefix.length),
  )
  if (!parts) return undefined
  try {
    const [address = '', node = '', item = ''] = parts.slice(1).map(decodeURIComponent)
    const target = { address, node, item }
    return attachedName(target) === name && baseOf(node) === undefined ? target : undefined
  } catch {
    return undefined
  }
}

/** The node that one of attachments, a summary of them or a list of subscribers belongs to; undefined for all others. */
export function baseOf(name: string): string | undefined {
  for (const prefix of [summaryPrefix, followersPrefix])
    if (name.startsWith(prefix)) return name.slice(prefix.length)
  return targetIn(name)?.node
}

/** Whether a name is one that only the server gives. */
export function isDerived(name: string): boolean {
  return name.startsWith(attachedPrefix) || isServers(name)
}

/** Whether only the server publishes there (XEP-0470 §4.6, XEP-0465 §4.4). */
export function isServers(name: string): boolean {
  return name.startsWith(summaryPrefix) || name.startsWith(followersPrefix)
}
