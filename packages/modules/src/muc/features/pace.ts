import { type LiveStore, liveStore, type Room, type RoomFeature } from '@tactus/core'
import type { BareJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import type { MucConfig } from '../config.ts'

/** What an account may say at once, and when that was; one that may say all of it again has no entry. */
interface Purse {
  readonly left: number
  /** Wall clock, ms. */
  readonly at: number
}

/** Key: the account, whatever it is called in the room and however often it leaves. */
export const purseStore: LiveStore<Purse> = liveStore('muc-pace')

/**
 * How fast one account may talk: what it says costs the server as much as there are occupants (V49), which nothing at the
 * sender's side can know. Who is too fast is told so, and nothing of it reaches anybody.
 */
export function pace(config: (room: Room) => MucConfig): RoomFeature {
  return {
    name: 'pace',
    maySpeak({ room, occupant }) {
      if (purseOf(room, occupant.account, config(room)).left < 1)
        throw new StanzaError('policy-violation', 'You are talking too fast.', { type: 'wait' })
    },
    spoken({ room, occupant }) {
      const limits = config(room)
      const { left } = purseOf(room, occupant.account, limits)
      forgetFull(room, limits)
      room.scope.set(purseStore, occupant.account, { left: left - 1, at: room.scope.now })
    },
    destroyed(room) {
      for (const account of [...room.scope.all(purseStore).keys()])
        room.scope.set(purseStore, account, undefined)
    },
  }
}

function purseOf(room: Room, account: BareJid, limits: MucConfig): Purse {
  const { now } = room.scope
  const purse = room.scope.get(purseStore, account)
  return { left: purse ? refilled(purse, now, limits) : limits.linesAtOnce, at: now }
}

function refilled({ left, at }: Purse, now: number, limits: MucConfig): number {
  const earned = (Math.max(0, now - at) / 1_000) * limits.linesPerSecond
  return Math.min(limits.linesAtOnce, left + earned)
}

function forgetFull(room: Room, limits: MucConfig): void {
  for (const [account, purse] of [...room.scope.all(purseStore)])
    if (refilled(purse, room.scope.now, limits) >= limits.linesAtOnce)
      room.scope.set(purseStore, account, undefined)
}
