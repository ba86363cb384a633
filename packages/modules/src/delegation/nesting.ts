import {
  type DiscoContribution,
  type IqRequest,
  type LiveStore,
  liveStore,
  type ModuleContext,
  requirePresenceAccess,
  type Scope,
} from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { iqResult, NS_DISCO_INFO, StanzaError } from '@tactus/stanza'
import { parseElement, type Stanza, type XmlElement, xml } from '@tactus/xml'
import { askManager, isAnswerOf, keptId, makeKey, reply, requestOf } from './relay.ts'
import {
  asNested,
  type Forwarded,
  infoElement,
  type Nested,
  nestedNode,
  readNested,
} from './wire.ts'

type DiscoPort = ModuleContext<unknown, unknown, Record<never, never>>['disco']

/** A namespace whose features somebody else tells. */
export interface NestedNamespace {
  readonly component: string
  readonly namespace: string
}

/** disco#info that waits for what managing entities have to say. */
interface Gathering extends Forwarded {
  readonly host: string
  readonly target: 'account' | 'domain'
  readonly namespaces: readonly NestedNamespace[]
  /** What is told without them. */
  readonly own: Nested
  /** What is there of each, by its place in `namespaces`. */
  readonly told: Readonly<Record<number, Nested>>
}

/** Requests for disco#info that wait, by key. */
export const gatheringStore: LiveStore<Gathering> = liveStore<Gathering>('delegation-gathering')
/** When one has waited long enough. */
export const gatheringTimer = 'delegation-gathering'

const silence: Nested = { identities: [], features: [], forms: '' }

/** For how long is not asked again what was told, or what nobody told. */
const freshness = { told: 300_000, untold: 30_000 }

/**
 * Derived: what managing entities said lately (§9, rule 2), so that not every disco#info waits for them. As many entries as
 * there are delegations; lost with the router, which asks again.
 */
export class Hearsay {
  readonly #known = new Map<string, { readonly nested: Nested; readonly until: number }>()

  get(key: string, now: number): Nested | undefined {
    const known = this.#known.get(key)
    return known && known.until > now ? known.nested : undefined
  }

  keep(key: string, nested: Nested, until: number): void {
    this.#known.set(key, { nested, until })
  }
}

/** What nesting needs of the module. */
export interface NestingPorts {
  readonly hearsay: Hearsay
  readonly disco: DiscoPort
}

/** §7.2: answers with what the managing entities say of their namespaces, once they have said it. */
export function gather(
  ports: NestingPorts,
  request: IqRequest,
  namespaces: readonly NestedNamespace[],
  bounds: { readonly waiting: number; readonly patience: number },
): void {
  const { scope, stanza, from, host } = request
  const target = request.target === 'account' ? 'account' : 'domain'
  // XEP-0030 §8: as without delegation.
  if (target === 'account') requirePresenceAccess(scope, from)
  const known = namespaces.map((of) => ports.hearsay.get(keyOf(host.name, target, of), scope.now))
  const told = Object.fromEntries(known.flatMap((nested, at) => (nested ? [[at, nested]] : [])))
  const to = stanza.to
  const id = keptId(stanza)
  const own = namespaces.reduce<DiscoContribution>(
    (info, { namespace }) => without(info, namespace),
    ports.disco.describe(request.target, scope, from, host),
  )
  const asked = { from, to, id, host: host.name, target, namespaces } as const
  const gathering = { ...asked, own: asNested(own), told }
  if (known.every((nested) => nested)) return answer(scope, gathering)
  if (scope.all(gatheringStore).size >= bounds.waiting) throw new StanzaError('resource-constraint')
  const key = makeKey(scope)
  scope.set(gatheringStore, key, gathering)
  scope.timer(`${gatheringTimer} ${key}`, scope.now + bounds.patience, key)
  for (const [at, { component, namespace }] of namespaces.entries()) {
    if (known[at]) continue
    const node = nestedNode(target, namespace)
    const payload = xml('query', { xmlns: NS_DISCO_INFO, node })
    askManager(scope, { host: host.name, component }, { key: `${key}~${at}`, type: 'get', payload })
  }
}

/** One of the managing entities said something; the last of them lets the answer go. */
export function takeNested(
  ports: NestingPorts,
  scope: Scope,
  asked: string,
  { from, said }: { readonly from: Jid; readonly said: Stanza },
): void {
  const [key = '', place] = asked.split('~')
  const at = Number(place)
  const gathering = scope.get(gatheringStore, key)
  const of = gathering?.namespaces[at]
  if (!gathering || !of || gathering.told[at]) return
  const { host, target } = gathering
  if (!isAnswerOf({ host, component: of.component }, scope, from)) return
  const nested = readNested(said)
  const fresh = said.type === 'result' ? freshness.told : freshness.untold
  ports.hearsay.keep(keyOf(host, target, of), nested, scope.now + fresh)
  const next = { ...gathering, told: { ...gathering.told, [at]: nested } }
  if (Object.keys(next.told).length < next.namespaces.length)
    return scope.set(gatheringStore, key, next)
  finish(scope, key, next)
}

/** What nobody told in time is left out, and not asked for a while. */
export function endGathering(ports: NestingPorts, scope: Scope, key: string): void {
  const gathering = scope.get(gatheringStore, key)
  if (!gathering) return
  const { host, target, namespaces, told } = gathering
  for (const [at, of] of namespaces.entries())
    if (!told[at])
      ports.hearsay.keep(keyOf(host, target, of), silence, scope.now + freshness.untold)
  finish(scope, key, gathering)
}

function finish(scope: Scope, key: string, gathering: Gathering): void {
  scope.set(gatheringStore, key, undefined)
  scope.timer(`${gatheringTimer} ${key}`, undefined)
  answer(scope, gathering)
}

function answer(scope: Scope, gathering: Gathering): void {
  const all = [gathering.own, ...Object.values(gathering.told)]
  const info = infoElement({
    identities: all.flatMap(({ identities }) => identities),
    features: all.flatMap(({ features }) => features),
    forms: all.flatMap(formsOf),
  })
  reply(scope, iqResult(requestOf(gathering), info))
}

function formsOf({ forms }: Nested): readonly XmlElement[] {
  return forms === '' ? [] : parseElement(forms).getChildElements()
}

/** §7.2.1, §7.2.3: what is here itself for the namespace is not told: its own features, forms, and its kind of identity. */
function without(info: DiscoContribution, namespace: string): DiscoContribution {
  const isOf = (name: string): boolean => name === namespace || name.startsWith(`${namespace}#`)
  const kind = /^http:\/\/jabber\.org\/protocol\/(\w+)$/.exec(namespace)?.[1]
  return {
    identities: (info.identities ?? []).filter(({ category }) => category !== kind),
    features: (info.features ?? []).filter((feature) => !isOf(feature)),
    forms: (info.forms ?? []).filter((form) => !isOf(formTypeOf(form))),
  }
}

function formTypeOf(form: NonNullable<DiscoContribution['forms']>[number]): string {
  const field = form.getChildren('field').find(({ attrs }) => attrs.var === 'FORM_TYPE')
  return field?.getChildText('value') ?? ''
}

function keyOf(host: string, target: string, { component, namespace }: NestedNamespace): string {
  return `${host} ${target} ${component} ${namespace}`
}
