import { createHash } from 'node:crypto'
import {
  NS_ARCHIVE,
  NS_COMMANDS,
  NS_DATA_FORMS,
  NS_DISCO_INFO,
  NS_DISCO_ITEMS,
} from '@tactus/stanza'
import type { Stanza, XmlElement } from '@tactus/xml'
import { baseOf } from '../attachments/names.ts'
import { payloadOf } from '../wire.ts'
import { NS_HOSTED } from './wire.ts'

/**
 * The entity that keeps a node of a service: each is one of its own, so that the nodes of a service are spread over
 * partitions, and one that is busy, or is loaded, is no matter of any other.
 */
export function entityOfNode(node: string): string {
  // What is attached to items is kept where they are.
  return createHash('sha256')
    .update(baseOf(node) ?? node)
    .digest('hex')
}

/** Which of them a stanza for the service's address is for; undefined where it is for the service as a whole. */
export function placeOf(stanza: Stanza): string | undefined {
  const node = stanza.name === 'iq' ? nodeAskedFor(stanza) : nodeInMessage(stanza)
  return node ? entityOfNode(node) : undefined
}

function nodeAskedFor(stanza: Stanza): string | undefined {
  const pubsub = payloadOf(stanza)
  if (pubsub) return pubsub.getChildElements().find(({ attrs }) => attrs.node)?.attrs.node
  const command = stanza.child('command', NS_COMMANDS)
  if (command) return nodeInForm(command.getChild('x', NS_DATA_FORMS))
  const query =
    stanza.child(null, NS_ARCHIVE) ??
    stanza.child('query', NS_DISCO_INFO) ??
    stanza.child('query', NS_DISCO_ITEMS)
  return query?.attrs.node
}

/** What the service tells its nodes, and owners’ answers about who may subscribe (XEP-0060 §8.6). */
function nodeInMessage(stanza: Stanza): string | undefined {
  if (stanza.name !== 'message') return undefined
  const own = stanza.child(null, NS_HOSTED)
  if (own) return own.attrs.node
  return nodeInForm(stanza.child('x', NS_DATA_FORMS))
}

function nodeInForm(form: XmlElement | undefined): string | undefined {
  const field = form?.getChildElements().find(({ attrs }) => attrs.var === 'pubsub#node')
  return field
    ?.getChildElements()
    .find(({ name }) => name === 'value')
    ?.getText()
}
