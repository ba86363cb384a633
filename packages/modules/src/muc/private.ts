import { createHmac } from 'node:crypto'
import type { Occupant, ServiceStanza } from '@tactus/core'
import { bare, type Jid, resourcepart } from '@tactus/jid'
import { iqResult, isRequest, StanzaError } from '@tactus/stanza'
import { clone, type Stanza } from '@tactus/xml'
import { stampsOf } from './presence.ts'
import { type Rooms, RoomTurn } from './room.ts'
import { userElement, withoutClaims } from './wire.ts'

/** XEP-0199. */
const NS_PING = 'urn:xmpp:ping'
/** What is asked about an account and answered by its server, not by one of its resources. */
const forAccounts: readonly string[] = [
  'vcard-temp',
  'urn:ietf:params:xml:ns:vcard-4.0',
  'http://jabber.org/protocol/pubsub',
]

/**
 * A message to one occupant (XEP-0045 §7.5): to all its resources, from the sender's nickname.
 *
 * @throws {StanzaError} `not-acceptable` from outside, `forbidden` where the room lets one not, `item-not-found`
 */
export function sendPrivately(room: RoomTurn, { from, to, stanza }: ServiceStanza): void {
  const { sender, recipient } = between(room, from, to)
  if (!room.may(room.actor(sender), 'send-private')) throw new StanzaError('forbidden')
  // §7.5: marked, so that clients (and carbons) can tell it from other messages.
  const message = withoutClaims(stanza, room.jid)
    .with({ from: room.addressOf(sender.nick) })
    .append(userElement([]), ...stampsOf(room, sender))
  room.tellOccupant(recipient, message)
}

/**
 * A request or an answer between occupants, who do not know each other's addresses: asked in the name of the nickname, by
 * an id that leads back (§6.6).
 *
 * @throws {StanzaError} `not-acceptable` from outside, `item-not-found` for a nickname that nobody has
 */
export function passIq(rooms: Rooms, arriving: ServiceStanza): void {
  const { scope, from, to, stanza } = arriving
  const room = RoomTurn.find(rooms, scope)
  if (!isRequest(stanza)) return room && passAnswer(room, arriving)
  // §6.6: bad-request for disco from outside; XEP-0410 §3.3 tells by not-acceptable that one is not in the room.
  if (!room?.occupantOf(from))
    throw new StanzaError(isDisco(stanza) ? 'bad-request' : 'not-acceptable')
  const { sender, recipient } = between(room, from, to)
  if (recipient.nick === sender.nick && stanza.hasChild('ping', NS_PING)) {
    // XEP-0410 §3.3: the room knows the answer.
    scope.send(iqResult(stanza))
    return
  }
  if (!room.may(room.actor(sender), 'send-private')) throw new StanzaError('forbidden')
  const [payload] = stanza.children
  const isForAccount = payload !== undefined && forAccounts.includes(payload.ns)
  const target = isForAccount ? recipient.account : recipient.resources.at(-1)?.jid
  if (target === undefined) throw new StanzaError('item-not-found')
  const asking = markOf(room, from)
  const id = leadBack({ asking, id: stanza.id ?? '', asked: recipient.nick })
  scope.send(stanza.with({ from: room.addressOf(sender.nick), to: target, id }))
}

function passAnswer(room: RoomTurn, { from, to, stanza, scope }: ServiceStanza): void {
  const way = readWay(stanza.id)
  // SECURITY: only from who was asked, to a resource of the nickname that the answer is addressed to.
  if (!way || room.occupant(way.asked)?.account !== bare(from)) return
  const resources = room.occupant(resourcepart(to) ?? '')?.resources ?? []
  const asking = resources.find(({ jid }) => markOf(room, jid) === way.asking)
  if (!asking) return
  const answer = { from: room.addressOf(way.asked), to: asking.jid, id: way.id }
  scope.send(byNobody(stanza).with(answer))
}

/** SECURITY: V44. An error may name who found it (RFC 6120 §8.3.1): the account that was asked, or a resource of it. */
function byNobody(stanza: Stanza): Stanza {
  const error = stanza.child('error', stanza.ns)
  if (error?.attrs.by === undefined) return stanza
  const unsigned = clone(error)
  unsigned.attrs.by = undefined
  return stanza.without(({ name, ns }) => name === 'error' && ns === stanza.ns).append(unsigned)
}

/** SECURITY: V44. By it the room knows a resource again, and nobody else learns or guesses an address. */
function markOf({ secret }: RoomTurn, resource: Jid): string {
  return createHmac('sha256', secret).update(`asking ${resource}`).digest('base64url').slice(0, 22)
}

function between(
  room: RoomTurn,
  from: Jid,
  to: Jid,
): { readonly sender: Occupant; readonly recipient: Occupant } {
  const sender = room.occupantOf(from)
  if (!sender) throw new StanzaError('not-acceptable')
  const recipient = room.occupant(resourcepart(to) ?? '')
  if (!recipient) throw new StanzaError('item-not-found')
  return { sender, recipient }
}

function isDisco(stanza: Stanza): boolean {
  return stanza.children.some(({ ns }) => ns.startsWith('http://jabber.org/protocol/disco#'))
}

interface Way {
  /** The mark of a resource. */
  readonly asking: string
  readonly id: string
  readonly asked: string
}

function leadBack({ asking, id, asked }: Way): string {
  return Buffer.from(JSON.stringify([asking, id, asked])).toString('base64url')
}

function readWay(id: string | undefined): Way | undefined {
  try {
    const [asking, original, asked] = JSON.parse(
      Buffer.from(id ?? '', 'base64url').toString(),
    ) as unknown[]
    if ([asking, original, asked].every((part) => typeof part === 'string'))
      return { asking, id: original, asked } as Way
  } catch {
    // Not ours.
  }
  return undefined
}
