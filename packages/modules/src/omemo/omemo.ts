import { defineModule, type XmppModule, xep } from '@tactus/core'

const isPublic = { 'pubsub#access_model': 'open' }

/**
 * OMEMO: where clients leave the keys that others need to write to them. All the server does is to let them be found:
 * who cannot have a contact’s keys cannot write to it before both see each other’s presence.
 *
 * Clients ask for the same with publish-options, which these nodes meet; a client that asks for nothing gets it too.
 *
 * @see {@link https://xmpp.org/extensions/xep-0384.html | XEP-0384}
 */
export const omemo: XmppModule = defineModule({
  name: 'omemo',
  implements: [
    xep('0384', '0.9.1', {
      status: 'partial',
      note: 'Encryption is the clients’ business. Nodes of the older version that hold one device’s bundle each are as the client wishes them, which is open with every client.',
    }),
  ],
  requires: ['pubsub'],

  setup({ pubsub }) {
    pubsub.type({ node: 'eu.siacs.conversations.axolotl.devicelist', config: isPublic })
    pubsub.type({ node: 'urn:xmpp:omemo:2:devices', config: isPublic })
    // §5.3.2: one item for each device.
    pubsub.type({
      node: 'urn:xmpp:omemo:2:bundles',
      config: { ...isPublic, 'pubsub#max_items': 'max' },
    })
  },
})
