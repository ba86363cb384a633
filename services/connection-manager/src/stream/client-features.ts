import { NS_CLIENT_STATE } from '@tactus/stanza'
import {
  channelBindings,
  legacySession,
  registration,
  resourceBinding,
  type StreamFeature,
  sasl,
  starttls,
  streamLimits,
  streamManagement,
  unexpected,
} from '@tactus/stream'
import { xml } from '@tactus/xml'
import type { HostDirectory } from '../host-directory.ts'
import type { Settings } from '../settings.ts'
import type { Authentication } from './authentication.ts'

/** What a client's stream can negotiate, in the order of XEP-0170. */
export function clientFeatures(options: {
  readonly settings: Settings
  readonly hosts: HostDirectory
  readonly authentication: Authentication
  readonly canStartTls: boolean
  /** Whether the client may manage its stream itself. */
  readonly canManage: boolean
}): readonly StreamFeature[] {
  const { settings, hosts, authentication, canStartTls, canManage } = options
  return [
    starttls({ available: canStartTls, required: settings.tlsRequired }),
    registration({
      open: ({ host, secure }) =>
        (secure || !settings.tlsRequired) &&
        host !== undefined &&
        hosts.get(host)?.registration === 'open',
    }),
    sasl(authentication),
    channelBindings(authentication),
    resourceBinding(),
    legacySession(),
    // On BOSH requests and answers acknowledge each other, and a second count of the same could only contradict.
    ...(canManage ? [streamManagement()] : []),
    // RFC 6121 §2.6.1, §3.4: said of every account, so there is nothing to negotiate.
    announced('ver', 'urn:xmpp:features:rosterver'),
    announced('sub', 'urn:xmpp:features:pre-approval'),
    // XEP-0352 §4.1
    announced('csi', NS_CLIENT_STATE),
    streamLimits(({ authenticated }) => ({
      maxBytes: authenticated ? settings.client.bytes : settings.preAuth.bytes,
      idleSeconds: authenticated ? Math.floor(settings.timeouts.idle / 1_000) : undefined,
    })),
  ]
}

/** A feature of the account's server that a client learns of once it has authenticated. */
function announced(name: string, xmlns: string): StreamFeature {
  return {
    name,
    advertise: ({ authenticated }) => (authenticated ? xml(name, { xmlns }) : undefined),
    claims: () => false,
    negotiate: (_, request) => {
      throw unexpected(request)
    },
  }
}
