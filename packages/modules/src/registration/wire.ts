import { StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

/** XEP-0077 §14. */
export const NS_REGISTER = 'jabber:iq:register'

/** What a registered account may ask for. */
export type RegisterRequest =
  | { readonly action: 'remove' }
  | { readonly action: 'password'; readonly username: string; readonly password: string }

/** What a registered account is shown (XEP-0077 §3.1.1): that it is one, and never its password. */
export function registeredForm(username: string): XmlElement {
  return xml(
    'query',
    { xmlns: NS_REGISTER },
    xml('registered'),
    xml('username', null, username),
    xml('password'),
  )
}

/**
 * What a registered account wants done (XEP-0077 §3.2, §3.3).
 *
 * @throws {StanzaError} `bad-request` when `<remove/>` is not alone, or a name or a password is missing
 */
export function readRegisterRequest(query: XmlElement): RegisterRequest {
  if (query.getChild('remove')) {
    if (query.getChildElements().length > 1) throw new StanzaError('bad-request')
    return { action: 'remove' }
  }
  const username = query.getChild('username')?.text()
  const password = query.getChild('password')?.text()
  // §3.3: an empty password changes nothing.
  if (!username || !password) throw new StanzaError('bad-request')
  return { action: 'password', username, password }
}
