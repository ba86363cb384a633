import { xml } from '@tactus/xml'
import type { StreamFeature } from '../feature.ts'
import { unexpected } from '../negotiate.ts'
import type { StreamState } from '../state.ts'

const NS_STREAM_LIMITS = 'urn:xmpp:stream-limits:0'

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
 * @see XEP-0478 §4
 */
export function streamLimits(limits: (state: StreamState) => StreamLimits): StreamFeature {
  return {
    name: 'limits',
    advertise(state) {
      const { maxBytes, idleSeconds } = limits(state)
      return xml(
        'limits',
        { xmlns: NS_STREAM_LIMITS },
        xml('max-bytes', null, String(maxBytes)),
        idleSeconds !== undefined && xml('idle-seconds', null, String(idleSeconds)),
      )
    },
    claims: () => false,
    negotiate: (_, request) => {
      throw unexpected(request)
    },
  }
}
