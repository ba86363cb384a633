import { type ChildSpan, Stanza, type XmlElement, xml } from '@tactus/xml'
import { StanzaError } from './stanza-error.ts'

/** RFC 6120 §8.2.3. */
export type IqType = 'error' | 'get' | 'result' | 'set'

const iqTypes: readonly IqType[] = ['error', 'get', 'result', 'set']

/** The type of an iq; undefined for one that does not exist. */
export function iqType(iq: Stanza): IqType | undefined {
  return iqTypes.find((type) => type === iq.type)
}

/** Whether the stanza is an iq that waits for an answer. */
export function isRequest(stanza: Stanza): boolean {
  return stanza.name === 'iq' && (stanza.type === 'get' || stanza.type === 'set')
}

/**
 * The one child of a request, which says what is asked (RFC 6120 §8.2.3, rules 3 and 4).
 *
 * @throws {StanzaError} `bad-request` when the iq has no id or not exactly one child.
 */
export function requestPayload(iq: Stanza): ChildSpan {
  const [payload, ...others] = iq.children
  if (!isRequest(iq) || !iq.id) throw new StanzaError('bad-request')
  if (!payload || others.length > 0) throw new StanzaError('bad-request')
  return payload
}

/** The successful answer to a request (RFC 6120 §8.2.3, rule 5), to be sent back by its route. */
export function iqResult(request: Stanza, payload?: XmlElement): Stanza {
  const { ns: xmlns, to: from, from: to, id } = request
  return Stanza.from(xml('iq', { xmlns, type: 'result', id, from, to }, payload))
}

/** What {@link iqRequest} needs; ids are made by the caller, who has to recognize the answer. */
export interface IqRequestOptions {
  readonly xmlns: string
  readonly type: 'get' | 'set'
  readonly id: string
  readonly from?: string
  readonly to?: string
}

/** A request of our own, such as a roster push. */
export function iqRequest(options: IqRequestOptions, payload: XmlElement): Stanza {
  return Stanza.from(xml('iq', { ...options }, payload))
}
