import { JidError, localpart, makeJid } from '@tactus/jid'
import { iqResult, StanzaError } from '@tactus/stanza'
import { type Stanza, xml } from '@tactus/xml'
import type { StreamFeature } from '../feature.ts'
import { isStanza, unexpected } from '../negotiate.ts'
import type { StreamState } from '../state.ts'

const NS_REGISTER = 'jabber:iq:register'
const NS_REGISTER_FEATURE = 'http://jabber.org/features/iq-register'

/** Whether somebody unknown may make an account on this stream. */
export interface RegistrationPolicy {
  /** The host's policy, and whether passwords may cross this stream. */
  open(state: StreamState): boolean
}

/** Longest password that is looked at; PBKDF2 would hash more, but nobody types it. */
const maxPasswordLength = 1023

/**
 * In-band registration before authentication: an account for who has none.
 *
 * The account's owner makes it; here the request is read and refused where it cannot be meant.
 *
 * @see XEP-0077 §3.1
 */
export function registration(policy: RegistrationPolicy): StreamFeature {
  const offered = (state: StreamState): boolean => !state.authenticated && policy.open(state)
  return {
    name: 'register',
    advertise: (state) =>
      offered(state) ? xml('register', { xmlns: NS_REGISTER_FEATURE }) : undefined,
    claims: (element) =>
      isStanza(element) && element.name === 'iq' && element.hasChild('query', NS_REGISTER),
    negotiate(state, request) {
      if (state.authenticated) throw unexpected(request)
      // §3.1 example 3: the host does not allow it.
      if (!offered(state)) throw new StanzaError('service-unavailable')
      if (request.type === 'get') return { state, send: [fields(request)] }
      if (request.type !== 'set') throw new StanzaError('bad-request')
      return { state, send: [], effect: { kind: 'register', request, ...account(state, request) } }
    },
  }
}

function fields(request: Stanza): Stanza {
  return iqResult(
    request,
    xml(
      'query',
      { xmlns: NS_REGISTER },
      xml('instructions', null, 'Choose a username and a password for your account.'),
      xml('username'),
      xml('password'),
    ),
  )
}

function account(
  state: StreamState,
  request: Stanza,
): { readonly username: string; readonly password: string } {
  const query = request.child('query', NS_REGISTER)
  // §3.2: nobody to cancel the account of.
  if (query?.getChild('remove')) throw new StanzaError('unexpected-request')
  const name = query?.getChildText('username') ?? ''
  const password = query?.getChildText('password') ?? ''
  // §3.1 example 6: not all that is needed was given.
  if (name === '' || password === '' || password.length > maxPasswordLength)
    throw new StanzaError('not-acceptable')
  try {
    return { username: localpart(makeJid(name, state.host ?? '')) ?? '', password }
  } catch (error) {
    if (error instanceof JidError) throw new StanzaError('jid-malformed', error.message)
    throw error
  }
}

/** The answer once the account exists (§3.1 example 4). */
export function registerResult(request: Stanza): Stanza {
  return iqResult(request)
}
