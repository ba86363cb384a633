import { NS_TLS } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import type { StreamFeature } from '../feature.ts'
import { unexpected } from '../negotiate.ts'
import type { StreamState } from '../state.ts'

/** Whether TLS can be had, and whether the stream goes on without. */
export interface TlsPolicy {
  readonly available: boolean
  readonly required: boolean
}

/**
 * STARTTLS, which turns the connection over to TLS and the stream back to its beginning.
 *
 * @see RFC 6120 §5
 */
export function starttls(policy: TlsPolicy): StreamFeature {
  const offered = (state: StreamState): boolean =>
    policy.available && !state.secure && !state.authenticated
  return {
    name: 'starttls',
    advertise: (state) =>
      offered(state)
        ? xml('starttls', { xmlns: NS_TLS }, policy.required && xml('required'))
        : undefined,
    claims: (element) => element.ns === NS_TLS && element.name === 'starttls',
    negotiate(state, request) {
      if (state.secure || state.authenticated) throw unexpected(request)
      // §5.4.2.2: a failure ends the stream.
      if (!policy.available) return tlsFailure(state)
      return { state, send: [xml('proceed', { xmlns: NS_TLS })], effect: { kind: 'tls' } }
    },
  }
}

/**
 * The answer to a `<starttls/>` that cannot be followed.
 *
 * SECURITY: also when anything came after it in clear (V20). What was sent before TLS must never be
 * run inside it, and who sends both at once attacks or is attacked.
 */
export function tlsFailure(state: StreamState): ReturnType<StreamFeature['negotiate']> {
  return { state, send: [xml('failure', { xmlns: NS_TLS })], effect: { kind: 'close' } }
}
