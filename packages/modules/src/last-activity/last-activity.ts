import { defineModule, requirePresenceAccess, type Scope, type XmppModule, xep } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { lastActivityCommands } from './commands.ts'
import { lastActivityStore } from './store.ts'
import { lastElement, NS_LAST } from './wire.ts'

const maxStatusLength = 1_024

/**
 * Last Activity: since when an account is away, and since when the server runs.
 *
 * @see {@link https://xmpp.org/extensions/xep-0012.html | XEP-0012}
 */
export const lastActivity: XmppModule = defineModule({
  name: 'last-activity',
  implements: [
    xep('0012', '2.0', {
      status: 'partial',
      note: 'Who may not see the account’s presence gets service-unavailable instead of forbidden, as for an account that does not exist.',
    }),
  ],
  features: { account: [NS_LAST], domain: [NS_LAST] },
  stores: [lastActivityStore],
  commands: lastActivityCommands,
  migrations: [lastActivityStore.migration('0103-last-activity')],

  setup({ iq, hooks, server }) {
    iq.get('domain', NS_LAST, 'query', ({ scope }) => lastElement(scope.now - server.startedAt))

    iq.get('account', NS_LAST, 'query', ({ scope, from }) => {
      requirePresenceAccess(scope, from)
      // §4: somebody is there.
      if (isAvailable(scope)) return lastElement(0)
      const last = scope.get(lastActivityStore)
      if (!last) throw new StanzaError('service-unavailable')
      return lastElement(scope.now - last.at, last.status)
    })

    // §5: a question to a resource is answered by the client, if the asker may know.
    hooks.decide('stanza.may-receive', ({ scope, from, stanza }) => {
      if (stanza.name === 'iq' && stanza.type === 'get' && stanza.hasChild('query', NS_LAST))
        requirePresenceAccess(scope, from)
    })

    hooks.on('presence.changed', ({ scope, session, before, after, unavailable }) => {
      if (before && !after && !session.invisible) noteDeparture(scope, unavailable)
    })
    hooks.on('session.ended', ({ scope, session, presence }) => {
      if (presence && !session.invisible) noteDeparture(scope, undefined)
    })
    // XEP-0186 §3.1.1: the time when it became invisible, if anybody had seen it.
    hooks.on('session.concealed', ({ scope, session, before }) => {
      if (before === undefined && session.presence) noteDeparture(scope, undefined)
    })
    hooks.on('account.deleted', ({ scope }) => scope.set(lastActivityStore, '', undefined))
  },
})

function isAvailable(scope: Scope): boolean {
  return scope.sessions().some(({ presence, invisible }) => presence && !invisible)
}

/** §4 counts from when the last one left. */
function noteDeparture(scope: Scope, unavailable: Stanza | undefined): void {
  if (isAvailable(scope) || scope.host.anonymous) return
  const status = unavailable?.child('status', unavailable.ns)?.text().slice(0, maxStatusLength)
  scope.set(lastActivityStore, '', { at: scope.now, status: status || undefined })
}
