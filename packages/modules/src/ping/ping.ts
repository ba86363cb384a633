import { defineModule, requireOwn, type XmppModule, xep } from '@tactus/core'
import { NS_PING } from './wire.ts'

/**
 * XMPP Ping: a request whose only meaning is its answer.
 *
 * @see {@link https://xmpp.org/extensions/xep-0199.html | XEP-0199}
 */
export const ping: XmppModule = defineModule({
  name: 'ping',
  implements: [xep('0199', '2.0.1')],
  features: { account: [NS_PING], domain: [NS_PING] },

  setup({ iq }) {
    // §4.2: addressed to the server, or to nobody, which is the account.
    iq.get('domain', NS_PING, 'ping', () => undefined)
    iq.get('account', NS_PING, 'ping', (request) => {
      requireOwn(request)
      return undefined
    })
  },
})
