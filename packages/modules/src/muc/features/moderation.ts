import type { IqAnswer, IqRequest, RoomFeature } from '@tactus/core'
import { NS_CLIENT, StanzaError, stampStanzaId } from '@tactus/stanza'
import { Stanza, xml } from '@tactus/xml'
import { requireRoom } from '../admin.ts'
import { stampsOf } from '../presence.ts'
import type { Rooms } from '../room.ts'
import { historyStore } from '../store.ts'
import { textOf } from '../wire.ts'

/** XEP-0425. */
export const NS_MODERATE = 'urn:xmpp:message-moderate:1'
/** XEP-0424. */
const NS_RETRACT = 'urn:xmpp:message-retract:1'
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
  const moderated = xml('moderated', { xmlns: NS_MODERATE, by }, stampsOf(room, moderator))
  const retraction = xml(
    'message',
    { xmlns: NS_CLIENT, type: 'groupchat', from: room.jid, id: room.scope.makeId() },
    xml(
      'retract',
      { xmlns: NS_RETRACT, id },
      moderated,
      reason !== undefined && reason !== '' && xml('reason', null, reason),
    ),
  )
  const stamp = { id: room.scope.makeId(), by: room.jid }
  room.broadcast(stampStanzaId(Stanza.from(retraction), stamp))
  return undefined
}
