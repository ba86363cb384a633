import { type LiveStore, liveStore, type Room, type RoomFeature } from '@tactus/core'
import type { BareJid } from '@tactus/jid'
import { integerField, StanzaError } from '@tactus/stanza'
import { isAllowed } from '../permissions.ts'

const durationField = 'muc#roomconfig_slow_mode_duration'
const longest = 86_400

/** When each account spoke last, wall clock in ms; kept for as long as it matters, also when it left. */
export const spokenStore: LiveStore<number> = liveStore('muc-spoken')

/** How long one has to wait between two messages (XEP-0500). */
export const slowMode: RoomFeature = {
  name: 'slow-mode',
  fields: {
    [durationField]: {
      kind: integerField({ min: 0, max: longest }),
      label: 'Slow mode',
      desc: '0: disabled; otherwise the seconds to wait between two messages',
      initial: 0,
    },
  },
  info: (room) => [
    {
      var: 'muc#roominfo_slow_mode_duration',
      type: 'text-single',
      label: 'Seconds between two messages',
      values: [String(durationOf(room) / 1_000)],
    },
  ],
  maySpeak({ room, occupant, message }) {
    const wait = durationOf(room)
    if (wait === 0 || !message.hasChild('body', message.ns) || isExempt(room, occupant.account))
      return
    const last = room.scope.get(spokenStore, occupant.account)
    if (last !== undefined && room.scope.now - last < wait)
      throw new StanzaError(
        'policy-violation',
        `You have to wait ${wait / 1_000} seconds between two messages.`,
        { type: 'wait' },
      )
  },
  spoken({ room, occupant, message }) {
    const wait = durationOf(room)
    if (wait === 0 || !message.hasChild('body', message.ns)) return
    const { scope } = room
    for (const [account, at] of [...scope.all(spokenStore)])
      if (scope.now - at >= wait) scope.set(spokenStore, account, undefined)
    scope.set(spokenStore, occupant.account, scope.now)
  },
  destroyed(room) {
    for (const account of [...room.scope.all(spokenStore).keys()])
      room.scope.set(spokenStore, account, undefined)
  },
}

/** Milliseconds; 0 where the mode is off. */
function durationOf(room: Room): number {
  return room.setting<number>(durationField) * 1_000
}

/** §5: admins and owners are not held up. */
function isExempt(room: Room, account: BareJid): boolean {
  const actor = { affiliation: room.affiliationOf(account), role: 'none' } as const
  return isAllowed(actor, 'administer', room.settings)
}
