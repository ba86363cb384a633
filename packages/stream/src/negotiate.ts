import {
  errorReply,
  NS_CLIENT,
  NS_SASL,
  NS_STREAMS,
  NS_TLS,
  StanzaError,
  StreamError,
} from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import type { Outcome, StreamFeature } from './feature.ts'
import type { StreamState } from './state.ts'

/** `<stream:features/>` for this state, in the order of the list (XEP-0170). */
export function featuresElement(
  features: readonly StreamFeature[],
  state: StreamState,
): XmlElement {
  const offers = features.map((feature) => feature.advertise(state))
  return xml('features', { xmlns: NS_STREAMS }, offers)
}

/**
 * Takes one element that arrived before there is a session.
 *
 * Everything that no feature claims, or that a feature claims but does not offer now, ends the
 * stream: a stanza that slips through here would act for nobody or for the wrong one (V25).
 *
 * @throws {StreamError}
 */
export async function negotiate(
  features: readonly StreamFeature[],
  state: StreamState,
  element: Stanza,
): Promise<Outcome> {
  const feature = features.find((candidate) => candidate.claims(element))
  if (!feature) throw unexpected(element)
  try {
    return await feature.negotiate(state, element)
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error
    const reply = errorReply(element, error)
    return { state, send: reply ? [reply] : [] }
  }
}

const stanzaNames: ReadonlySet<string> = new Set(['iq', 'message', 'presence'])

/** Whether an element is one of RFC 6120 §8's three, in the content namespace. */
export function isStanza(element: Stanza, contentNs: string = NS_CLIENT): boolean {
  return element.ns === contentNs && stanzaNames.has(element.name)
}

/** The error for what may not come at this point of a stream. */
export function unexpected(element: Stanza): StreamError {
  // RFC 6120 §4.9.3.12 and §7.1: nothing is said before it is known who speaks and as what.
  if (isStanza(element)) return new StreamError('not-authorized')
  if (element.ns === NS_SASL || element.ns === NS_TLS)
    return new StreamError('policy-violation', 'This cannot be negotiated now.')
  return new StreamError('unsupported-stanza-type')
}
