import { defineModule, type XmppModule, xep } from '@tactus/core'
import { z } from 'zod'
import { addressForm } from './wire.ts'

const uris = (what: string) =>
  z
    .array(z.url())
    .default([])
    .meta({ description: `Where to turn to ${what}: URIs such as \`mailto:abuse@example.org\`.` })

/**
 * Contact Addresses: how to reach the people behind a server, told to everybody who asks it what it is.
 *
 * @see {@link https://xmpp.org/extensions/xep-0157.html | XEP-0157}
 */
export const contactAddresses: XmppModule = defineModule({
  name: 'contact-addresses',
  implements: [xep('0157', '1.1.1')],
  config: z.strictObject({
    abuse: uris('with complaints about abuse'),
    admin: uris('about administration'),
    feedback: uris('with praise and blame'),
    sales: uris('about buying'),
    security: uris('with a hole that you found'),
    status: uris('to see whether all is well'),
    support: uris('for help'),
  }),

  setup({ config, disco }) {
    disco.info('domain', ({ host }) => {
      const form = addressForm(config(host))
      return form ? { forms: [form] } : {}
    })
  },
})
