import { deferred, type IqAnswer, type JobDefinition, type Scope } from '@tactus/core'
import { bare, type Jid } from '@tactus/jid'
import {
  NS_DISCO_ITEMS,
  NS_RSM,
  type PageRequest,
  pageElement,
  readPageRequest,
  StanzaError,
} from '@tactus/stanza'
import type { Reader } from '@tactus/storage'
import { type XmlElement, xml } from '@tactus/xml'
import { requireKnown } from './access.ts'
import { answerLater, type Reply, refuseLater } from './later.ts'
import { pendingForm } from './pending-wire.ts'
import type { Service } from './service.ts'
import { tables } from './store.ts'
import { pubsubElement } from './wire.ts'

/** How many rows a page has when nothing is asked, and at most. */
const limits = { default: 100, max: 250 }

/** Which nodes of a service, by what they hold (XEP-0462 §3.2). */
export interface TypeFilter {
  readonly including: boolean
  readonly types: readonly string[]
}

interface Spec {
  readonly job: 'list'
  readonly entity: string
  /** Domain of a service whose nodes are looked through; undefined for those of the entity itself. */
  readonly service: string | undefined
  readonly what: Wanted
  readonly reply: Reply
  readonly page: PageRequest
  /** Of the request. */
  readonly type: 'get' | 'set'
  /** A page was asked for. */
  readonly asked: boolean
}

type Wanted =
  | { readonly kind: 'nodes'; readonly filter: TypeFilter | undefined }
  | { readonly kind: 'subscriptions' | 'affiliations'; readonly person: string }
  /** Nodes of an owner at which somebody waits for approval, as the answer to a command. */
  | { readonly kind: 'pending'; readonly person: string; readonly sessionid: string }

type Found = Readonly<Record<string, string>>

interface Page {
  readonly rows: readonly Found[]
  readonly count: number
  readonly index: number
}

/** What goes over nodes without end is read beside the steps, a page at a time. */
export function startList(
  service: Service,
  what: Wanted,
  {
    from,
    id,
    set,
    type = 'get',
  }: {
    readonly from: Jid
    readonly id: string | undefined
    readonly set: XmlElement
    readonly type?: 'get' | 'set'
  },
): IqAnswer {
  const { scope, owner, address } = service
  // Nobody's account: there is nobody either to whom an answer could come later.
  if (owner !== undefined && !scope.accountExists()) requireKnown(service, from)
  const spec: Spec = {
    job: 'list',
    entity: scope.entity,
    service: owner === undefined ? address : undefined,
    what,
    reply: { id: id ?? '', to: from, from: address },
    page: readPageRequest(set, limits),
    type,
    asked: set.getChild('set', NS_RSM) !== undefined,
  }
  scope.job('pubsub', `pubsub list ${scope.makeId()}`, spec)
  return deferred
}

/** The job behind it; `serviceOf` as the module makes services. */
export function listJob(serviceOf: (scope: Scope) => Service): JobDefinition<Spec, Page> {
  return {
    run: async (spec, { reader }) => await readPage(() => queryOf(reader, spec), spec),
    done(scope, spec, result) {
      if (!result.ok) return refuseLater(scope, spec.reply, undefined, spec.type)
      try {
        answerLater(scope, spec.reply, contentOf(serviceOf(scope), spec, result.value))
      } catch (error) {
        if (!(error instanceof StanzaError)) throw error
        refuseLater(scope, spec.reply, error, spec.type)
      }
    },
  }
}

const columns = {
  nodes: { key: 'node', all: ['n.node', 'n.title'] },
  subscriptions: { key: 'subid', all: ['p.node', 'p.subid', 'p.jid', 'p.state'] },
  affiliations: { key: 'node', all: ['p.node', 'p.affiliation'] },
  pending: { key: 'node', all: ['p.node'] },
} as const

type Query = ReturnType<typeof queryOf>

function queryOf(reader: Reader, { entity, service, what }: Spec) {
  if (what.kind === 'nodes') return nodesQuery(reader, service ?? '', what.filter)
  const isSubscription = what.kind === 'subscriptions'
  const table = isSubscription ? tables.subscriptions : tables.affiliations
  const query = reader
    .selectFrom(`${tables.nodes} as n`)
    .innerJoin(`${table} as p`, (join) =>
      join.onRef('p.entity', '=', 'n.entity').onRef('p.node', '=', 'n.node'),
    )
    .where(isSubscription ? 'p.person' : 'p.jid', '=', what.person)
  const here =
    service === undefined
      ? query.where('p.entity', '=', entity)
      : query.where('n.service', '=', service)
  if (what.kind !== 'pending') return here
  // §8.7: only where somebody waits.
  return here
    .where('p.affiliation', '=', 'owner')
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom(`${tables.subscriptions} as s`)
          .select('s.subid')
          .whereRef('s.entity', '=', 'p.entity')
          .whereRef('s.node', '=', 'p.node')
          .where('s.state', '=', 'pending'),
      ),
    )
}

/** XEP-0248 §5.2: what is in a collection is found there. */
function nodesQuery(reader: Reader, service: string, filter: TypeFilter | undefined) {
  const query = reader
    .selectFrom(`${tables.nodes} as n`)
    .where('n.service', '=', service)
    .where('n.listed', '=', 1)
    .where('n.collection', '=', '')
  if (!filter) return query
  return query.where('n.payload_type', filter.including ? 'in' : 'not in', filter.types)
}

async function readPage(make: () => Query, { what, page }: Spec): Promise<Page> {
  const { max, after, before, index = 0 } = page
  const { key, all } = columns[what.kind]
  const column = what.kind === 'nodes' ? `n.${key}` : `p.${key}`
  const count = (query: Query): Promise<number> =>
    query
      .select((build) => build.fn.countAll().as('count'))
      .executeTakeFirst()
      .then((row) => Number(row?.count ?? 0))
  let query = make().select([...all])
  if (after !== undefined) query = query.where(column, '>', after)
  if (before) query = query.where(column, '<', before)
  const direction = before === undefined ? 'asc' : 'desc'
  const rows =
    max === 0
      ? []
      : ((await query.orderBy(column, direction).offset(index).limit(max).execute()) as Found[])
  if (before !== undefined) rows.reverse()
  const first = rows[0]?.[key]
  return {
    rows,
    count: await count(make()),
    index: first === undefined ? 0 : await count(make().where(column, '<', first)),
  }
}

function contentOf(service: Service, spec: Spec, { rows, count, index }: Page): XmlElement {
  const { what, asked, reply } = spec
  const { key } = columns[what.kind]
  const [first, last] = [rows[0]?.[key], rows.at(-1)?.[key]]
  const ends = first !== undefined && last !== undefined ? { first, last } : undefined
  // Who asked for no page and does not get all of it is told that there is more (XEP-0059 §2.1).
  const page =
    asked || count > rows.length ? pageElement({ count, ...(ends && { ends, index }) }) : undefined
  if (what.kind === 'nodes') {
    const items = rows.map(({ node, title }) =>
      xml('item', { jid: service.address, node, name: title === '' ? undefined : title }),
    )
    return xml('query', { xmlns: NS_DISCO_ITEMS }, items, page)
  }
  if (what.kind === 'pending')
    return pendingForm(
      what.sessionid,
      rows.map(({ node = '' }) => node),
    )
  // SECURITY: who has nothing here hears of an account only what strangers do.
  if (count === 0 && bare(reply.to as Jid) !== service.owner) requireKnown(service, reply.to as Jid)
  return pubsubElement(
    xml(what.kind, {}, rows.map(what.kind === 'subscriptions' ? one : other)),
    page,
  )
}

function one({ node, jid, subid, state }: Found): XmlElement {
  return xml('subscription', { node, jid, subid, subscription: state })
}

function other({ node, affiliation }: Found): XmlElement {
  return xml('affiliation', { node, affiliation })
}
