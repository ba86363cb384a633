import { defineModule, type XmppModule, xep } from '@tactus/core'
import { z } from 'zod'
import { NS_VERSION, versionElement } from './wire.ts'

/**
 * Software Version: which software, in which version, serves this domain.
 *
 * @see {@link https://xmpp.org/extensions/xep-0092.html | XEP-0092}
 */
export const version: XmppModule = defineModule({
  name: 'version',
  implements: [xep('0092', '1.1')],
  features: { domain: [NS_VERSION] },
  config: z.strictObject({
    os: z.string().optional().meta({
      description:
        'What is told of the operating system. Nothing unless set: it helps attackers first (§6).',
    }),
  }),

  setup({ iq, server, config }) {
    iq.get('domain', NS_VERSION, 'query', ({ host }) => {
      const { name, version } = server
      return versionElement({ name, version, os: config(host).os })
    })
  },
})
