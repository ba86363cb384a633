import { deferred, type IqAnswer, type IqRequest, type JobDefinition } from '@tactus/core'
import {
  errorReply,
  iqResult,
  NS_DISCO_ITEMS,
  NS_RSM,
  type PageRequest,
  pageElement,
  readPageRequest,
  StanzaError,
} from '@tactus/stanza'
import { Stanza, xml } from '@tactus/xml'
import { countRooms, listRooms } from './queries.ts'
import { beginning } from './sweep.ts'

/** How many rooms are named when nothing is asked, and at most. */
const pageLimits = { default: 100, max: 250 }

interface Spec {
  readonly job: 'list'
  readonly service: string
  readonly since: number
  readonly request: string
  readonly page: PageRequest
  readonly asked: boolean
}

interface Page {
  readonly rooms: readonly { readonly jid: string; readonly name: string }[]
  readonly count: number
  readonly index: number
}

/** The rooms of a service (XEP-0045 §6.3), in pages (XEP-0059): read beside the steps, as there may be very many. */
export function startListing(request: IqRequest): IqAnswer {
  const { scope, payload, stanza } = request
  if (payload.attrs.node) throw new StanzaError('item-not-found')
  const spec: Spec = {
    job: 'list',
    service: scope.entity,
    since: beginning(scope),
    request: stanza.toString(),
    page: readPageRequest(payload, pageLimits),
    asked: payload.getChild('set', NS_RSM) !== undefined,
  }
  scope.job('muc', `muc list ${scope.makeId()}`, spec)
  return deferred
}

/** Reads a page and answers. */
export const listingJob: JobDefinition<Spec, Page> = {
  async run({ service, since, page }, { reader }) {
    const { max: limit, after, before, index: offset = 0 } = page
    const [rooms, count] = await Promise.all([
      listRooms(
        reader,
        { service, since },
        {
          ...(after && { after }),
          ...(before !== undefined && { before }),
          offset,
          limit,
        },
      ),
      countRooms(reader, { service, since }),
    ])
    const [first] = rooms
    return {
      rooms,
      count,
      // The first page, which most ask for, is where nothing has to be counted.
      index:
        first && (after || before !== undefined || offset > 0)
          ? await countRooms(reader, { service, since }, first.jid)
          : 0,
    }
  },
  done(scope, spec, result) {
    const request = Stanza.parse(spec.request)
    if (!result.ok) {
      const error = errorReply(request, new StanzaError('internal-server-error'))
      if (error) scope.send(error)
      return
    }
    const { rooms, count, index } = result.value
    const [first, last] = [rooms[0], rooms.at(-1)]
    const ends = first && last && { first: first.jid, last: last.jid }
    // Who asked for no page and would not get all of it is told that there is more.
    const page =
      spec.asked || count > rooms.length
        ? pageElement({ count, ...(ends && { ends, index }) })
        : undefined
    const items = rooms.map(({ jid, name }) =>
      xml('item', { jid, name: name === '' ? undefined : name }),
    )
    scope.send(iqResult(request, xml('query', { xmlns: NS_DISCO_ITEMS }, items, page)))
  },
}
