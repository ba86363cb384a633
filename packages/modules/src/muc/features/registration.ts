import type { IqAnswer, IqRequest, RoomFeature } from '@tactus/core'
import { bare } from '@tactus/jid'
import {
  booleanField,
  findForm,
  formElement,
  missingFields,
  offerForm,
  readForm,
  readSubmission,
  StanzaError,
  textField,
} from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { requireFreeNick, requireRoom } from '../admin.ts'
import { changeAffiliation } from '../affiliations.ts'
import type { Rooms, RoomTurn } from '../room.ts'

/** XEP-0077. */
export const NS_REGISTER = 'jabber:iq:register'
/** FORM_TYPE of registrations (XEP-0045 §16.5.1). */
const NS_MUC_REGISTER = 'http://jabber.org/protocol/muc#register'

const definition = {
  'muc#register_roomnick': { kind: textField(250), label: 'Nickname', required: true },
} as const

/** Whether people can register by themselves: become members, with a nickname that is theirs (XEP-0045 §7.10). */
export const registration: RoomFeature = {
  name: 'registration',
  fields: {
    'muc#roomconfig_allow_register': {
      kind: booleanField,
      label: 'Anyone may register, and is a member then',
      initial: true,
    },
  },
  disco: (room) => ({
    features: room.setting('muc#roomconfig_allow_register') ? [NS_REGISTER] : [],
  }),
}

/** @throws {StanzaError} `not-allowed`, `item-not-found` */
function requireRegistration(rooms: Rooms, request: IqRequest): RoomTurn {
  const room = requireRoom(rooms, request)
  const affiliation = room.affiliationOf(bare(request.from))
  const isClosed =
    !room.setting('muc#roomconfig_allow_register') ||
    room.setting('muc#roomconfig_membersonly') ||
    // SECURITY: V44. Members have a voice, which moderators give here.
    room.setting('muc#roomconfig_moderatedroom')
  // SECURITY: members are told what is said, so nobody becomes one without the password.
  const isKeptOut =
    room.setting('muc#roomconfig_passwordprotectedroom') && !room.occupantOf(request.from)
  // Members may choose a nickname wherever it is; strangers get in where the room is open to them.
  if (affiliation === 'outcast' || (affiliation === 'none' && (isClosed || isKeptOut)))
    throw new StanzaError('not-allowed')
  return room
}

/** What one has to say to register, or that one has. */
export function offerRegistration(rooms: Rooms, request: IqRequest): XmlElement {
  const room = requireRegistration(rooms, request)
  const nick = room.affiliations().get(bare(request.from))?.nick
  if (nick !== undefined)
    return xml('query', { xmlns: NS_REGISTER }, xml('registered'), xml('username', null, nick))
  const form = offerForm(NS_MUC_REGISTER, definition)
  const instructions = 'Choose the nickname that shall be yours in this room.'
  return xml(
    'query',
    { xmlns: NS_REGISTER },
    xml('instructions', null, instructions),
    formElement({ ...form, title: 'Registration', instructions: [instructions] }),
  )
}

/**
 * Registers, or takes the registration back.
 *
 * @throws {StanzaError} `bad-request` without a form, `conflict` for a nickname that is another's
 */
export function register(rooms: Rooms, request: IqRequest): IqAnswer {
  const account = bare(request.from)
  if (request.payload.getChild('remove', NS_REGISTER)) {
    unregister(requireRoom(rooms, request), account)
    return undefined
  }
  const room = requireRegistration(rooms, request)
  const element = findForm(request.payload)
  if (!element) throw new StanzaError('bad-request')
  const form = readForm(element)
  if (form.type === 'cancel') return undefined
  const values = readSubmission(form, NS_MUC_REGISTER, definition)
  const asked = values['muc#register_roomnick']?.trim() ?? ''
  if (missingFields(definition, values).length > 0 || asked === '')
    throw new StanzaError('bad-request')
  const nick = requireFreeNick(room, asked, account)
  const before = room.affiliations().get(account)?.affiliation
  changeAffiliation(room, { account, affiliation: before ?? 'member', nick })
  return undefined
}

function unregister(room: RoomTurn, account: ReturnType<typeof bare>): void {
  const before = room.affiliations().get(account)
  if (!before) throw new StanzaError('registration-required')
  if (before.affiliation === 'member') changeAffiliation(room, { account, affiliation: 'none' })
  else if (before.affiliation !== 'outcast')
    room.setAffiliated(account, { ...before, nick: undefined })
}

/** §7.12: the nickname that an account reserved, for the node `x-roomuser-item`. */
export function reservedNick(room: RoomTurn, account: ReturnType<typeof bare>): string | undefined {
  return room.affiliations().get(account)?.nick
}
