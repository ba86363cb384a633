import type { Affiliation, IqAnswer, IqRequest, Occupant, Role } from '@tactus/core'
import {
  type BareJid,
  bare,
  type Jid,
  JidError,
  prepareResourcepart,
  tryParseJid,
} from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { changeAffiliation } from './affiliations.ts'
import { invite, isHidden } from './invite.ts'
import { mayAffiliate, mayReadLists } from './permissions.ts'
import { grantRole } from './roles.ts'
import { type Rooms, RoomTurn } from './room.ts'
import { itemElement, NS_MUC_ADMIN, readAffiliation, readRole, textOf } from './wire.ts'

/** Changes in one request, for each of them copies the list; longer ones come in several. */
export const changesAtOnce = 200

/** Longest reason: the list of a room, which may be long, keeps one for each account. */
const reasonBytes = 1_024

/** The room that is asked. @throws {StanzaError} `item-not-found` */
export function requireRoom(
  rooms: Rooms,
  { scope, from }: Pick<IqRequest, 'scope' | 'from'>,
): RoomTurn {
  const room = RoomTurn.find(rooms, scope)
  if (!room || room.isNoneTo(from)) throw new StanzaError('item-not-found')
  return room
}

/**
 * Lists of occupants by role and of accounts by affiliation (XEP-0045 §7.11, §8.5, §9.2, §9.5, §9.8, §10.5, §10.8).
 *
 * @throws {StanzaError} `forbidden`
 */
export function readList(rooms: Rooms, request: IqRequest): XmlElement {
  const room = requireRoom(rooms, request)
  const items = request.payload.getChildren('item', NS_MUC_ADMIN)
  const [item] = items
  if (!item || items.length > 1) throw new StanzaError('bad-request')
  const role = readRole(item.attrs.role)
  const affiliation = readAffiliation(item.attrs.affiliation)
  if (role !== undefined && role !== 'none') return listOf(byRole(room, request, role))
  if (affiliation !== undefined && affiliation !== 'none')
    return listOf(byAffiliation(room, request, affiliation))
  throw new StanzaError('bad-request')
}

function listOf(items: readonly XmlElement[]): XmlElement {
  return xml('query', { xmlns: NS_MUC_ADMIN }, items)
}

function byRole(room: RoomTurn, { from }: IqRequest, role: Role): readonly XmlElement[] {
  const actor = room.actorOf(from)
  if (!room.may(actor, 'moderate') && !room.may(actor, 'administer'))
    throw new StanzaError('forbidden')
  return [...room.occupants()]
    .filter((occupant) => occupant.role === role)
    .map((occupant) =>
      itemElement({
        affiliation: room.affiliationOf(occupant.account),
        role,
        nick: occupant.nick,
        jid: occupant.resources.at(-1)?.jid,
      }),
    )
}

function byAffiliation(
  room: RoomTurn,
  { from }: IqRequest,
  affiliation: Affiliation,
): readonly XmlElement[] {
  const actor = room.actorOf(from)
  const mayRead =
    affiliation === 'outcast' ? room.may(actor, 'administer') : mayReadLists(actor, room.settings)
  if (!mayRead) throw new StanzaError('forbidden')
  const items: XmlElement[] = []
  for (const [jid, { affiliation: is, nick, reason }] of room.affiliations())
    if (is === affiliation)
      items.push(
        xml(
          'item',
          { affiliation, jid, nick },
          reason !== undefined && reason !== '' && xml('reason', null, reason),
        ),
      )
  return items
}

/**
 * Changes roles and affiliations, all of them or none.
 *
 * @throws {StanzaError} what XEP-0045 §8 to §10 ask for
 */
export function changeList(rooms: Rooms, request: IqRequest): IqAnswer {
  const room = requireRoom(rooms, request)
  const items = request.payload.getChildren('item', NS_MUC_ADMIN)
  if (items.length === 0 || items.length > changesAtOnce) throw new StanzaError('bad-request')
  // A kick of oneself included, the answer comes first: who is out gets it all the same.
  for (const item of items) if (!room.isGone) changeOne(room, request, item)
  return undefined
}

function changeOne(room: RoomTurn, request: IqRequest, item: XmlElement): void {
  const reason = textOf(item, 'reason')
  if (reason !== undefined && Buffer.byteLength(reason) > reasonBytes)
    throw new StanzaError('policy-violation', `A reason may have ${reasonBytes} bytes.`)
  if (item.attrs.affiliation !== undefined) {
    changeAccount(room, request, item, reason)
    return
  }
  const role = readRole(item.attrs.role)
  if (role === undefined || item.attrs.nick === undefined) throw new StanzaError('bad-request')
  const by = room.occupantOf(request.from)
  if (!by) throw new StanzaError('forbidden')
  const target = room.occupant(item.attrs.nick)
  if (!target) throw new StanzaError('item-not-found')
  grantRole(room, by, { target, role, reason })
}

function changeAccount(
  room: RoomTurn,
  { from }: IqRequest,
  item: XmlElement,
  reason: string | undefined,
): void {
  const affiliation = readAffiliation(item.attrs.affiliation)
  if (affiliation === undefined) throw new StanzaError('bad-request')
  const account = accountOf(room, item)
  const before = room.affiliations().get(account)?.affiliation ?? 'none'
  mayChangeAccount(room, from, { account, before, after: affiliation })
  const asked: string | undefined = item.attrs.jid === undefined ? undefined : item.attrs.nick
  const nick = asked ? requireFreeNick(room, asked, account) : undefined
  const actor = { nick: room.occupantOf(from)?.nick, jid: bare(from) }
  changeAffiliation(room, { account, affiliation, nick, reason, actor })
  // §9.5: who is let in is told so.
  if (before === 'none' && affiliation === 'member' && room.setting('muc#roomconfig_membersonly'))
    invite(room, { to: account, by: isHidden(room) ? room.jid : bare(from), reason })
}

interface AccountChange {
  readonly account: BareJid
  readonly before: Affiliation
  readonly after: Affiliation
}

/** @throws {StanzaError} `forbidden`, `conflict`, `not-allowed` */
function mayChangeAccount(room: RoomTurn, from: Jid, change: AccountChange): void {
  const { account, before, after } = change
  const actor = room.actorOf(from)
  if (!room.may(actor, 'administer')) throw new StanzaError('forbidden')
  // §9.1: nobody bans itself.
  if (after === 'outcast' && account === bare(from)) throw new StanzaError('conflict')
  if (!mayAffiliate(actor.affiliation, before, after))
    // §9.1: nobody is banned by who is below; §10.3 to §10.8: the lists of owners and admins are the owners' to change.
    throw new StanzaError(after === 'outcast' ? 'not-allowed' : 'forbidden')
  if (after === 'outcast' && room.rooms.isAdmin(account)) throw new StanzaError('not-allowed')
}

/** By its address, or by the nickname that it has now. */
function accountOf(room: RoomTurn, { attrs }: XmlElement): BareJid {
  if (attrs.jid !== undefined) {
    const jid = tryParseJid(attrs.jid)
    if (!jid) throw new StanzaError('jid-malformed')
    return bare(jid)
  }
  const occupant: Occupant | undefined =
    attrs.nick === undefined ? undefined : room.occupant(attrs.nick)
  if (!occupant) throw new StanzaError(attrs.nick === undefined ? 'bad-request' : 'item-not-found')
  return occupant.account
}

/**
 * The nickname as somebody would come in with it: else who writes it otherwise has what is reserved.
 *
 * @throws {StanzaError} `conflict` for a nickname that is another's, or reserved by another, `not-acceptable` for what is
 * none or too long
 */
export function requireFreeNick(room: RoomTurn, text: string, account: BareJid): string {
  const nick = prepared(text)
  const { nickBytes } = room.config
  if (nick === undefined || Buffer.byteLength(nick) > nickBytes)
    throw new StanzaError('not-acceptable', `A nickname may have ${nickBytes} bytes.`)
  const holder = room.occupant(nick)
  if (holder && holder.account !== account) throw new StanzaError('conflict')
  for (const [jid, affiliated] of room.affiliations())
    if (affiliated.nick === nick && jid !== account) throw new StanzaError('conflict')
  return nick
}

function prepared(nick: string): string | undefined {
  try {
    return prepareResourcepart(nick)
  } catch (error) {
    if (error instanceof JidError) return undefined
    throw error
  }
}
