import {
  defineModule,
  type NodeItem,
  type Nodes,
  type Scope,
  type XmppModule,
  xep,
} from '@tactus/core'
import { bare, tryParseJid } from '@tactus/jid'
import { NS_STANZA_IDS, StanzaError } from '@tactus/stanza'
import type { ChildSpan, Stanza } from '@tactus/xml'

/** XEP-0490 §8; also the node. */
const NS_DISPLAYED = 'urn:xmpp:mds:displayed:0'
const NS_ASSIST = 'urn:xmpp:mds:server-assist:0'

/**
 * Message Displayed Synchronization: how far somebody has read, on all devices. A client says it in the marker that it
 * sends anyway, and its server puts it where the other devices look.
 *
 * @see {@link https://xmpp.org/extensions/xep-0490.html | XEP-0490}
 */
export const displayed: XmppModule = defineModule({
  name: 'displayed',
  implements: [xep('0490', '1.0.1')],
  features: { account: [NS_ASSIST] },
  requires: ['pubsub'],

  setup({ hooks, pubsub, log }) {
    // §6, SECURITY: when somebody reads what is nobody else’s business.
    pubsub.type({
      node: NS_DISPLAYED,
      config: { 'pubsub#max_items': 'max', 'pubsub#send_last_published_item': 'never' },
      forced: { 'pubsub#access_model': 'whitelist' },
      published: ({ scope, item }) => tell(scope, item),
    })

    // Before the archive and the copies see the message.
    hooks.rewrite('message.sending', (message, { scope }) => {
      const payload = message.child('displayed', NS_DISPLAYED)
      if (!payload) return message
      const nodes = pubsub.nodes()
      try {
        if (nodes && !scope.host.anonymous) note(scope, nodes, message)
      } catch (error) {
        // The message is worth more than the mark.
        if (!(error instanceof StanzaError)) throw error
        log.warn('displayed_not_stored', { condition: error.condition })
      }
      return message.without(isDisplayed)
    })
  },
})

/** §4.2: the chat is the item's id, and the account's own archive has the message. Rooms are read elsewhere. */
function tell(scope: Scope, { id: chat, payload }: NodeItem): void {
  const told = payload?.getChild('stanza-id', NS_STANZA_IDS)?.attrs
  const peer = tryParseJid(chat)
  const by = tryParseJid(told?.by ?? '')
  if (peer !== undefined && told?.id !== undefined && by === scope.entity)
    scope.emit('chat.displayed', { peer: bare(peer), id: told.id })
}

/** §4.3: the verbatim address is the id. */
function note(scope: Scope, nodes: Nodes, message: Stanza): void {
  const payload = message.child('displayed', NS_DISPLAYED)
  if (payload && message.to !== undefined && message.type !== 'error')
    nodes.publish(scope, NS_DISPLAYED, { id: message.to, payload })
}

function isDisplayed({ name, ns }: ChildSpan): boolean {
  return name === 'displayed' && ns === NS_DISPLAYED
}
