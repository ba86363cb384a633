import {
  deferred,
  defineModule,
  type IqAnswer,
  type IqRequest,
  type JobDefinition,
  type LiveStore,
  liveStore,
  type XmppModule,
  xep,
} from '@tactus/core'
import { errorReply, iqResult } from '@tactus/stanza'
import { Stanza } from '@tactus/xml'
import { z } from 'zod'
import {
  count,
  countingStore,
  countTimer,
  directoryStore,
  findRooms,
  type ListedRoom,
  listed,
  placeOf,
  type RoomQuery,
} from './directory.ts'
import {
  busy,
  NS_SEARCH,
  readQuestion,
  resultElement,
  type SearchLimits,
  searchForm,
} from './wire.ts'

interface Spec {
  readonly job: 'search'
  readonly request: Uint8Array
  readonly service: string
  readonly query: RoomQuery
  readonly after: string | undefined
  readonly max: number
}

/** Searches that are under way, by their job. */
const runningStore: LiveStore<true> = liveStore('room-search-running')
/** Seconds after which who is refused may ask again. */
const retryAfter = 5
/** What a page of one search costs its account, in units of `Scope.charge`. */
const unitsPerSearch = 5

/**
 * Rooms that are shown, found by what they say of themselves, from anywhere.
 *
 * @see {@link https://xmpp.org/extensions/xep-0433.html | XEP-0433}
 */
export const roomSearch: XmppModule = defineModule({
  name: 'room-search',
  implements: [
    xep('0433', '0.1.0', {
      note: 'Of the rooms of one service. Pages are asked for forwards. The number of users is a minute old at most, but older where Redis was lost and nobody came or went since.',
    }),
  ],
  requires: ['muc'],
  features: { 'service:rooms': [NS_SEARCH] },
  stores: [directoryStore, countingStore, runningStore],
  migrations: [directoryStore.migration('0140-room-search')],
  config: z.strictObject({
    all: z.boolean().default(true).meta({
      description: 'Whether anybody may ask for all rooms that are shown, and not only search.',
    }),
    letters: z.int().positive().default(2).meta({
      description: 'Least bytes of a term, so that there is something to search for.',
    }),
    page: z.int().positive().max(250).default(50).meta({
      description: 'Most rooms of an answer.',
    }),
    parallel: z.int().positive().default(16).meta({
      description: 'Searches of one service that run at once; more are asked to wait.',
    }),
  }),

  setup({ iq, hooks, config, job, rooms }) {
    rooms.feature(listed)
    hooks.timer(countTimer, ({ scope }) => count(scope, rooms.room(scope)))
    iq.get('service:rooms', NS_SEARCH, 'search', (request) => search(request, config(request.host)))
    job('search', searchJob)
  },
})

function search(
  { scope, payload, stanza }: IqRequest,
  limits: SearchLimits & { readonly parallel: number },
): IqAnswer {
  const question = readQuestion(payload, limits)
  if (!question) return searchForm()
  if (scope.all(runningStore).size >= limits.parallel) throw busy(retryAfter)
  scope.charge(unitsPerSearch)
  const id = `room-search ${scope.makeId()}`
  const { query, page } = question
  const spec: Spec = {
    job: 'search',
    request: stanza.bytes,
    service: scope.entity,
    query,
    after: page.after,
    max: page.max,
  }
  scope.set(runningStore, id, true)
  scope.job('room-search', id, spec)
  return deferred
}

/** One room more than the page says whether there are more. */
const searchJob: JobDefinition<Spec, readonly ListedRoom[]> = {
  run: ({ service, query, after, max }: Spec, { reader }) =>
    findRooms(reader, service, query, { after, limit: max + 1 }),

  done(scope, { request, max }, result) {
    const { input } = scope.turn
    if (input.kind === 'job') scope.set(runningStore, input.id, undefined)
    const stanza = Stanza.parse(request)
    if (!result.ok) {
      const error = errorReply(stanza, busy(retryAfter))
      if (error) scope.send(error)
      return
    }
    const rooms = result.value.slice(0, max)
    const [first, last] = [rooms[0], rooms.at(-1)]
    const hasMore = first && last && result.value.length > max
    const ends = hasMore ? { first: placeOf(first), last: placeOf(last) } : undefined
    scope.send(iqResult(stanza, resultElement(rooms, ends)))
  },
}
