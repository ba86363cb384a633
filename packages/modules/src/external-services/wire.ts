import { formatDateTime, StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import type { ExternalService } from './config.ts'
import type { Credentials } from './credentials.ts'

/** XEP-0215 §8.1. */
export const NS_EXTERNAL_SERVICES = 'urn:xmpp:extdisco:2'

/** Which service credentials are asked for. */
export interface Wanted {
  readonly host: string
  readonly type: string
  readonly port: string | undefined
}

/**
 * The service that credentials are asked for (§3.3).
 *
 * @throws {StanzaError} `bad-request` without its host and type
 */
export function readWanted(request: XmlElement): Wanted {
  const { host, type, port } = request.getChild('service', NS_EXTERNAL_SERVICES)?.attrs ?? {}
  if (!host || !type) throw new StanzaError('bad-request', 'a service has a host and a type')
  return { host, type, port }
}

/** One service as a client sees it (§2). */
export function serviceElement(
  { type, host, port, transport, name }: ExternalService,
  credentials: Credentials | undefined,
): XmlElement {
  return xml('service', {
    type,
    host,
    ...(port !== undefined && { port: String(port) }),
    ...(transport !== undefined && { transport }),
    ...(name !== undefined && { name }),
    ...(credentials && {
      restricted: 'true',
      username: credentials.username,
      password: credentials.password,
    }),
    ...(credentials?.expires !== undefined && { expires: formatDateTime(credentials.expires) }),
  })
}
