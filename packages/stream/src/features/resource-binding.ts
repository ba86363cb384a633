import { type FullJid, JidError, prepareResourcepart } from '@tactus/jid'
import { iqResult, NS_BIND, StanzaError } from '@tactus/stanza'
import { type Stanza, xml } from '@tactus/xml'
import type { StreamFeature } from '../feature.ts'
import { isStanza, unexpected } from '../negotiate.ts'
import type { StreamState } from '../state.ts'

/**
 * Resource binding, the step that makes an account's stream an addressable session.
 *
 * Here is only the question; the account's owner answers it, because it alone knows which resources
 * are taken.
 *
 * @see RFC 6120 §7
 */
export function resourceBinding(): StreamFeature {
  const offered = (state: StreamState): boolean =>
    state.authenticated !== undefined && !state.binding
  return {
    name: 'bind',
    advertise: (state) => (offered(state) ? xml('bind', { xmlns: NS_BIND }) : undefined),
    claims: (element) =>
      isStanza(element) && element.name === 'iq' && element.hasChild('bind', NS_BIND),
    negotiate(state, request) {
      if (!offered(state)) throw unexpected(request)
      if (request.type !== 'set' || !request.id) throw new StanzaError('bad-request')
      return {
        state: { ...state, binding: true },
        send: [],
        effect: { kind: 'bind', request, resource: wanted(request) },
      }
    },
  }
}

/** §7.7: a resource that the client prefers, prepared; an empty one is none. */
function wanted(request: Stanza): string | undefined {
  const text = request.child('bind', NS_BIND)?.getChildText('resource')
  if (!text) return undefined
  try {
    return prepareResourcepart(text)
  } catch (error) {
    // §7.7.2.1
    if (error instanceof JidError) throw new StanzaError('bad-request', error.message)
    throw error
  }
}

/** The answer once the resource is bound (§7.6.2). */
export function bindResult(request: Stanza, jid: FullJid): Stanza {
  return iqResult(request, xml('bind', { xmlns: NS_BIND }, xml('jid', null, jid)))
}
