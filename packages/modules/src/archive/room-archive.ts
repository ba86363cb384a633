import type { Room, RoomFeature, Scope, Speaking } from '@tactus/core'
import { bare } from '@tactus/jid'
import {
  booleanField,
  integerField,
  listField,
  NS_ARCHIVE,
  NS_ARCHIVE_EXTENDED,
  NS_FULL_TEXT,
  orderFeatures,
} from '@tactus/stanza'
import { archivePurgeTable, archiveStore } from '@tactus/storage'
import { arrangeLook, type RetentionLimits } from './retention.ts'
import { NS_RETRACTION, NS_TOMBSTONES } from './retraction.ts'
import { keepLine, keepModeration, type Line } from './room-keeping.ts'

const feature = 'archive'
const enabledField = 'muc#roomconfig_enablearchiving'
const accessField = 'tactus#archive_access'
const daysField = 'tactus#archive_days'

/** What a host says of the archives of its rooms. */
export interface RoomArchiveConfig {
  readonly search: boolean
  /** Which rooms have one: those whose owners want it, all, or none. */
  readonly roomArchives: 'configured' | 'always' | 'never'
  /** 0 is no limit. */
  readonly roomDays: number
  readonly roomMessages: number
}

/** Something is in the archive, so that there is something to give up. */
interface Kept {
  readonly used: true
}

/**
 * What was said in a room, from the room (XEP-0313 §3.3.2).
 *
 * A line is archived in the step that sends it to all, under the stanza-id that all are told. Whether there is an archive,
 * who of those that may come in reads it, and for how long it is kept, is for the owners to say within what the host allows.
 */
export function roomArchive(
  config: (scope: Scope) => RoomArchiveConfig,
  count: () => void,
): RoomFeature {
  return {
    name: feature,
    fields: {
      // As Prosody calls it.
      [enabledField]: { kind: booleanField, label: 'Keep what is said', initial: true },
      [accessField]: {
        kind: listField({
          entrants: 'Whoever may come in',
          members: 'Members',
          occupants: 'Those who are in',
        }),
        label: 'Who may read what was said',
        initial: 'entrants',
      },
      [daysField]: {
        kind: integerField({ min: 0, max: 36_500 }),
        label: 'Days that it is kept',
        desc: '0: as long as the server keeps it',
        initial: 0,
      },
    },
    disco: (room) => ({
      features: isArchived(room, config(room.scope))
        ? [
            NS_ARCHIVE,
            NS_ARCHIVE_EXTENDED,
            NS_FULL_TEXT,
            NS_RETRACTION,
            NS_TOMBSTONES,
            ...orderFeatures(NS_ARCHIVE),
          ]
        : [],
    }),
    spoken(line) {
      const settings = config(line.room.scope)
      if (!isArchived(line.room, settings) || !keepLine(entryOf(line, settings))) return
      noteUse(line.room, settings)
      count()
    },
    moderated(what) {
      // What was said while there was an archive is replaced also when there is none any more.
      if (!isArchived(what.room, config(what.room.scope)) && !what.room.kept(feature)) return
      keepModeration(what, what.room.archiveOwner)
      noteUse(what.room, config(what.room.scope))
    },
    destroyed(room) {
      if (!room.kept<Kept>(feature)) return
      const { archiveOwner: owner } = room
      const { turn } = room.scope
      turn.remove(archiveStore, archivePurgeTable, ['owner'], { owner })
      turn.insert(archiveStore, archivePurgeTable, { owner })
    },
  }
}

function entryOf(line: Speaking, { search }: RoomArchiveConfig): Line {
  return { ...line, owner: line.room.archiveOwner, searchable: search }
}

function noteUse(room: Room, settings: RoomArchiveConfig): void {
  if (!room.kept<Kept>(feature)) room.keep(feature, { used: true } satisfies Kept)
  arrangeLook(room.scope, roomRetention(room, settings))
}

/** Whether what is said in the room is kept now. */
export function isArchived(room: Room, { roomArchives }: RoomArchiveConfig): boolean {
  return roomArchives === 'always' || (roomArchives === 'configured' && room.setting(enabledField))
}

/** §6.1.2: who may come in now, and whom the owners let read. */
export function mayRead(room: Room, from: Parameters<Room['mayEnter']>[0]): boolean {
  if (!room.mayEnter(from)) return false
  const account = bare(from)
  switch (room.setting<string>(accessField)) {
    case 'occupants':
      return isIn(room, account) || ['owner', 'admin'].includes(room.affiliationOf(account))
    case 'members':
      return ['owner', 'admin', 'member'].includes(room.affiliationOf(account))
    default:
      return true
  }
}

function isIn(room: Room, account: string): boolean {
  for (const occupant of room.occupants()) if (occupant.account === account) return true
  return false
}

/** What is kept of a room: the owners may want less than the host, never more. */
export function roomRetention(room: Room, settings: RoomArchiveConfig): RetentionLimits {
  const days = [settings.roomDays, room.setting<number>(daysField)].filter((limit) => limit > 0)
  return { days: days.length === 0 ? 0 : Math.min(...days), messages: settings.roomMessages }
}
