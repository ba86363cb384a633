import { defineModule, type NodeKind, type RoomFeature, type XmppModule, xep } from '@tactus/core'
import { formElement, formTypeField } from '@tactus/stanza'

/** XEP-0503 §3: the type of a node that is a space, and what those say of themselves that are in one. */
const NS_SPACES = 'urn:xmpp:spaces:0'

/**
 * §3. Rooms, nodes and whatever else is in it, images of it among them (§5.2.1): a child may be of any kind, and all are
 * kept, as many as the service allows.
 */
const space: NodeKind = {
  at: ['service'],
  mixed: true,
  config: {
    'pubsub#max_items': 'max',
    'pubsub#notify_sub': true,
    'pubsub#notify_config': true,
    'pubsub#notify_delete': true,
  },
  forced: { 'pubsub#notify_retract': true, 'pubsub#persist_items': true },
}

/** §5.5: a room tells which space it says that it is in. Clients look there whether that is so. */
const child: RoomFeature = {
  name: 'space',
  disco(room) {
    const parent = room.setting<string>('muc#roomconfig_pubsub')
    if (parent === '') return {}
    const fields = [
      formTypeField(NS_SPACES),
      { var: 'parent', type: 'text-single', label: 'Space', values: [parent] } as const,
    ]
    return { features: [NS_SPACES], forms: [formElement({ type: 'result', fields })] }
  },
}

/**
 * Spaces: nodes whose items are rooms, other nodes, and what else belongs together. They need nothing of a server but
 * nodes; this gives them the configuration that they must have, and lets rooms tell of theirs.
 *
 * @see {@link https://xmpp.org/extensions/xep-0503.html | XEP-0503}
 */
export const spaces: XmppModule = defineModule({
  name: 'spaces',
  implements: [
    xep('0503', '0.3.0', {
      note: 'A space is a node of a service, not of an account. Rooms name their space where their owner has set `muc#roomconfig_pubsub`; nodes do not.',
    }),
  ],
  requires: ['pubsub', 'muc'],

  setup({ pubsub, rooms }) {
    pubsub.profile({ profile: NS_SPACES, ...space })
    rooms.feature(child)
  },
})
