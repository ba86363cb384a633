import type { Occupant, RoomMessage, ServiceStanza, Speaking } from '@tactus/core'
import { type FullJid, isFull } from '@tactus/jid'
import { messageType, readStanzaError, StanzaError, stampStanzaId } from '@tactus/stanza'
import { lose } from './leave.ts'
import { sendPrivately } from './private.ts'
import { type Rooms, RoomTurn } from './room.ts'
import { withoutClaims } from './wire.ts'

/**
 * A message that reached the room or one of its occupants (XEP-0045 §7.4, §7.5, §7.8, §7.13).
 *
 * @throws {StanzaError} `item-not-found` where there is no room; what the sections ask for
 */
export function receiveMessage(rooms: Rooms, arriving: ServiceStanza): void {
  const { scope, from, to, stanza } = arriving
  const type = messageType(stanza)
  const room = RoomTurn.find(rooms, scope)
  if (type === 'error') return room && isUnreachable(stanza) ? lose(room, from) : undefined
  if (!room) throw new StanzaError('item-not-found')
  const occupant = room.occupantOf(from)
  if (isFull(to)) {
    if (type === 'groupchat') throw new StanzaError('bad-request')
    return sendPrivately(room, arriving)
  }
  if (type !== 'groupchat') return receiveForRoom({ room, from, occupant, message: stanza })
  if (!occupant) throw new StanzaError('not-acceptable')
  speak(room, occupant, arriving)
}

/** What says that nobody is there; a client that does not like a message says other things, and stays. */
const unreachable: readonly string[] = [
  'gone',
  'item-not-found',
  'jid-malformed',
  'recipient-unavailable',
  'redirect',
  'remote-server-not-found',
  'remote-server-timeout',
  'service-unavailable',
]

function isUnreachable(error: ServiceStanza['stanza']): boolean {
  const condition = readStanzaError(error)?.condition
  return condition !== undefined && unreachable.includes(condition)
}

/** Invitations, requests for voice: for whoever of the features knows it. */
function receiveForRoom(message: RoomMessage): void {
  const room = message.room as RoomTurn
  for (const feature of room.rooms.features()) if (feature.message?.(message)) return
  // A chat or normal message to a room says nothing to anybody: it has no one address.
  throw new StanzaError(message.occupant ? 'bad-request' : 'not-acceptable')
}

/**
 * A line to all. Its place among the others is this turn's: the room has one writer, so all see the same order.
 *
 * @throws {StanzaError} `forbidden` without voice
 */
function speak(room: RoomTurn, occupant: Occupant, { stanza, id, from: by }: ServiceStanza): void {
  const message = withoutClaims(stanza, room.jid)
  let line: Speaking = { room, occupant, from: by as FullJid, message, id }
  for (const feature of room.rooms.features()) feature.maySpeak?.(line)
  const from = room.addressOf(occupant.nick)
  // muc#stable_id: the sender's own id stays what it is.
  const stamped = stampStanzaId(line.message.with({ from, to: undefined }), { id, by: room.jid })
  line = { ...line, message: stamped }
  for (const feature of room.rooms.features())
    if (feature.stamp) line = { ...line, message: feature.stamp(line) }
  room.scope.multicast(recipients(room), line.message, { id })
  for (const feature of room.rooms.features()) feature.spoken?.(line)
}

function recipients(room: RoomTurn): readonly Occupant['resources'][number]['jid'][] {
  return [...room.occupants()].flatMap(({ resources }) => resources.map(({ jid }) => jid))
}
