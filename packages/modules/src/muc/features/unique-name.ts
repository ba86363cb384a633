import type { IqRequest } from '@tactus/core'
import { type XmlElement, xml } from '@tactus/xml'
import { requireCreation } from '../join.ts'
import type { Rooms } from '../room.ts'

/** XEP-0307. */
export const NS_UNIQUE = 'http://jabber.org/protocol/muc#unique'

/**
 * A name that no room has, nor will have (XEP-0307). Nothing is reserved: of so many bits nobody draws the same twice.
 *
 * @throws {StanzaError} `not-allowed` for who may not make rooms
 */
export function drawName(rooms: Rooms, { scope, from }: IqRequest): XmlElement {
  requireCreation(rooms, scope, from)
  const name = Buffer.from(scope.random(20)).toString('hex')
  return xml('unique', { xmlns: NS_UNIQUE }, name)
}
