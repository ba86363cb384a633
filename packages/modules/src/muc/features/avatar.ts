import { createHash } from 'node:crypto'
import type { IqAnswer, IqRequest, RoomFeature } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import { type KeyValueStore, keyValueStore } from '@tactus/storage'
import { parseElement, serialize, type XmlElement, xml } from '@tactus/xml'
import { requireRoom } from '../admin.ts'
import type { Rooms } from '../room.ts'
import { roomNotice } from '../wire.ts'

/** XEP-0054. */
export const NS_VCARD = 'vcard-temp'

/** The vCard of a room, which is its avatar. */
export const roomCardStore: KeyValueStore<{ readonly xml: string }> = keyValueStore({
  name: 'muc-card',
  table: 'muc_card',
  columns: { xml: 'text' },
})

const feature = 'avatar'

/** What disco says of it, so that it need not be read for that. */
interface Kept {
  readonly hash: string
  readonly type: string
}

/** An image that shows a room (XEP-0486): its owners set it, anybody may see it, also from outside. */
export const avatar: RoomFeature = {
  name: feature,
  disco: () => ({ features: [NS_VCARD] }),
  info(room) {
    const kept = room.kept<Kept>(feature)
    if (!kept) return []
    return [
      {
        var: 'muc#roominfo_avatarhash',
        type: 'text-multi',
        label: 'Avatar hash',
        values: [kept.hash],
      },
      {
        var: 'muc#roominfo_avatarmime',
        type: 'text-single',
        label: 'Avatar type',
        values: [kept.type],
      },
    ]
  },
  destroyed(room) {
    if (room.kept(feature)) room.scope.set(roomCardStore, '', undefined)
  },
}

/** §4.4 */
export function readAvatar(rooms: Rooms, request: IqRequest): XmlElement {
  const { scope } = requireRoom(rooms, request)
  const card = scope.get(roomCardStore)
  return card ? parseElement(card.xml) : xml('vCard', { xmlns: NS_VCARD })
}

/**
 * §4.2, §4.3: an empty one takes it away. Nothing but the photo is kept.
 *
 * @throws {StanzaError} `forbidden` for who is no owner, `not-acceptable` for what is no image or too large
 */
export function setAvatar(rooms: Rooms, request: IqRequest): IqAnswer {
  const room = requireRoom(rooms, request)
  if (!room.may(room.actorOf(request.from), 'own'))
    throw new StanzaError('forbidden', 'Only owners may set an avatar.')
  const photo = request.payload.getChild('PHOTO', NS_VCARD)
  if (!photo) {
    if (room.kept(feature)) room.scope.set(roomCardStore, '', undefined)
    room.keep(feature, undefined)
  } else {
    const image = Buffer.from(
      photo.getChildText('BINVAL', NS_VCARD)?.replaceAll(/\s/g, '') ?? '',
      'base64',
    )
    const type = photo.getChildText('TYPE', NS_VCARD) ?? ''
    if (image.length === 0 || !/^image\/[\w.+-]{1,60}$/.test(type))
      throw new StanzaError('not-acceptable')
    const { avatarBytes } = room.config
    if (image.length > avatarBytes)
      throw new StanzaError('policy-violation', `An avatar may have ${avatarBytes} bytes.`)
    const card = xml(
      'vCard',
      { xmlns: NS_VCARD },
      xml('PHOTO', null, xml('TYPE', null, type), xml('BINVAL', null, image.toString('base64'))),
    )
    room.scope.set(roomCardStore, '', { xml: serialize(card) })
    // XEP-0153 §3.1: SHA-1 of the image itself.
    const kept: Kept = { hash: createHash('sha1').update(image).digest('hex'), type }
    room.keep(feature, kept)
  }
  room.broadcast(roomNotice(room.jid, room.scope.makeId(), [104]))
  return undefined
}
