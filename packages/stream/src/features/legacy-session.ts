import { NS_SESSION } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import type { StreamFeature } from '../feature.ts'
import { unexpected } from '../negotiate.ts'

/**
 * Session establishment of RFC 3921, which does nothing any more.
 *
 * COMPAT(RFC 3921 clients): some refuse to go on without it; `<optional/>` tells all others that
 * they need not ask. Who asks does so after binding: then it is a stanza like any other, and the
 * session's owner answers it.
 */
export function legacySession(): StreamFeature {
  return {
    name: 'session',
    advertise: (state) =>
      state.authenticated && !state.binding
        ? xml('session', { xmlns: NS_SESSION }, xml('optional'))
        : undefined,
    claims: () => false,
    negotiate: (_, request) => {
      throw unexpected(request)
    },
  }
}
