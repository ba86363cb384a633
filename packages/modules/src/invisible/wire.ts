import { StanzaError } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'

/** XEP-0186 §8.1. */
export const NS_INVISIBLE = 'urn:xmpp:invisible:1'

/**
 * Whether the server is to ask for the presence of contacts all the same (§3.1); it is not, unless told so.
 *
 * @throws {StanzaError} `bad-request` for what is no boolean
 */
export function readProbe(command: XmlElement): boolean {
  const { probe = 'false' } = command.attrs
  if (!['0', '1', 'false', 'true'].includes(probe))
    throw new StanzaError('bad-request', 'probe is true or false')
  return probe === 'true' || probe === '1'
}
