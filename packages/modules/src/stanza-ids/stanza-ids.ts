import { defineModule, type XmppModule, xep } from '@tactus/core'
import { NS_STANZA_IDS, stampStanzaId, stripStanzaIds } from '@tactus/stanza'

/**
 * Unique and Stable Stanza IDs: every message carries the id under which this account can find it again.
 *
 * It is one id from the sender's half on: the live copy, the archive and a repeat after a failure agree on it.
 *
 * @see {@link https://xmpp.org/extensions/xep-0359.html | XEP-0359}
 */
export const stanzaIds: XmppModule = defineModule({
  name: 'stanza-ids',
  implements: [xep('0359', '0.7.0')],
  features: { account: [NS_STANZA_IDS], domain: [NS_STANZA_IDS] },

  setup({ hooks }) {
    // §5, rules 3 and 5: whatever claims to be from us is not, until we put it there.
    hooks.rewrite('message.receiving', (message, { scope, id }) =>
      // Neither an error nor what a room says is in the account's archive, so there is nothing to find again. The room
      // has an id of its own, and what it sends stays the same for all its occupants.
      message.type === 'error' || message.type === 'groupchat'
        ? stripStanzaIds(message, scope.entity)
        : stampStanzaId(message, { id, by: scope.entity }),
    )
    // §6: a client must not pass for its server, here or at the recipient's.
    hooks.rewrite('message.sending', (message, { scope }) => stripStanzaIds(message, scope.entity))
  },
})
