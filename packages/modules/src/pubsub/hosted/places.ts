import { type JobDefinition, type LiveStore, liveStore, type Scope } from '@tactus/core'
import { NS_CLIENT } from '@tactus/stanza'
import type { Reader } from '@tactus/storage'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import { tables } from '../store.ts'
import type { HostedSettings } from './config.ts'
import { NS_HOSTED } from './wire.ts'

/** Somebody wants to make a node; the key is the node. */
interface Asked {
  readonly creator: string
  /** Wall clock, ms. */
  readonly at: number
  /** A count is under way that decides about it. */
  readonly counted: boolean
}

/** A place that was given, and may not be in the database yet; the key is the node. */
interface Grant {
  readonly creator: string
  /** Wall clock, ms. */
  readonly at: number
}

/** State of a service as a whole: who waits for a place, and who was given one. */
export const askedStore: LiveStore<Asked> = liveStore('pubsub-asked')
/** The other half of it. */
export const grantStore: LiveStore<Grant> = liveStore('pubsub-grants')

/** How long somebody waits. */
export const patience = 30_000
/** A grant is void when whoever was given it has lost patience for certain. */
const lifetime = 2 * patience
/** Nodes that are being made at once. */
const most = 1_000

/** Counts the nodes of a service. */
interface Spec {
  readonly job: 'places'
  readonly service: string
  readonly nodes: readonly string[]
  readonly creators: readonly string[]
  /** Nodes that had been given a place when the count began, and whose; they may be in the database, or not yet. */
  readonly granted: readonly (readonly [node: string, creator: string])[]
}

interface Counts {
  readonly all: number
  readonly own: Readonly<Record<string, number>>
}

/** What the service as a whole hears of its nodes. */
export function takeReservation(scope: Scope, message: Stanza): void {
  const content = message.child(null, NS_HOSTED)
  const { for: node, creator } = content?.attrs ?? {}
  if (!node) return
  if (content?.name === 'settled') return scope.set(grantStore, node, undefined)
  if (content?.name !== 'reserve' || !creator) return
  forgetOld(scope)
  if (scope.all(askedStore).size + scope.all(grantStore).size >= most)
    return answer(scope, node, 'busy')
  scope.set(askedStore, node, { creator, at: scope.now, counted: false })
  startCount(scope)
}

/**
 * One count at a time, for all who wait: no place is given while it runs, so what it does not see are those places that
 * were given before, and these are known.
 */
function startCount(scope: Scope): void {
  const asked = [...scope.all(askedStore)]
  if (asked.length === 0 || asked.some(([, { counted }]) => counted)) return
  for (const [node, each] of asked) scope.set(askedStore, node, { ...each, counted: true })
  const spec: Spec = {
    job: 'places',
    service: scope.entity,
    nodes: asked.map(([node]) => node),
    creators: [...new Set(asked.map(([, { creator }]) => creator))],
    granted: [...scope.all(grantStore)].map(([node, { creator }]) => [node, creator]),
  }
  scope.job('pubsub', `pubsub places ${scope.makeId()}`, spec)
}

/** The job behind it. */
export function placesJob(settings: (scope: Scope) => HostedSettings): JobDefinition<Spec, Counts> {
  return {
    run: (spec, { reader }) => countNodes(reader, spec),
    done(scope, spec, result) {
      if (result.ok) givePlaces(scope, spec, { counts: result.value, ...settings(scope) })
      else for (const node of spec.nodes) decide(scope, node, 'busy')
      startCount(scope)
    },
  }
}

/** Without those that were given a place, which count in any case. */
async function countNodes(reader: Reader, { service, creators, granted }: Spec): Promise<Counts> {
  const here = reader.selectFrom(tables.nodes).where('service', '=', service)
  const names = granted.map(([node]) => node)
  const nodes = names.length === 0 ? here : here.where('node', 'not in', names)
  const all = await nodes.select(({ fn }) => fn.countAll().as('count')).executeTakeFirst()
  const own = await nodes
    .select(['creator'])
    .select(({ fn }) => fn.countAll().as('count'))
    .where('creator', 'in', creators)
    .groupBy('creator')
    .execute()
  return {
    all: Number(all?.count ?? 0),
    own: Object.fromEntries(own.map(({ creator, count }) => [String(creator), Number(count)])),
  }
}

function givePlaces(
  scope: Scope,
  { nodes: names, granted }: Spec,
  { counts, nodes, nodesPerAccount }: HostedSettings & { readonly counts: Counts },
): void {
  const taken = granted.map(([, creator]) => creator)
  for (const node of names) {
    const asked = scope.get(askedStore, node)
    if (!asked) continue
    const { creator } = asked
    const own = (counts.own[creator] ?? 0) + taken.filter((each) => each === creator).length
    const isFull = counts.all + taken.length >= nodes || own >= nodesPerAccount
    if (!isFull) taken.push(creator)
    if (!isFull) scope.set(grantStore, node, { creator, at: scope.now })
    decide(scope, node, isFull ? 'full' : 'granted')
  }
}

function decide(scope: Scope, node: string, verdict: 'granted' | 'full' | 'busy'): void {
  scope.set(askedStore, node, undefined)
  answer(scope, node, verdict)
}

function answer(scope: Scope, node: string, verdict: 'granted' | 'full' | 'busy'): void {
  tellOwn(scope, xml(verdict, { xmlns: NS_HOSTED, node }))
}

/** What was lost on its way holds no place for ever. */
function forgetOld(scope: Scope): void {
  for (const [node, { at }] of scope.all(grantStore))
    if (scope.now - at >= lifetime) scope.set(grantStore, node, undefined)
  for (const [node, { at }] of scope.all(askedStore))
    if (scope.now - at >= lifetime) scope.set(askedStore, node, undefined)
}

/** From the service to itself: in its name nobody else speaks. */
export function tellOwn(scope: Scope, content: XmlElement): void {
  const address = scope.service?.domain ?? scope.entity
  const id = scope.makeId()
  const attrs = { xmlns: NS_CLIENT, type: 'headline', from: address, to: address, id }
  scope.send(xml('message', attrs, content), { durable: false })
}
