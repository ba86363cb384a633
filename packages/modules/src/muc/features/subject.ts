import type { Joining, Room, RoomFeature } from '@tactus/core'
import { booleanField, delayElement, NS_CLIENT, StanzaError } from '@tactus/stanza'
import { Stanza, xml } from '@tactus/xml'
import type { MucConfig } from '../config.ts'
import { isSubjectChange } from '../wire.ts'
import { infoField } from './profile.ts'

interface Kept {
  readonly stanza: string
  readonly at: number
}

const feature = 'subject'

/** What the room talks about: changed by who may, sent last to everybody who joins (XEP-0045 §7.2.15, §8.1). */
export function subject(config: (room: Room) => MucConfig): RoomFeature {
  return {
    name: feature,
    fields: {
      'muc#roomconfig_changesubject': {
        kind: booleanField,
        label: 'Occupants may change the subject',
        initial: false,
      },
    },
    info(room) {
      // §14.4: what is said behind a door is not told in front of it.
      const text = isClosed(room) ? '' : textOf(room)
      return [
        ...(text === '' ? [] : [infoField('muc#roominfo_subject', 'Subject', text)]),
        {
          var: 'muc#roominfo_subjectmod',
          type: 'boolean',
          label: 'Occupants may change the subject',
          values: [room.setting('muc#roomconfig_changesubject') ? '1' : '0'],
        },
      ]
    },
    maySpeak({ room, message }) {
      const { subjectBytes } = config(room)
      if (isSubjectChange(message) && message.bytes.length > subjectBytes)
        throw new StanzaError('policy-violation', `A subject may have ${subjectBytes} bytes.`)
    },
    spoken({ room, message }) {
      if (!isSubjectChange(message)) return
      const kept: Kept = { stanza: message.toString(), at: room.scope.now }
      room.keep(feature, kept)
    },
    joined: sendSubject,
  }
}

/** Also where there is none: the empty one says that the history is over. */
function sendSubject({ room, from }: Joining): void {
  const kept = room.kept<Kept>(feature)
  if (!kept) {
    room.tell(from, xml('message', { xmlns: NS_CLIENT, type: 'groupchat' }, xml('subject')))
    return
  }
  room.tell(
    from,
    Stanza.parse(kept.stanza).append(delayElement({ from: room.jid, stamp: kept.at })),
  )
}

function isClosed(room: Room): boolean {
  return (
    room.setting<boolean>('muc#roomconfig_membersonly') ||
    room.setting<boolean>('muc#roomconfig_passwordprotectedroom')
  )
}

function textOf(room: Room): string {
  const kept = room.kept<Kept>(feature)
  const stanza = kept && Stanza.parse(kept.stanza)
  return stanza?.child('subject', stanza.ns)?.text() ?? ''
}
