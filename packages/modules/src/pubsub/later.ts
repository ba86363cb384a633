import type { Scope } from '@tactus/core'
import { errorReply, NS_CLIENT, StanzaError } from '@tactus/stanza'
import { Stanza, type XmlElement, xml } from '@tactus/xml'
import { deliverOrSend } from './notify.ts'

/** Where an answer goes that has to wait for something to be read. */
export interface Reply {
  readonly id: string
  readonly to: string
  readonly from: string
}

/** Answers a request whose job is done. */
export function answerLater(scope: Scope, { id, to, from }: Reply, content: XmlElement): void {
  deliverOrSend(scope, to, xml('iq', { xmlns: NS_CLIENT, type: 'result', id, from, to }, content))
}

/** Refuses a request in the same way; without an error to name, the reading went wrong. */
export function refuseLater(
  scope: Scope,
  { id, to, from }: Reply,
  reason: StanzaError = new StanzaError('internal-server-error'),
  type: 'get' | 'set' = 'get',
): void {
  const attrs = { xmlns: NS_CLIENT, type, id, from: to, to: from }
  const error = errorReply(Stanza.from(xml('iq', attrs)), reason)
  if (error) deliverOrSend(scope, to, error.element)
}
