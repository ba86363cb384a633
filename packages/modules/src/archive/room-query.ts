import {
  deferred,
  type IqRequest,
  type JobContext,
  type JobDefinition,
  type LiveStore,
  liveStore,
  type ModuleContext,
  type Room,
  type RoomsPort,
  type Scope,
} from '@tactus/core'
import { bare, parseJid } from '@tactus/jid'
import {
  archiveMetadata,
  archiveQueryForm,
  archiveResult,
  errorReply,
  iqResult,
  NS_ARCHIVE,
  StanzaError,
} from '@tactus/stanza'
import { type ArchivePage, archiveEnds } from '@tactus/storage'
import { Stanza, type XmlElement } from '@tactus/xml'
import {
  costOf,
  endOf,
  findPage,
  inOrder,
  type PageLimits,
  type PageQuestion,
  type ReadPeer,
  readQuestion,
  unavailable,
} from './pages.ts'
import { isArchived, mayRead, type RoomArchiveConfig, roomArchive } from './room-archive.ts'
import { peerOf, readable, type Sight } from './room-keeping.ts'

/** Bounds of queries of a room. */
interface RoomQueryLimits {
  readonly page: PageLimits
  /** Queries that may be under way at once: of the room, and of one account among them. */
  readonly parallel: number
  readonly parallelPerAccount: number
}

/** Who asked; as it travels in a job. */
interface Asked {
  readonly request: Uint8Array
}

/** A page of a room is asked for. */
interface RoomPageSpec extends Asked, PageQuestion {
  readonly job: 'room-page'
  /** Whose addresses whoever asks may see. */
  readonly sight: Sight
}

/** The ends of a room's archive are asked for. */
interface RoomEndsSpec extends Asked {
  readonly job: 'room-ends'
  readonly owner: string
}

/** Queries of a room that are under way: who asked, by the id of the job (V49). */
export const roomRunningStore: LiveStore<string> = liveStore('archive-room-running')

type Config = (scope: Scope) => RoomArchiveConfig & RoomQueryLimits

/** Adds archives to rooms; `count` is called for each line that is kept. */
export function archiveRooms(
  {
    iq,
    job,
    rooms,
  }: Pick<ModuleContext<never, never, Record<never, never>>, 'iq' | 'job' | 'rooms'>,
  config: Config,
  count: () => void,
): void {
  const queries = new RoomQueries(rooms, config)
  iq.set('entity:rooms', NS_ARCHIVE, 'query', (request) => queries.page(request))
  iq.get('entity:rooms', NS_ARCHIVE, 'query', (request) => queries.form(request))
  iq.get('entity:rooms', NS_ARCHIVE, 'metadata', (request) => queries.ends(request))
  job('room-page', roomPageJob)
  job('room-ends', roomEndsJob)
  rooms.feature(roomArchive(config, count))
}

/** What a room answers about its archive. */
class RoomQueries {
  readonly #rooms: RoomsPort
  readonly #config: Config

  constructor(rooms: RoomsPort, config: Config) {
    this.#rooms = rooms
    this.#config = config
  }

  /** Notes the job that answers a query (XEP-0313 §4). */
  page(request: IqRequest): typeof deferred {
    const { scope, payload, from, stanza } = request
    const room = this.#requireArchive(request)
    const limits = this.#config(scope)
    const sight = sightOf(room, from)
    const question = readQuestion(payload, room.archiveOwner, limits.page, asPublisher(room, sight))
    scope.charge(costOf(question))
    const spec: RoomPageSpec = {
      job: 'room-page',
      request: stanza.bytes,
      sight,
      ...question,
    }
    return start(request, spec, limits)
  }

  /** Notes the job that tells the ends (§5). */
  ends(request: IqRequest): typeof deferred {
    const room = this.#requireArchive(request)
    const spec: RoomEndsSpec = {
      job: 'room-ends',
      request: request.stanza.bytes,
      owner: room.archiveOwner,
    }
    return start(request, spec, this.#config(request.scope))
  }

  /** §4.1.5 */
  form(request: IqRequest): XmlElement {
    this.#requireArchive(request)
    return archiveQueryForm('include-groupchat')
  }

  /** @throws {StanzaError} `item-not-found`, `service-unavailable` without an archive, `forbidden` (§6.1.2) */
  #requireArchive({ scope, from }: IqRequest): Room {
    const room = this.#rooms.room(scope)
    if (!room) throw new StanzaError('item-not-found')
    if (!isArchived(room, this.#config(scope))) throw new StanzaError('service-unavailable')
    if (!mayRead(room, from)) throw new StanzaError('forbidden')
    return room
  }
}

function sightOf(room: Room, from: IqRequest['from']): Sight {
  if (room.maySeeHidden(from)) return 'all'
  return room.showsAddresses ? 'shown' : 'nobody'
}

/**
 * §4.1.1: by who said it, for those who may know.
 *
 * @throws {StanzaError} `forbidden` for who may not; `feature-not-implemented` for a nickname, which is nobody's for ever
 */
function asPublisher(room: Room, sight: Sight): ReadPeer {
  return ({ peer, resource }) => {
    if (peer === undefined) return {}
    if (peer === room.jid) {
      if (resource === undefined) return { peer }
      throw new StanzaError('feature-not-implemented', 'Lines are found by address or by word.')
    }
    if (sight === 'nobody') throw new StanzaError('forbidden')
    const shown = peerOf(peer, true)
    return { peer: sight === 'all' ? [shown, peerOf(peer, false)] : shown, resource }
  }
}

function start(
  { scope, from }: IqRequest,
  spec: RoomPageSpec | RoomEndsSpec,
  { parallel, parallelPerAccount }: RoomQueryLimits,
): typeof deferred {
  const account = bare(from)
  const running = [...scope.all(roomRunningStore).values()]
  const own = running.filter((one) => one === account).length
  if (running.length >= parallel || own >= parallelPerAccount)
    throw new StanzaError('resource-constraint', 'Too many queries run at once.', { type: 'wait' })
  const id = `archive ${scope.makeId()}`
  scope.set(roomRunningStore, id, account)
  scope.job('archive', id, spec)
  return deferred
}

/** The job of `RoomQueries.page`. */
const roomPageJob: JobDefinition<RoomPageSpec, ArchivePage | undefined> = {
  run: (spec: RoomPageSpec, { reader }: JobContext) => findPage(reader, spec),

  done(scope, spec, result) {
    finish(scope)
    if (!result.ok) return refuse(scope, spec, unavailable())
    // §4.1.3, §4.3.1
    if (!result.value) return refuse(scope, spec, new StanzaError('item-not-found'))
    sendPage(scope, spec, result.value)
  },
}

/** The job of `RoomQueries.ends`. */
const roomEndsJob: JobDefinition<RoomEndsSpec, Awaited<ReturnType<typeof archiveEnds>>> = {
  run: ({ owner }: RoomEndsSpec, { reader }: JobContext) => archiveEnds(reader, owner),

  done(scope, spec, result) {
    finish(scope)
    if (!result.ok) return refuse(scope, spec, unavailable())
    scope.send(iqResult(Stanza.parse(spec.request), archiveMetadata(result.value)))
  },
}

function finish(scope: Scope): void {
  const { input } = scope.turn
  if (input.kind === 'job') scope.set(roomRunningStore, input.id, undefined)
}

/** One after another on the same way, so that the end comes last. What is lost with the bus is asked for again. */
function sendPage(scope: Scope, spec: RoomPageSpec, page: ArchivePage): void {
  const request = Stanza.parse(spec.request)
  const to = parseJid(request.from ?? '')
  for (const row of inOrder(page.rows, spec)) {
    const stanza = readable(row.stanza, spec.sight).bytes
    const options = { id: scope.makeId(), queryId: spec.queryId }
    const message = archiveResult({ ...row, stanza }, to, scope.entity, options)
    scope.send(message, { durable: false })
  }
  scope.send(iqResult(request, endOf(page, page.rows, spec)))
}

function refuse(scope: Scope, { request }: Asked, error: StanzaError): void {
  const reply = errorReply(Stanza.parse(request), error)
  if (reply) scope.send(reply)
}
