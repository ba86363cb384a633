import { type LiveStore, liveStore, type Occupant, type Room, type RoomFeature } from '@tactus/core'
import { bare, domainpart, isFull, type Jid, tryParseJid } from '@tactus/jid'
import { NS_CLIENT, NS_HINTS } from '@tactus/stanza'
import { type KeyValueStore, keyValueStore } from '@tactus/storage'
import { xml } from '@tactus/xml'
import { NS_ACTIVITY, orderIn } from '../activity.ts'
import type { MucConfig } from '../config.ts'
import { historyStore } from '../store.ts'

/** Who is told once that something is said here; the key is the full JID. */
export const watcherStore: LiveStore<{ readonly told: boolean }> = liveStore('muc-watcher')
/** When those who are in the lists were here last; the key is the account. */
export const visitStore: KeyValueStore<{ readonly left_at: number }> = keyValueStore({
  name: 'muc-visit',
  table: 'muc_visit',
  columns: { left_at: 'number' },
})

/**
 * Tells members who are not there that something was said, once until they were there again (XEP-0437 §4).
 *
 * Who subscribed, the service says (`../activity.ts`).
 */
export function activity(config: (room: Room) => MucConfig): RoomFeature {
  return {
    name: 'activity',
    message({ room, from, message }) {
      const order = orderIn(message)
      // SECURITY: a service is a bare domain, in whose name nobody else speaks.
      if (!order || from !== domainpart(room.jid)) return false
      const jid = order.jid === undefined ? undefined : tryParseJid(order.jid)
      if (!jid || !isFull(jid)) return true
      if (order.isEnd) forget(room, jid)
      else watch(room, jid)
      return true
    },
    spoken({ room, message }) {
      const { scope } = room
      const watchers = scope.all(watcherStore)
      if (watchers.size === 0 || !message.hasChild('body', message.ns)) return
      for (const [jid, { told }] of [...watchers]) if (!told) tell(room, jid as Jid)
    },
    joined({ room, from }) {
      if (room.scope.get(watcherStore, from)?.told)
        room.scope.set(watcherStore, from, { told: false })
    },
    departed(room, occupant) {
      if (config(room).activityRooms > 0) noteVisit(room, occupant)
    },
    destroyed({ scope }) {
      for (const jid of [...scope.all(watcherStore).keys()]) scope.set(watcherStore, jid, undefined)
      // What is still in memory of them is older than whatever is said in the next room of this name.
      scope.turn.clear(visitStore, visitStore.table, { entity: scope.entity })
    },
  }
}

function watch(room: Room, jid: Jid): void {
  const { scope } = room
  if (scope.get(watcherStore, jid) || !isMember(room, jid)) return
  scope.set(watcherStore, jid, { told: false })
  const account = bare(jid)
  for (const occupant of room.occupants()) if (occupant.account === account) return
  const spoken = scope.get(historyStore)?.at(-1)?.at
  if (spoken !== undefined && spoken > (scope.get(visitStore, account)?.left_at ?? 0))
    tell(room, jid)
}

function forget({ scope }: Room, jid: Jid): void {
  if (scope.get(watcherStore, jid)) scope.set(watcherStore, jid, undefined)
}

/** In the service's name: it is what the client subscribed to, and whom a refusal reaches. */
function tell(room: Room, jid: Jid): void {
  const { scope } = room
  // §3.1: who is in the room hears for itself.
  if (room.occupantOf(jid)) return
  if (!isMember(room, jid)) return forget(room, jid)
  // §4 MUST NOT; who is let in again later is told then.
  if (!room.mayEnter(jid)) return
  scope.set(watcherStore, jid, { told: true })
  const rai = xml('rai', { xmlns: NS_ACTIVITY }, xml('activity', null, room.jid))
  const attrs = { xmlns: NS_CLIENT, from: domainpart(room.jid), to: jid, id: scope.makeId() }
  scope.send(xml('message', attrs, rai, xml('no-store', { xmlns: NS_HINTS })))
}

function isMember(room: Room, jid: Jid): boolean {
  return ['owner', 'admin', 'member'].includes(room.affiliationOf(bare(jid)))
}

function noteVisit(room: Room, { account }: Occupant): void {
  if (isMember(room, account)) room.scope.set(visitStore, account, { left_at: room.scope.now })
}
