import { defineModule, SilentRefusal, type XmppModule, xep } from '@tactus/core'
import { z } from 'zod'
import { forMembers } from './members.ts'
import { NS_ABSENT } from './wire.ts'

/**
 * What is said in rooms, for their members who are not there.
 *
 * Members who registered a nickname (XEP-0045 §7.10) are told that they are mentioned, and where the owners want it their
 * devices are woken for every line. A room tells their accounts, each in its own place, and what wakes a device is told of
 * it as of any message: so it does not matter where either of them is, or what dies on the way.
 *
 * @see {@link https://xmpp.org/extensions/xep-0452.html | XEP-0452}
 */
export const absentees: XmppModule = defineModule({
  name: 'absentees',
  implements: [
    xep('0452', '0.2.2', {
      note: 'Also where a member is mentioned by its nickname (`xmpp:room@service/nickname`), as addresses are known to few.',
    }),
  ],
  config: z.strictObject({
    members: z.int().min(0).default(1_000).meta({
      description:
        'Members who are away of whom a line in a room wakes the devices at most, where its owners want that; the others are not woken. 0 is for nobody.',
    }),
  }),

  setup({ hooks, config, rooms }) {
    rooms.feature(forMembers(({ host }) => config(host).members))

    // It is for the account: what is open there can come into the room.
    hooks.decide('resource.may-get', ({ stanza }) => {
      if (stanza.name === 'message' && stanza.hasChild('absent', NS_ABSENT))
        throw new SilentRefusal()
    })
  },
})
