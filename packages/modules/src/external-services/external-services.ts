import { defineModule, type IqRequest, type XmppModule, xep } from '@tactus/core'
import { bare } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { type ExternalService, externalServicesConfig } from './config.ts'
import { credentialsFor } from './credentials.ts'
import { NS_EXTERNAL_SERVICES, readWanted, serviceElement } from './wire.ts'

/**
 * External Service Discovery: where to find STUN and TURN servers, and what to use them with.
 *
 * @see {@link https://xmpp.org/extensions/xep-0215.html | XEP-0215}
 */
export const externalServices: XmppModule = defineModule({
  name: 'external-services',
  implements: [
    xep('0215', '1.0.0', {
      note: 'No pushes (§3.2, MAY): services are those of the configuration, and credentials say when they expire. Only the host’s own accounts are answered.',
    }),
  ],
  config: externalServicesConfig,

  setup({ iq, disco, config }) {
    disco.info('domain', ({ host }) =>
      config(host).services.length > 0 ? { features: [NS_EXTERNAL_SERVICES] } : {},
    )

    const describe = (request: IqRequest, service: ExternalService): XmlElement => {
      const { lifetime } = config(request.host)
      const valid = { now: request.scope.now, lifetime }
      return serviceElement(service, credentialsFor(service, bare(request.from), valid))
    }

    iq.get('domain', NS_EXTERNAL_SERVICES, 'services', (request) => {
      const { type } = request.payload.attrs
      const services = servicesFor(request).filter((one) => type === undefined || one.type === type)
      const attrs = { xmlns: NS_EXTERNAL_SERVICES, ...(type !== undefined && { type }) }
      return xml(
        'services',
        attrs,
        services.map((service) => describe(request, service)),
      )
    })

    iq.get('domain', NS_EXTERNAL_SERVICES, 'credentials', (request) => {
      const wanted = readWanted(request.payload)
      const services = servicesFor(request).filter(
        ({ type, host, port, secret, username }) =>
          type === wanted.type &&
          host === wanted.host &&
          (wanted.port === undefined || wanted.port === String(port)) &&
          (secret !== undefined || username !== undefined),
      )
      if (services.length === 0) throw new StanzaError('item-not-found')
      return xml(
        'credentials',
        { xmlns: NS_EXTERNAL_SERVICES },
        services.map((service) => describe(request, service)),
      )
    })

    /** SECURITY: a relay costs its owner, so nobody gets credentials but those that the host knows. */
    const servicesFor = ({ host, scope, session }: IqRequest): readonly ExternalService[] => {
      if (!session || scope.host.name !== host.name) throw new StanzaError('forbidden')
      return config(host).services
    }
  },
})
