import { defineModule, type XmppModule, xep } from '@tactus/core'
import { NS_TIME, timeElement } from './wire.ts'

/**
 * Entity Time: the server's clock, for clients that want to know how far theirs is off.
 *
 * @see {@link https://xmpp.org/extensions/xep-0202.html | XEP-0202}
 */
export const time: XmppModule = defineModule({
  name: 'time',
  implements: [xep('0202', '2.0')],
  features: { domain: [NS_TIME] },

  setup({ iq }) {
    iq.get('domain', NS_TIME, 'time', ({ scope }) => timeElement(scope.now))
  },
})
