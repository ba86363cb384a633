import {
  type Appearing,
  type LiveStore,
  liveStore,
  type Room,
  type RoomFeature,
  type Scope,
} from '@tactus/core'
import type { BareJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import type { MucConfig } from '../config.ts'
import { isAllowed } from '../permissions.ts'

/** What an account may do at once, and when that was; one that may do all of it again has no entry. */
interface Purse {
  readonly left: number
  /** Wall clock, ms. */
  readonly at: number
}

interface Limits {
  readonly perSecond: number
  readonly atOnce: number
}

/** For lines. Key: the account, whatever it is called in the room and however often it leaves. */
export const purseStore: LiveStore<Purse> = liveStore('muc-pace')
/** For presence; the same key. */
export const flapStore: LiveStore<Purse> = liveStore('muc-flap')

/**
 * How fast one account may talk, come in, and change its presence: what it says costs the server as much as there are
 * occupants (V49), which nothing at the sender's side can know. Who is too fast is told so, and nothing of it reaches
 * anybody. Leaving is free: nobody is kept in a room.
 */
export function pace(config: (room: Room) => MucConfig): RoomFeature {
  const lines = (room: Room): Limits => {
    const { linesPerSecond: perSecond, linesAtOnce: atOnce } = config(room)
    return { perSecond, atOnce }
  }
  const presences = (room: Room): Limits => {
    const { presencesPerSecond: perSecond, presencesAtOnce: atOnce } = config(room)
    return { perSecond, atOnce }
  }
  const requirePace = (room: Room, account: BareJid): void => {
    if (leftOf(purseStore, room, account, lines(room)) < 1)
      throw tooFast('You are talking too fast.')
  }
  return {
    name: 'pace',
    maySpeak({ room, occupant }) {
      requirePace(room, occupant.account)
    },
    spoken({ room, occupant }) {
      pay(purseStore, room, occupant.account, lines(room))
    },
    // Requests for voice go to all moderators, invitations to ten at once: they are paid as lines are.
    message({ room, occupant }) {
      if (!occupant) return false
      requirePace(room, occupant.account)
      pay(purseStore, room, occupant.account, lines(room))
      return false
    },
    mayAppear(appearing) {
      if (isExempt(appearing)) return
      const { room, account } = appearing
      if (leftOf(flapStore, room, account, presences(room)) < 1)
        throw tooFast('You are changing your presence too fast.')
      pay(flapStore, room, account, presences(room))
    },
    departed(room) {
      // A room that nobody is in holds nothing but rows, as soon as nobody could come back too fast.
      if (isEmpty(room.occupants())) settlePurses(room.scope, config(room))
    },
    destroyed({ scope }) {
      scope.timer(paceTimer, undefined)
      for (const store of [purseStore, flapStore])
        for (const account of [...scope.all(store).keys()]) scope.set(store, account, undefined)
    },
  }
}

/** Timer that looks through the purses of a room. */
export const paceTimer = 'muc-pace'

/** Forgets who may do all of it again, and comes back for the others. */
export function settlePurses(scope: Scope, config: MucConfig): void {
  const { linesPerSecond, linesAtOnce, presencesPerSecond, presencesAtOnce } = config
  const fullAt = Math.max(
    settle(scope, purseStore, { perSecond: linesPerSecond, atOnce: linesAtOnce }),
    settle(scope, flapStore, { perSecond: presencesPerSecond, atOnce: presencesAtOnce }),
  )
  scope.timer(paceTimer, fullAt > scope.now ? fullAt : undefined)
}

/** When the last purse of these is full. */
function settle(scope: Scope, store: LiveStore<Purse>, limits: Limits): number {
  let last = 0
  for (const [account, purse] of [...scope.all(store)]) {
    const fullAt = purse.at + ((limits.atOnce - purse.left) / limits.perSecond) * 1_000
    if (fullAt <= scope.now) scope.set(store, account, undefined)
    else last = Math.max(last, Math.ceil(fullAt))
  }
  return last
}

function isEmpty(all: Iterable<unknown>): boolean {
  for (const _ of all) return false
  return true
}

function tooFast(text: string): StanzaError {
  return new StanzaError('policy-violation', text, { type: 'wait' })
}

/** Whose room it is can end it, and is not kept out of it. */
function isExempt({ room, account }: Appearing): boolean {
  const actor = { affiliation: room.affiliationOf(account), role: 'none' } as const
  return isAllowed(actor, 'administer', room.settings)
}

function leftOf(store: LiveStore<Purse>, room: Room, account: BareJid, limits: Limits): number {
  const purse = room.scope.get(store, account)
  return purse ? refilled(purse, room.scope.now, limits) : limits.atOnce
}

function refilled({ left, at }: Purse, now: number, { perSecond, atOnce }: Limits): number {
  return Math.min(atOnce, left + (Math.max(0, now - at) / 1_000) * perSecond)
}

function pay(store: LiveStore<Purse>, room: Room, account: BareJid, limits: Limits): void {
  const { scope } = room
  const left = leftOf(store, room, account, limits)
  // Who may do all of it again is as if it had never done any.
  settle(scope, store, limits)
  scope.set(store, account, { left: left - 1, at: scope.now })
}
