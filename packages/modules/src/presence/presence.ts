import { defineModule, type XmppModule } from '@tactus/core'
import { rosterStore } from '@tactus/storage'
import { askContacts, becomeAvailable, departed } from './availability.ts'
import { appearTo, hide, show, vanishFrom } from './blocked.ts'
import { presenceConfig } from './config.ts'
import { directedStore } from './directed.ts'
import { receivePresence } from './inbound.ts'
import { sendPresence } from './outbound.ts'
import { available } from './wire.ts'

/**
 * Presence: who may see it, who is there, and who has to know.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6121#section-3 | RFC 6121 §3 and §4}
 */
export const presence: XmppModule = defineModule({
  name: 'presence',
  implements: [],
  stores: [rosterStore, directedStore],
  config: presenceConfig,

  setup({ hooks, config }) {
    hooks.claim('presence.outbound', (event) => sendPresence(event, config(event.scope.host)))
    hooks.claim('presence.inbound', (event) => receivePresence(event, config(event.scope.host)))
    hooks.on('addresses.blocked', ({ scope, addresses }) => vanishFrom(scope, addresses))
    hooks.on('addresses.unblocked', ({ scope, addresses }) => appearTo(scope, addresses))
    hooks.on('session.hidden', ({ scope, session, from }) => hide(scope, session, from))
    hooks.on('session.shown', ({ scope, session, to }) => show(scope, session, to))
    hooks.on('session.concealed', ({ scope, session, before }) => {
      if (!session.presence) becomeAvailable(scope, session, available(session.jid))
      else if (before === 'silent') askContacts(scope, session)
    })
    hooks.on('session.ended', ({ scope, session, presence }) => departed(scope, session, presence))
  },
})
