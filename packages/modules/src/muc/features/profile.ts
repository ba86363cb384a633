import type { Room, RoomFeature } from '@tactus/core'
import {
  booleanField,
  type FieldKind,
  type FormField,
  listField,
  listMultiField,
  nodeOfUri,
  textField,
} from '@tactus/stanza'

const titleField = 'muc#roomconfig_roomname'
const descriptionField = 'muc#roomconfig_roomdesc'
const languageField = 'muc#roomconfig_lang'
const nodeField = 'muc#roomconfig_pubsub'
const longestUri = 4_096

/** XEP-0060 §12.21. What is no such URI would be shown to everybody who asks, and lead nowhere. */
const nodeUriField: FieldKind<string> = {
  ...textField(longestUri),
  expects: 'a URI such as xmpp:pubsub.example.org?;node=news, or nothing,',
  read([text = '', ...others]) {
    if (others.length > 0 || text.length > longestUri) return undefined
    return text === '' || nodeOfUri(text) ? text : undefined
  },
}

/** What a room says of itself: name, description, language, its pubsub node, occupants (XEP-0045 §6.4). */
export const profile: RoomFeature = {
  name: 'profile',
  fields: {
    [titleField]: { kind: textField(250), label: 'Name', initial: '' },
    [descriptionField]: { kind: textField(2_000), label: 'Description', initial: '' },
    [languageField]: { kind: textField(35), label: 'Natural language, such as en', initial: '' },
    [nodeField]: {
      kind: nodeUriField,
      label: 'XMPP URI of the pubsub node that belongs to it',
      initial: '',
    },
  },
  disco: (room) => ({
    identities: [
      {
        category: 'conference',
        type: 'text',
        ...(titleOf(room) !== '' && { name: titleOf(room) }),
      },
    ],
  }),
  info: (room) =>
    [
      infoField('muc#roominfo_description', 'Description', room.setting<string>(descriptionField)),
      infoField('muc#roominfo_lang', 'Language', room.setting<string>(languageField)),
      infoField(nodeField, 'Pubsub node', room.setting<string>(nodeField)),
      infoField('muc#roominfo_occupants', 'Occupants', String([...room.occupants()].length)),
    ].filter(({ values }) => values[0] !== ''),
}

function titleOf(room: Room): string {
  return room.setting<string>(titleField)
}

/** A line of `muc#roominfo`. */
export function infoField(name: string, label: string, ...values: readonly string[]): FormField {
  return { var: name, type: values.length === 1 ? 'text-single' : 'text-multi', label, values }
}

/** Listed or hidden (§4.2); §16.3 has names for both. */
export const publicity: RoomFeature = {
  name: 'publicity',
  fields: {
    'muc#roomconfig_publicroom': {
      kind: booleanField,
      label: 'Show the room in the list of rooms',
      initial: true,
    },
  },
  disco: (room) => ({
    features: [room.setting('muc#roomconfig_publicroom') ? 'muc_public' : 'muc_hidden'],
  }),
}

/** Persistent or temporary (§4.2). */
export const persistence: RoomFeature = {
  name: 'persistence',
  fields: {
    'muc#roomconfig_persistentroom': {
      kind: booleanField,
      label: 'Keep the room when nobody is in it',
      initial: false,
    },
  },
  disco: (room) => ({
    features: [room.setting('muc#roomconfig_persistentroom') ? 'muc_persistent' : 'muc_temporary'],
  }),
}

/** Who sees real addresses: anybody (non-anonymous) or moderators (semi-anonymous) (§4.2, §7.2.3, §10.2.1). */
export const anonymity: RoomFeature = {
  name: 'anonymity',
  fields: {
    'muc#roomconfig_whois': {
      kind: listField({ moderators: 'Moderators', anyone: 'Anyone' }),
      label: 'Who may see the addresses of occupants',
      initial: 'moderators',
    },
  },
  disco: (room) => ({
    features: [isOpen(room.settings) ? 'muc_nonanonymous' : 'muc_semianonymous'],
  }),
  entryCodes: (room) => (isOpen(room.settings) ? [100] : []),
  configured(room, before) {
    const [was, is] = [isOpen(before), isOpen(room.settings)]
    if (was === is) return []
    return [is ? 172 : 173]
  },
}

function isOpen(settings: Room['settings']): boolean {
  return settings['muc#roomconfig_whois'] === 'anyone'
}

/** Whose presence is shown to all (§7.2.2). */
export const presenceBroadcast: RoomFeature = {
  name: 'presence-broadcast',
  fields: {
    'muc#roomconfig_presencebroadcast': {
      kind: rolesField(),
      label: 'Roles whose presence is shown to all',
      initial: ['moderator', 'participant', 'visitor'],
    },
  },
}

/** Who may read the lists of members, admins and owners (§7.11). */
export const memberList: RoomFeature = {
  name: 'member-list',
  fields: {
    'muc#roomconfig_getmemberlist': {
      kind: rolesField(),
      label: 'Roles that may retrieve the list of members',
      initial: ['moderator', 'participant', 'visitor'],
    },
  },
}

function rolesField(): FieldKind<readonly string[]> {
  return listMultiField({ moderator: 'Moderator', participant: 'Participant', visitor: 'Visitor' })
}
