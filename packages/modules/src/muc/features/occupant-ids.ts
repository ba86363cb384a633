import { createHmac } from 'node:crypto'
import type { Occupant, Room, RoomFeature } from '@tactus/core'
import { type XmlElement, xml } from '@tactus/xml'
import { NS_OCCUPANT_ID } from '../wire.ts'

/**
 * A name for every occupant that says nothing of its address and stays with the account (XEP-0421).
 *
 * §3.1: made with a secret of the room, so that nobody can compare two rooms, or guess an address and check it.
 */
export const occupantIds: RoomFeature = {
  name: 'occupant-ids',
  disco: () => ({ features: [NS_OCCUPANT_ID] }),
  inPresence: (room, occupant) => [element(room, occupant)],
  stamp: ({ room, occupant, message }) => message.append(element(room, occupant)),
}

function element(room: Room, { account }: Occupant): XmlElement {
  const id = createHmac('sha256', room.secret).update(account).digest('base64url')
  return xml('occupant-id', { xmlns: NS_OCCUPANT_ID, id })
}
