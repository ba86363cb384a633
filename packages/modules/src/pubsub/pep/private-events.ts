import type { PubsubPort, Scope } from '@tactus/core'
import type { Stanza } from '@tactus/xml'
import { accessModel } from '../fields.ts'
import { NS_PUBSUB_EVENT } from '../wire.ts'

/** Whether nobody but the account itself has anything to say about a node of that name. */
export function isPrivate(node: string, port: PubsubPort): boolean {
  return port.typeOf(node, 'account')?.forced?.[accessModel.name] === 'whitelist'
}

/**
 * Takes out of messages what pretends to be a notification of the account's own private nodes.
 *
 * SECURITY: clients have believed such messages of strangers, and joined what rooms they were told to.
 */
export function stripPrivateEvents(message: Stanza, scope: Scope, port: PubsubPort): Stanza {
  if (!message.hasChild(null, NS_PUBSUB_EVENT) || message.from === scope.entity) return message
  return message.without(
    (child) =>
      child.ns === NS_PUBSUB_EVENT &&
      message
        .extract(child)
        .element.getChildElements()
        .some(({ attrs }) => attrs.node !== undefined && isPrivate(attrs.node, port)),
  )
}
