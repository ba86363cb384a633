import type { Room, RoomFeature, RoomSettings, Scope } from '@tactus/core'
import { domainpart } from '@tactus/jid'
import { booleanField } from '@tactus/stanza'
import { type KeyValueStore, keyValueStore, type Migration, type ValueOf } from '@tactus/storage'

const feature = 'log'
const loggingField = 'muc#roomconfig_enablelogging'

const columns = {
  host: 'text',
  service: 'text',
  /** Whose the lines are in the archive. */
  owner: 'text',
  name: 'text',
  description: 'text',
  /** Since when everybody can know that it is logged, ms: what was said before is not shown. */
  since: 'number',
} as const

/** Rooms whose lines are shown on the web; the key is `''`. */
export const logStore: KeyValueStore<ValueOf<typeof columns>> = keyValueStore({
  name: 'room-log',
  table: 'room_log',
  columns,
})

const table = logStore.migration('0151-room-log')
/** The table of `logStore`, which is also listed by service. */
export const logMigration: Migration = {
  ...table,
  async up(db, dialect) {
    await table.up(db, dialect)
    await db.schema
      .createIndex('room_log_service')
      .on(logStore.table)
      .columns(['service', 'entity'])
      .execute()
  },
}

/** What a host says of logs. */
export interface LogConfig {
  readonly enabled: boolean
  readonly url?: string | undefined
}

/** The room is among those that are logged. */
interface Kept {
  readonly since: number
}

/**
 * Public logs of rooms (XEP-0045 §16.5.3, `muc#roomconfig_enablelogging`): for rooms whose owners want it, where the host
 * does, and only where anybody could have heard it all. Who comes in is told (§7.2.12, status 170).
 */
export function logged(config: (scope: Scope) => LogConfig): RoomFeature {
  const isOn = (room: Room): boolean => isLogged(room.settings, config(room.scope))
  return {
    name: feature,
    fields: {
      [loggingField]: {
        kind: booleanField,
        label: 'Show what is said on the web',
        desc: 'Of a room that is persistent, in the list of rooms and open to anybody, and whose archive is so, too',
        initial: false,
      },
    },
    info(room) {
      const { url } = config(room.scope)
      if (url === undefined || !isOn(room)) return []
      const values = [`${url.replace(/\/$/, '')}/${encodeURIComponent(room.jid)}`]
      return [{ var: 'muc#roominfo_logs', type: 'text-single', label: 'Logs', values }]
    },
    entryCodes: (room) => (isOn(room) ? [170] : []),
    configured(room, before) {
      const [was, is] = [isLogged(before, config(room.scope)), isOn(room)]
      if (was === is) return []
      return [is ? 170 : 171]
    },
    settled: (room) => enter(room, isOn(room)),
    // What the host wants may be another thing since its last start.
    joined: ({ room }) => adjust(room, isOn(room)),
    spoken: ({ room }) => adjust(room, isOn(room)),
    destroyed(room) {
      if (room.kept<Kept>(feature)) room.scope.set(logStore, '', undefined)
    },
  }
}

/** SECURITY: of what strangers could not have heard, nothing is shown to strangers. */
function isLogged(settings: RoomSettings, { enabled }: LogConfig): boolean {
  return (
    enabled &&
    settings[loggingField] === true &&
    settings['muc#roomconfig_persistentroom'] === true &&
    settings['muc#roomconfig_publicroom'] === true &&
    settings['muc#roomconfig_membersonly'] === false &&
    settings['muc#roomconfig_passwordprotectedroom'] === false &&
    // What the archive of the room says of itself (XEP-0313): kept, and read by whoever may come in.
    settings['muc#roomconfig_enablearchiving'] === true &&
    settings['tactus#archive_access'] === 'entrants'
  )
}

function adjust(room: Room, isOn: boolean): void {
  if (isOn !== (room.kept<Kept>(feature) !== undefined)) enter(room, isOn)
}

function enter(room: Room, isOn: boolean): void {
  const { scope } = room
  const kept = room.kept<Kept>(feature)
  if (!isOn) {
    if (!kept) return
    room.keep(feature, undefined)
    scope.set(logStore, '', undefined)
    return
  }
  const since = kept?.since ?? scope.now
  if (!kept) room.keep(feature, { since } satisfies Kept)
  scope.set(logStore, '', {
    host: scope.host.name,
    service: domainpart(room.jid),
    owner: room.archiveOwner,
    name: room.setting<string>('muc#roomconfig_roomname'),
    description: room.setting<string>('muc#roomconfig_roomdesc'),
    since,
  })
}
