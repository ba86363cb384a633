import type { JobDefinition, RoomFeature, Scope } from '@tactus/core'
import { bare, isFull } from '@tactus/jid'
import { NS_CLIENT } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import { forget } from '../affiliations.ts'
import { roomsOf } from '../queries.ts'
import type { RoomTurn } from '../room.ts'
import { takeHats } from './hats.ts'

/** Said by servers of this kind to themselves only. */
const NS_FAREWELL = 'urn:tactus:muc:farewell'
const page = 500

interface Spec {
  readonly job: 'farewell'
  readonly account: string
  /** When it was deleted, ms. */
  readonly at: number
  readonly after: string
}

/**
 * An account that is deleted takes its affiliations along: whoever gets its name next is somebody else.
 *
 * Rooms are entities of their own, so each is told; from a bare JID, which no client can speak in the name of.
 */
export const farewell: RoomFeature = {
  name: 'farewell',
  message({ room, from, message }) {
    const gone = message.child('gone', NS_FAREWELL)
    if (!gone || isFull(from)) return false
    const turn = room as RoomTurn
    // The next account of that name may have made this room before the rooms of the last one were found.
    if (turn.created > Number(gone.attrs.at)) return true
    takeHats(turn, bare(from))
    if (turn.affiliations().has(from)) forget(turn, bare(from))
    return true
  },
}

/** Begins to tell the rooms that an account is in the lists of. */
export function sayFarewell(scope: Scope, at: number = scope.now, after = ''): void {
  const spec: Spec = { job: 'farewell', account: scope.entity, at, after }
  scope.job('muc', 'muc farewell', spec)
}

/** Finds the rooms, some at a time. */
export const farewellJob: JobDefinition<Spec, readonly string[]> = {
  run: ({ account, after }, { reader }) => roomsOf(reader, account, { after, limit: page }),
  done(scope, { at }, result) {
    if (!result.ok) return
    for (const room of result.value) {
      const attrs = { xmlns: NS_CLIENT, type: 'headline', from: scope.entity, to: room }
      scope.send(xml('message', attrs, xml('gone', { xmlns: NS_FAREWELL, at: String(at) })), {
        durable: true,
      })
    }
    const last = result.value.at(-1)
    if (last !== undefined && result.value.length === page) sayFarewell(scope, at, last)
  },
}
