import { defineModule, requireOwn, type XmppModule } from '@tactus/core'
import { NS_SESSION } from '@tactus/stanza'

/**
 * Session establishment of RFC 3921 §3: binding a resource does it since RFC 6121, but old clients wait for the answer.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6121#section-1.4 | RFC 6121 §1.4}
 */
export const session: XmppModule = defineModule({
  name: 'session',
  implements: [],

  setup({ iq }) {
    iq.set('domain', NS_SESSION, 'session', () => undefined)
    iq.set('account', NS_SESSION, 'session', (request) => {
      requireOwn(request)
      return undefined
    })
  },
})
