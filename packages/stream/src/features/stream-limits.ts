import { type XmlElement, xml } from '@tactus/xml'
import type { StreamFeature } from '../feature.ts'
import { unexpected } from '../negotiate.ts'
import type { StreamState } from '../state.ts'

/** @see XEP-0478 §10 */
export const NS_STREAM_LIMITS = 'urn:xmpp:stream-limits:0'

/** What a stream accepts. */
export interface StreamLimits {
  /** Bytes of a first-level element. */
  readonly maxBytes: number
  /** Seconds of silence after which the peer is checked; undefined before that is done. */
  readonly idleSeconds: number | undefined
}

/**
 * Tells the peer the limits in force, so that it does not have to find them by losing its stream.
 *
 * They change with authentication, hence the function of the state.
 *
 * @see XEP-0478 §3.1
 */
export function streamLimits(limits: (state: StreamState) => StreamLimits): StreamFeature {
  return {
    name: 'limits',
    advertise(state) {
      return limitsElement(limits(state))
    },
    claims: () => false,
    negotiate: (_, request) => {
      throw unexpected(request)
    },
  }
}

/** The limits as they are told, in features or in what else has them (XEP-0478 §3). */
export function limitsElement({ maxBytes, idleSeconds }: StreamLimits): XmlElement {
  return xml(
    'limits',
    { xmlns: NS_STREAM_LIMITS },
    xml('max-bytes', null, String(maxBytes)),
    idleSeconds !== undefined && xml('idle-seconds', null, String(idleSeconds)),
  )
}
