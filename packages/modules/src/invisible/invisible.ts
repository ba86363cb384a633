import {
  deferred,
  defineModule,
  type IqRequest,
  requireOwn,
  type Session,
  type XmppModule,
  xep,
} from '@tactus/core'
import { iqResult, NS_CLIENT, StanzaError } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import { NS_INVISIBLE, readProbe } from './wire.ts'

/**
 * Invisible Command: a resource is there for its own account and for those that it tells by name, and for nobody else.
 *
 * That it is invisible is part of the session, so it outlives a lost connection; what shows presence to others asks it.
 *
 * @see {@link https://xmpp.org/extensions/xep-0186.html | XEP-0186}
 */
export const invisible: XmppModule = defineModule({
  name: 'invisible',
  implements: [
    xep('0186', '0.14.0', {
      note: 'The account’s other resources see an invisible one. One that had sent no presence counts as available with priority 0. A request for its full JID is delivered to whoever sent it (§3.1.1, point 6): what its client answers is its own affair.',
    }),
  ],
  features: { domain: [NS_INVISIBLE] },

  setup({ iq }) {
    iq.set('account', NS_INVISIBLE, 'invisible', (request) => {
      const { scope } = request
      const session = answered(request)
      const { invisible: before } = session
      if (before === undefined) scope.emit('session.hidden', { session, from: () => true })
      const current = scope.setInvisible(session, readProbe(request.payload) ? 'probing' : 'silent')
      scope.emit('session.concealed', { session: current, before })
      return deferred
    })

    iq.set('account', NS_INVISIBLE, 'visible', (request) => {
      const { scope } = request
      const session = answered(request)
      const { presence: before } = session
      if (session.invisible === undefined) return deferred
      // §3.2: as before initial presence. Whom it sent presence to by name will be told when it goes.
      const gone = scope.setPresence(session, undefined)
      const attrs = { xmlns: NS_CLIENT, type: 'unavailable', from: session.jid }
      for (const other of scope.sessions())
        if (other.presence) scope.deliver(other, xml('presence', attrs))
      if (before)
        scope.emit('presence.changed', {
          session: gone,
          before,
          after: undefined,
          unavailable: undefined,
        })
      scope.setInvisible(gone, undefined)
      return deferred
    })
  },
})

/** The resource that asks, which has its result before what comes of it. */
function answered(request: IqRequest): Session {
  requireOwn(request)
  const { scope, session, stanza } = request
  if (!session) throw new StanzaError('bad-request')
  scope.deliver(session, iqResult(stanza))
  return session
}
