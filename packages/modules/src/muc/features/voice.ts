import type { Occupant, RoomFeature, RoomMessage } from '@tactus/core'
import {
  booleanField,
  findForm,
  formElement,
  formTypeField,
  formTypeOf,
  listField,
  NS_CLIENT,
  readForm,
  StanzaError,
} from '@tactus/stanza'
import { Stanza, xml } from '@tactus/xml'
import { grantRole } from '../roles.ts'
import type { RoomTurn } from '../room.ts'
import { isSubjectChange } from '../wire.ts'

/** FORM_TYPE of requests for voice (XEP-0045 §16.5.2). */
const NS_REQUEST = 'http://jabber.org/protocol/muc#request'

/** Who may speak (§4.2 moderated rooms), and asking for it (§7.13, §8.6). */
export const voice: RoomFeature = {
  name: 'voice',
  fields: {
    'muc#roomconfig_moderatedroom': {
      kind: booleanField,
      label: 'Only those with voice may speak',
      initial: false,
    },
    'muc#roomconfig_allowvoicerequests': {
      kind: booleanField,
      label: 'Visitors may ask for voice',
      initial: true,
    },
  },
  disco: (room) => ({
    features: [
      room.setting('muc#roomconfig_moderatedroom') ? 'muc_moderated' : 'muc_unmoderated',
      NS_REQUEST,
    ],
  }),
  maySpeak({ room, occupant, message }) {
    // §7.4, and §8.1 for the subject.
    const privilege = isSubjectChange(message) ? 'change-subject' : 'speak'
    const turn = room as RoomTurn
    if (!turn.may(turn.actor(occupant), privilege)) throw new StanzaError('forbidden')
  },
  message(request) {
    const element = findForm(request.message.element)
    if (!element) return false
    const form = readForm(element)
    if (formTypeOf(form) !== NS_REQUEST || form.type !== 'submit') return false
    const answerTo = (name: string): string | undefined =>
      form.fields.find((field) => field.var === name)?.values[0]
    if (!request.occupant) throw new StanzaError('not-acceptable')
    const isAnswer = answerTo('muc#request_allow') !== undefined
    if (!isAnswer) askForVoice(request, request.occupant)
    else if (['1', 'true'].includes(answerTo('muc#request_allow') ?? ''))
      approve(request, request.occupant, answerTo('muc#roomnick'))
    return true
  },
}

/** Who may send private messages (§7.5). */
export const privateMessages: RoomFeature = {
  name: 'private-messages',
  fields: {
    'muc#roomconfig_allowpm': {
      kind: listField({
        anyone: 'Anyone',
        participants: 'Those with voice',
        moderators: 'Moderators',
        none: 'Nobody',
      }),
      label: 'Who may send private messages',
      initial: 'anyone',
    },
  },
}

/** §7.13: the moderators get a form to approve it. */
function askForVoice({ room, message }: RoomMessage, occupant: Occupant): void {
  if (occupant.role !== 'visitor') return
  if (!room.setting('muc#roomconfig_allowvoicerequests')) throw new StanzaError('forbidden')
  const form = formElement({
    type: 'form',
    title: 'Voice request',
    instructions: [
      'To approve this request for voice, select "Grant voice to this person?" and submit.',
    ],
    fields: [
      formTypeField(NS_REQUEST),
      {
        var: 'muc#role',
        type: 'list-single',
        label: 'Requested role',
        values: ['participant'],
        options: [{ value: 'participant', label: 'Participant' }],
      },
      { var: 'muc#jid', type: 'jid-single', label: 'User ID', values: [message.from ?? ''] },
      { var: 'muc#roomnick', type: 'text-single', label: 'Room nickname', values: [occupant.nick] },
      {
        var: 'muc#request_allow',
        type: 'boolean',
        label: 'Grant voice to this person?',
        values: ['0'],
      },
    ],
  })
  const request = Stanza.from(
    xml('message', { xmlns: NS_CLIENT, id: room.scope.makeId(), from: room.jid }, form),
  )
  const moderators = [...room.occupants()].filter(({ role }) => role === 'moderator')
  for (const moderator of moderators) (room as RoomTurn).tellOccupant(moderator, request)
}

/** §8.6 */
function approve({ room }: RoomMessage, moderator: Occupant, nick: string | undefined): void {
  const turn = room as RoomTurn
  const target = turn.occupant(nick ?? '')
  if (!target) throw new StanzaError('item-not-found')
  if (target.role === 'visitor')
    grantRole(turn, moderator, { target, role: 'participant', reason: undefined })
}
