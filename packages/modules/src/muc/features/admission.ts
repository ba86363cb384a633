import type { RoomFeature } from '@tactus/core'
import { booleanField, type FieldKind, StanzaError, textField } from '@tactus/stanza'
import { isAllowed } from '../permissions.ts'
import { NS_MUC, textOf } from '../wire.ts'

/** Only members come in (XEP-0045 §7.2.6, §10.2.1). */
export const membersOnly: RoomFeature = {
  name: 'members-only',
  fields: {
    'muc#roomconfig_membersonly': {
      kind: booleanField,
      label: 'Only members may come in',
      initial: false,
    },
  },
  disco: (room) => ({
    features: [room.setting('muc#roomconfig_membersonly') ? 'muc_membersonly' : 'muc_open'],
  }),
  mayJoin({ room, affiliation }) {
    if (affiliation === 'none' && room.setting('muc#roomconfig_membersonly'))
      throw new StanzaError('registration-required')
  },
}

/** A password to come in (§7.2.5). */
export const password: RoomFeature = {
  name: 'password',
  fields: {
    'muc#roomconfig_passwordprotectedroom': {
      kind: booleanField,
      label: 'A password is needed to come in',
      initial: false,
    },
    'muc#roomconfig_roomsecret': {
      kind: textField(250, 'text-private'),
      label: 'The password',
      initial: '',
    },
  },
  mayConfigure(settings) {
    // §10.1.3: a protected room without a password is refused.
    if (
      settings['muc#roomconfig_passwordprotectedroom'] &&
      settings['muc#roomconfig_roomsecret'] === ''
    )
      throw new StanzaError('not-acceptable', 'A room that is protected needs a password.')
  },
  disco: (room) => ({
    features: [
      room.setting('muc#roomconfig_passwordprotectedroom')
        ? 'muc_passwordprotected'
        : 'muc_unsecured',
    ],
  }),
  mayJoin({ room, affiliation, request }) {
    // §7.2.5 leaves it open whether owners need it, who can read it anyway.
    if (!room.setting('muc#roomconfig_passwordprotectedroom') || affiliation === 'owner') return
    if (textOf(request, 'password') !== room.setting('muc#roomconfig_roomsecret'))
      throw new StanzaError('not-authorized')
  },
}

const limits = ['10', '20', '50', '100', '200', '500', '1000', '2000', '5000'] as const

/** `none` is as many as the server allows; other numbers than those offered are welcome, too (§7.2.9). */
const maxUsersField: FieldKind<string> = {
  type: 'list-single',
  options: [...limits, 'none'].map((value) => ({
    value,
    label: value === 'none' ? 'As many as can be' : value,
  })),
  expects: 'a number or none',
  read([text = '', ...others]) {
    return others.length === 0 && /^(none|[1-9]\d{0,5})$/.test(text) ? text : undefined
  },
  write: (value) => [value],
}

/** How many may be in (§7.2.9); owners and admins get in all the same. */
export function maxOccupants(
  most: (room: Parameters<NonNullable<RoomFeature['disco']>>[0]) => number,
): RoomFeature {
  return {
    name: 'max-occupants',
    fields: {
      'muc#roomconfig_maxusers': { kind: maxUsersField, label: 'Most occupants', initial: 'none' },
    },
    mayJoin({ room, affiliation, nick }) {
      if (room.occupant(nick)) return
      const chosen = room.setting<string>('muc#roomconfig_maxusers')
      const limit = chosen === 'none' ? most(room) : Math.min(Number(chosen), most(room))
      const isExempt = isAllowed({ affiliation, role: 'none' }, 'administer', room.settings)
      if (!isExempt && [...room.occupants()].length >= limit)
        throw new StanzaError('service-unavailable', undefined, { type: 'wait' })
    },
    disco: () => ({ features: [NS_MUC] }),
  }
}
