import type { Affiliation, IqAnswer, IqRequest, RoomField, RoomSettings } from '@tactus/core'
import { type BareJid, bare, type Jid, tryParseJid } from '@tactus/jid'
import {
  bareJidsField,
  type FieldDefinition,
  findForm,
  formElement,
  offerForm,
  readForm,
  readSubmission,
  StanzaError,
} from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { changesAtOnce, requireRoom } from './admin.ts'
import { changeAffiliation } from './affiliations.ts'
import { destroy, expel } from './leave.ts'
import type { Rooms, RoomTurn } from './room.ts'
import { NS_MUC_OWNER, NS_ROOM_CONFIG, roomNotice, textOf } from './wire.ts'

/** Lists that the form shows with the configuration (§16.5.3) and that are affiliations in truth. */
const listFields: Readonly<
  Record<string, { readonly affiliation: Affiliation } & FieldDefinition<readonly BareJid[]>>
> = {
  'muc#roomconfig_roomadmins': { affiliation: 'admin', kind: bareJidsField, label: 'Admins' },
  'muc#roomconfig_roomowners': { affiliation: 'owner', kind: bareJidsField, label: 'Owners' },
}

/** The fields that features add, by their names on the wire. */
export function configurationFields(rooms: Rooms): Readonly<Record<string, RoomField>> {
  return Object.fromEntries(
    rooms.features().flatMap((feature) => Object.entries(feature.fields ?? {})),
  )
}

function fieldsOf(rooms: Rooms): Readonly<Record<string, RoomField | FieldDefinition<unknown>>> {
  return {
    ...configurationFields(rooms),
    ...(listFields as unknown as Record<string, FieldDefinition<unknown>>),
  }
}

/** @throws {StanzaError} `forbidden` for who is no owner (§10.2, §10.9) */
function requireOwner(rooms: Rooms, request: IqRequest): RoomTurn {
  const room = requireRoom(rooms, request)
  if (!room.may(room.actorOf(request.from), 'own')) throw new StanzaError('forbidden')
  return room
}

/** The form to configure a room with, filled in as it is (XEP-0045 §10.1.3, §10.2). */
export function offerConfiguration(rooms: Rooms, request: IqRequest): XmlElement {
  const room = requireOwner(rooms, request)
  const values: Record<string, unknown> = { ...room.settings }
  for (const [name, { affiliation }] of Object.entries(listFields))
    values[name] = accountsOf(room, affiliation)
  const form = offerForm(NS_ROOM_CONFIG, fieldsOf(rooms), values as never)
  const title = `Configuration of ${room.jid}`
  return xml('query', { xmlns: NS_MUC_OWNER }, formElement({ ...form, title }))
}

function accountsOf(room: RoomTurn, affiliation: Affiliation): readonly BareJid[] {
  const accounts: BareJid[] = []
  for (const [jid, affiliated] of room.affiliations())
    if (affiliated.affiliation === affiliation) accounts.push(jid as BareJid)
  return accounts
}

/**
 * Configures a room, or ends it (XEP-0045 §10.1.2, §10.1.3, §10.2, §10.9).
 *
 * @throws {StanzaError} `not-acceptable` for settings that do not go together, `conflict` for a room without owners
 */
export function changeRoom(rooms: Rooms, request: IqRequest): IqAnswer {
  const room = requireOwner(rooms, request)
  const end = request.payload.getChild('destroy', NS_MUC_OWNER)
  if (end) {
    destroy(room, venueOf(end))
    return undefined
  }
  const element = findForm(request.payload)
  if (!element) throw new StanzaError('bad-request')
  const form = readForm(element)
  if (form.type === 'cancel') {
    // §10.1.3: who does not want to configure it does not want it. Later, cancelling changes nothing.
    if (room.record.locked) destroy(room, {})
    return undefined
  }
  // An empty submission accepts what is there: an instant room.
  const submitted = readSubmission(form, NS_ROOM_CONFIG, fieldsOf(rooms)) as Record<string, unknown>
  configure(room, request.from, submitted)
  return undefined
}

/** Changes settings, and tells occupants; `by` is undefined where an operator does it. */
export function configure(
  room: RoomTurn,
  by: Jid | undefined,
  submitted: Readonly<Record<string, unknown>>,
): void {
  const { settings: before, record } = room
  const lists = Object.entries(submitted).filter(([name]) => Object.hasOwn(listFields, name))
  const fields = Object.entries(submitted).filter(([name]) => !Object.hasOwn(listFields, name))
  const settings: RoomSettings = { ...before, ...Object.fromEntries(fields) }
  for (const feature of room.rooms.features()) feature.mayConfigure?.(settings, room.scope)
  room.configure(settings)
  applyLists(room, by, lists as [string, readonly BareJid[]][])
  if (record.locked || room.isGone) return
  const codes = room.rooms.features().flatMap((feature) => feature.configured?.(room, before) ?? [])
  const isChanged = fields.some(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  )
  // §10.2.1
  if (isChanged) room.broadcast(roomNotice(room.jid, room.scope.makeId(), [104, ...codes]))
  if (!before['muc#roomconfig_membersonly'] && settings['muc#roomconfig_membersonly'])
    expelOthers(room)
}

/** §10.2.1: a room that is for members from now on, 322 to the others. */
function expelOthers(room: RoomTurn): void {
  for (const occupant of [...room.occupants()])
    if (room.affiliationOf(occupant.account) === 'none') expel(room, occupant, { codes: [322] })
}

/** §10.2: the lists in the form replace those of the room. Owners first, so that there is always one. */
function applyLists(
  room: RoomTurn,
  by: Jid | undefined,
  lists: readonly (readonly [string, readonly BareJid[]])[],
): void {
  const owners = lists.find(([name]) => name === 'muc#roomconfig_roomowners')?.[1]
  if (owners?.length === 0) throw new StanzaError('conflict', 'A room needs an owner.')
  const wanted = [...lists].sort(([one]) => (one === 'muc#roomconfig_roomowners' ? -1 : 1))
  const actor = by && { nick: room.occupantOf(by)?.nick, jid: bare(by) }
  let changes = 0
  const change = (account: BareJid, affiliation: Affiliation): void => {
    if (room.isGone || room.affiliations().get(account)?.affiliation === affiliation) return
    changes += 1
    if (changes > changesAtOnce)
      throw new StanzaError('policy-violation', 'Those are too many changes at once.')
    changeAffiliation(room, { account, affiliation, actor })
  }
  for (const [name, accounts] of wanted)
    for (const account of accounts) change(account, affiliationOf(name))
  for (const [name, accounts] of wanted)
    for (const account of accountsOf(room, affiliationOf(name)))
      if (!accounts.includes(account)) change(account, 'none')
}

function affiliationOf(field: string): Affiliation {
  return listFields[field]?.affiliation ?? 'none'
}

function venueOf(end: XmlElement): {
  readonly jid?: string
  readonly reason?: string
  readonly password?: string
} {
  const jid = end.attrs.jid === undefined ? undefined : tryParseJid(end.attrs.jid)
  if (end.attrs.jid !== undefined && !jid) throw new StanzaError('jid-malformed')
  const [reason, password] = [textOf(end, 'reason'), textOf(end, 'password')]
  return {
    ...(jid && { jid }),
    ...(reason !== undefined && { reason }),
    ...(password !== undefined && { password }),
  }
}
