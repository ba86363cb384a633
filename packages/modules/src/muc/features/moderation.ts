import type { IqAnswer, IqRequest, RoomFeature } from '@tactus/core'
import { NS_CLIENT, StanzaError, stampStanzaId } from '@tactus/stanza'
import { Stanza, type XmlElement, xml } from '@tactus/xml'
import { requireRoom } from '../admin.ts'
import { stampsOf } from '../presence.ts'
import type { Rooms } from '../room.ts'
import { historyStore } from '../store.ts'
import { NS_RETRACT, textOf } from '../wire.ts'

/** XEP-0425. */
export const NS_MODERATE = 'urn:xmpp:message-moderate:1'
const maxIdLength = 256

/** Moderators take back what others said (XEP-0425). */
export const moderation: RoomFeature = {
  name: 'moderation',
  disco: () => ({ features: [NS_MODERATE] }),
}

/**
 * Takes a message back: nobody who joins gets it any more, and those who are there are told.
 *
 * A message that the history has forgotten may be in the archives of those who saw it, so it can be taken back, too.
 * @throws {StanzaError} `forbidden` for who is no moderator, `bad-request` without an id or for another kind of moderation
 */
export function moderate(rooms: Rooms, request: IqRequest): IqAnswer {
  const room = requireRoom(rooms, request)
  const moderator = room.occupantOf(request.from)
  if (!moderator || !room.may(room.actor(moderator), 'moderate'))
    throw new StanzaError('forbidden', 'Only moderators may moderate messages.')
  const { payload } = request
  const id: string = payload.attrs.id ?? ''
  if (id === '' || id.length > maxIdLength || !payload.getChild('retract', NS_RETRACT))
    throw new StanzaError('bad-request')
  const lines = room.scope.get(historyStore) ?? []
  const left = lines.filter((line) => line.id !== id)
  // §7: what was taken back is not handed out any more.
  if (left.length < lines.length) room.scope.set(historyStore, '', left)
  const by = room.addressOf(moderator.nick)
  const reason = textOf(payload, 'reason')
  const account = (): XmlElement[] => [
    xml('moderated', { xmlns: NS_MODERATE, by }, stampsOf(room, moderator)),
    ...(reason ? [xml('reason', null, reason)] : []),
  ]
  const retraction = xml(
    'message',
    { xmlns: NS_CLIENT, type: 'groupchat', from: room.jid, id: room.scope.makeId() },
    xml('retract', { xmlns: NS_RETRACT, id }, account()),
  )
  const messageId = room.scope.makeId()
  const message = stampStanzaId(Stanza.from(retraction), { id: messageId, by: room.jid })
  room.broadcast(message)
  for (const feature of rooms.features())
    feature.moderated?.({ room, id, account: account(), message, messageId })
  return undefined
}
